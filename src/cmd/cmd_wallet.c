/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/key_password.h"
#include "bittensor/wallet.h"
#include "cmd/commands.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "json/json.h"

#include <string.h>
#include <unistd.h>

static const struct arg_action actions[] = {
    {"create", "Make a new key; nothing is ever overwritten."},
    {"import", "Write a key from its words, seed or private key, read from standard input or asked "
               "for."},
    {"show", "Print addresses and where the files lie; never a secret, no password needed."},
    {"verify", "Open the key as the miner would and check it against its files."},
    {"password", "Print the variable that holds the password of an encrypted key."},
};

static const struct arg_option options[] = {
    {"--coldkey", NULL, "The coldkey instead of the hotkey."},
    {"--hotkey", NULL, "With --coldkey: the hotkey too."},
    {"--words", "N", "create: how many words, 12, 15, 18, 21 or 24 (default 12)."},
    {"--phrase", NULL, "create: print the words of the new key on standard output."},
    {"--encrypt", NULL, "create, import: write the file with a password (coldkeys: the default)."},
    {"--no-encrypt", NULL, "create, import: write a coldkey without a password."},
    {"--json", NULL, "Print a JSON object."},
};

const struct args_spec cmd_wallet_spec = {
    .name = "wallet",
    .synopsis = "create|import|show|verify|password [--coldkey] [--encrypt] [--wallet.path DIR] "
                "[--wallet.name N] [--wallet.hotkey H]",
    .summary = "Make, bring in, show or check the keys that the miner answers with.",
    .details =
        "Files have the layout of the Bittensor wallet folder: btcli and the Python SDK read them, "
        "and theirs are read here, the encrypted kinds too. The password of an encrypted file "
        "comes from its BT_PW_… variable or is asked for. Secrets are never taken from the "
        "command line: storyfi wallet import < words.txt\n\n"
        "Exit status 0 when all is well, 1 when verify found something, 100 for a mistake.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .takes_settings = true,
};

struct wallet_run {
    const struct args *a;
    const struct conf *conf;
    struct wallet_names names;
    json_t *out; /* what is printed, member by member */
};

static void tell(struct wallet_run *r, const char *name, const char *value)
{
    (void)json_object_set_new(r->out, name, json_string(value));
}

static void print_out(const struct wallet_run *r)
{
    const char *name;
    json_t *value;
    if (args_has(r->a, "--json")) {
        struct sf_buf b;
        sf_buf_init(&b, 1U << 20);
        json_print(r->out, &b);
        puts(sf_buf_z(&b));
        sf_buf_wipe(&b);
        return;
    }
    json_object_foreach(r->out, name, value)
    {
        printf("%-13s %s\n", name,
               json_is_string(value) ? json_string_value(value)
               : json_is_true(value) ? "yes"
                                     : "no");
    }
}

/* "hotkey" and "file", "coldkey" and "coldkey_file": what scripts read. */
static void tell_key(struct wallet_run *r, enum wallet_key which, const char *address,
                     const char *path)
{
    tell(r, wallet_key_word(which), address);
    tell(r, which == WALLET_HOTKEY ? "file" : "coldkey_file", path);
}

/* Fills `list` with what the switches name. */
static size_t wanted(const struct args *a, enum wallet_key list[static 2])
{
    size_t n = 0;
    if (args_has(a, "--coldkey")) {
        list[n++] = WALLET_COLDKEY;
    }
    if (n == 0 || args_has(a, "--hotkey")) {
        list[n++] = WALLET_HOTKEY;
    }
    return n;
}

/* The password that a new file gets; empty for none. */
static enum sf_err new_password(struct wallet_run *r, enum wallet_key which, const char *path,
                                struct sf_buf *password, struct sf_errbuf *eb)
{
    struct sf_buf name;
    char prompt[64];
    bool plain =
        which == WALLET_COLDKEY ? args_has(r->a, "--no-encrypt") : !args_has(r->a, "--encrypt");
    if (plain) {
        return SF_OK;
    }
    sf_buf_init(&name, 8192);
    key_password_variable(path, &name);
    const char *value = conf_env(r->conf, sf_buf_z(&name));
    enum sf_err err;
    if (value != NULL && value[0] != '\0') {
        err = key_password_decode(sf_buf_z(&name), value, password, eb);
    } else {
        (void)snprintf(prompt, sizeof prompt, "Password for the new %s", wallet_key_word(which));
        err = secret_ask_twice(prompt, password, eb);
    }
    if (err == SF_EUNAVAILABLE) {
        err = sf_fail(eb, SF_EINVAL,
                      "no terminal to ask for the new password on: put it into %s (storyfi wallet "
                      "password makes the line)%s",
                      sf_buf_z(&name),
                      which == WALLET_COLDKEY ? ", or write the coldkey with --no-encrypt" : "");
    }
    sf_buf_fini(&name);
    return err;
}

static enum sf_err write_key(struct wallet_run *r, enum wallet_key which,
                             const struct keyfile_secret *secret, struct sf_errbuf *eb)
{
    struct sf_buf path, password;
    char address[SS58_MAX];
    sf_buf_init(&path, 4096);
    sf_buf_init(&password, VAULT_PASSWORD_MAX);
    enum sf_err err = wallet_key_path(&r->names, which, &path, eb);
    if (err == SF_OK && access(sf_buf_z(&path), F_OK) != 0) { /* else refused before any question */
        err = new_password(r, which, sf_buf_z(&path), &password, eb);
    }
    if (err == SF_OK) {
        err = wallet_write_key(&r->names, which, secret, sf_buf_str(&password), eb);
    }
    if (err == SF_OK) {
        ss58_encode(secret->key.public_key, address);
        tell_key(r, which, address, sf_buf_z(&path));
    }
    sf_buf_wipe(&password);
    sf_buf_fini(&path);
    return err;
}

static enum sf_err create(struct wallet_run *r, struct sf_errbuf *eb)
{
    enum wallet_key list[2];
    size_t n = wanted(r->a, list);
    unsigned n_words = (unsigned)args_int(r->a, "--words", 12, 12, 24);
    bool phrase = args_has(r->a, "--phrase");
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < n && err == SF_OK; i++) {
        struct keyfile_secret secret;
        crypto_secret_lock(&secret, sizeof secret);
        err = wallet_fresh_secret(n_words, &secret, eb);
        if (err == SF_OK) {
            err = write_key(r, list[i], &secret, eb);
        }
        if (err == SF_OK && phrase) {
            tell(r, list[i] == WALLET_HOTKEY ? "phrase" : "coldkey_phrase", secret.phrase);
        }
        crypto_secret_unlock(&secret, sizeof secret);
    }
    if (err == SF_OK && !phrase) {
        fputs("The words that restore a key are in its file: keep a copy of it offline.\n", stderr);
    }
    return err;
}

static enum sf_err import(struct wallet_run *r, struct sf_errbuf *eb)
{
    enum wallet_key list[2];
    struct keyfile_secret secret;
    struct sf_buf text;
    if (wanted(r->a, list) == 2) {
        return sf_fail(eb, SF_EINVAL, "one key at a time: --coldkey, or neither for the hotkey");
    }
    sf_buf_init(&text, 4096);
    crypto_secret_lock(&secret, sizeof secret);
    enum sf_err err = secret_get("Words, seed or private key (not shown)", &text, eb);
    if (err == SF_OK) {
        err = keyfile_secret_read(sf_buf_str(&text), &secret, eb);
    }
    sf_buf_wipe(&text);
    if (err == SF_OK) {
        err = write_key(r, list[0], &secret, eb);
    }
    crypto_secret_unlock(&secret, sizeof secret);
    return err;
}

static enum sf_err show(struct wallet_run *r, struct sf_errbuf *eb)
{
    char address[SS58_MAX];
    struct sf_buf path;
    bool only_coldkey = args_has(r->a, "--coldkey") && !args_has(r->a, "--hotkey");
    sf_buf_init(&path, 4096);
    enum sf_err err = SF_OK;
    if (!only_coldkey) {
        err = wallet_key_path(&r->names, WALLET_HOTKEY, &path, eb);
        if (err == SF_OK) {
            err = wallet_public_address(&r->names, WALLET_HOTKEY, address, eb);
        }
        if (err == SF_OK) {
            tell_key(r, WALLET_HOTKEY, address, sf_buf_z(&path));
        }
    }
    sf_buf_clear(&path);
    if (err == SF_OK && wallet_public_path(&r->names, WALLET_COLDKEY, &path, NULL) == SF_OK &&
        (only_coldkey || access(sf_buf_z(&path), R_OK) == 0)) {
        err = wallet_public_address(&r->names, WALLET_COLDKEY, address, eb);
        if (err == SF_OK) {
            tell_key(r, WALLET_COLDKEY, address, sf_buf_z(&path));
        }
    }
    sf_buf_fini(&path);
    return err;
}

/* Opens one key and compares; what is only unwise is a warning. */
static enum sf_err verify_key(struct wallet_run *r, enum wallet_key which, struct sf_errbuf *eb)
{
    struct sr25519_keypair key;
    struct wallet_found found;
    struct sf_buf path;
    char derived[SS58_MAX], public[SS58_MAX];
    struct wallet_unlock unlock = secret_unlock(r->conf);
    sf_buf_init(&path, 4096);
    enum sf_err err = wallet_key_path(&r->names, which, &path, eb);
    if (err == SF_OK) {
        err = wallet_open_key(&r->names, which, &unlock, &key, &found, eb);
    }
    if (err == SF_OK) {
        ss58_encode(key.public_key, derived);
        wallet_forget(&key);
        err = wallet_public_address(&r->names, which, public, eb);
    }
    if (err == SF_OK && strcmp(derived, public) != 0) {
        err = sf_fail(eb, SF_ENEGATIVE,
                      "the public file names %s, the key in %s is %s: one of the two was replaced",
                      public, sf_buf_z(&path), derived);
    }
    if (err == SF_OK) {
        tell_key(r, which, derived, sf_buf_z(&path));
        tell(r, which == WALLET_HOTKEY ? "encryption" : "coldkey_encryption",
             vault_kind_name(found.kind));
        if (found.readable_by_others) {
            fprintf(stderr,
                    "storyfi: wallet: other users can read %s; close it with: chmod 600 %s\n",
                    sf_buf_z(&path), sf_buf_z(&path));
            err = sf_fail(eb, SF_ENEGATIVE, "permissions too wide");
        }
    }
    sf_buf_fini(&path);
    return err;
}

static enum sf_err verify(struct wallet_run *r, struct sf_errbuf *eb)
{
    enum wallet_key list[2];
    size_t n = wanted(r->a, list);
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < n && err == SF_OK; i++) {
        err = verify_key(r, list[i], eb);
    }
    if (err == SF_EINVAL || err == SF_EPARSE || err == SF_EAUTH) {
        /* The file is there and is not what it should be: a negative answer, not a mistake. */
        eb->code = err = SF_ENEGATIVE;
    }
    return err;
}

static enum sf_err password(struct wallet_run *r, struct sf_errbuf *eb)
{
    enum wallet_key list[2];
    struct sf_buf path, name, secret, value;
    if (wanted(r->a, list) == 2) {
        return sf_fail(eb, SF_EINVAL, "one key at a time: --coldkey, or neither for the hotkey");
    }
    sf_buf_init(&path, 4096);
    sf_buf_init(&name, 8192);
    sf_buf_init(&secret, VAULT_PASSWORD_MAX);
    sf_buf_init(&value, 4096);
    enum sf_err err = wallet_key_path(&r->names, list[0], &path, eb);
    if (err == SF_OK) {
        err = secret_get("Password (not shown)", &secret, eb);
    }
    if (err == SF_OK) {
        key_password_variable(sf_buf_z(&path), &name);
        key_password_encode(sf_buf_z(&name), sf_buf_str(&secret), &value);
        if (args_has(r->a, "--json")) {
            tell(r, "variable", sf_buf_z(&name));
            tell(r, "value", sf_buf_z(&value));
        } else {
            printf("%s=%s\n", sf_buf_z(&name), sf_buf_z(&value));
            fputs("The value is only disguised, not encrypted: guard it like the password.\n",
                  stderr);
        }
    }
    sf_buf_wipe(&secret);
    sf_buf_wipe(&value);
    sf_buf_fini(&name);
    sf_buf_fini(&path);
    return err;
}

static const struct {
    const char *name;
    enum sf_err (*run)(struct wallet_run *r, struct sf_errbuf *eb);
} runs[] = {{"create", create},
            {"import", import},
            {"show", show},
            {"verify", verify},
            {"password", password}};

int cmd_wallet(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_wallet_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    struct wallet_run r = {.a = &a, .conf = conf, .out = json_object()};
    r.names = (struct wallet_names){conf->wallet.path, conf->wallet.name, conf->wallet.hotkey};
    crypto_secrets_guard();
    enum sf_err err = r.out == NULL ? SF_ENOMEM : SF_EINVAL;
    for (size_t i = 0; r.out != NULL && i < sizeof runs / sizeof runs[0]; i++) {
        if (strcmp(runs[i].name, a.action) == 0) {
            err = runs[i].run(&r, &eb);
        }
    }
    if (json_object_size(r.out) > 0 && (err == SF_OK || err == SF_ENEGATIVE)) {
        print_out(&r);
    }
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: wallet %s: %s\n", a.action, sf_err_text(&eb, err));
    }
    json_decref(r.out);
    conf_unref(conf);
    args_fini(&a);
    return sf_err_info(err)->exit_code;
}

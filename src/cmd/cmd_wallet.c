/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "bittensor/wallet.h"
#include "cmd/commands.h"
#include "cmd/settings.h"

static const struct arg_action actions[] = {
    {"create", "Make a new hotkey; nothing is ever overwritten."},
    {"show", "Print the hotkey's address and where its file lies; never a secret."},
};

static const struct arg_option options[] = {
    {"--phrase", NULL, "create: print the twelve words of the new key on standard output."},
    {"--json", NULL, "Print a JSON object."},
};

const struct args_spec cmd_wallet_spec = {
    .name = "wallet",
    .synopsis = "create|show [--wallet.path DIR] [--wallet.name N] [--wallet.hotkey H]",
    .summary = "Make or show the hotkey that the miner answers with.",
    .details =
        "Files have the layout of the Bittensor wallet folder and are read by its other tools.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .takes_settings = true,
};

static void print_wallet(const struct args *a, const char *address, const char *path,
                         const char *phrase)
{
    if (args_has(a, "--json")) {
        printf("{\"hotkey\":\"%s\",\"file\":\"%s\"%s%s%s}\n", address, path,
               phrase == NULL ? "" : ",\"phrase\":\"", phrase == NULL ? "" : phrase,
               phrase == NULL ? "" : "\"");
        return;
    }
    printf("hotkey  %s\nfile    %s\n", address, path);
    if (phrase != NULL) {
        printf("phrase  %s\n", phrase);
    }
}

static enum sf_err create(const struct args *a, const struct wallet_names *w, const char *path,
                          struct sf_errbuf *eb)
{
    char address[SS58_MAX];
    struct sf_buf phrase;
    sf_buf_init(&phrase, 1024);
    enum sf_err err = wallet_create_hotkey(w, NULL, &phrase, address, eb);
    if (err == SF_OK) {
        bool wanted = args_has(a, "--phrase");
        print_wallet(a, address, path, wanted ? sf_buf_z(&phrase) : NULL);
        if (!wanted) {
            fputs("The twelve words that restore this key are in the file above: keep a copy of it "
                  "offline.\n",
                  stderr);
        }
    }
    sf_buf_wipe(&phrase);
    return err;
}

static enum sf_err show(const struct args *a, const struct wallet_names *w, const char *path,
                        struct sf_errbuf *eb)
{
    char address[SS58_MAX];
    enum sf_err err = wallet_read_address(w, address, eb);
    if (err == SF_OK) {
        print_wallet(a, address, path, NULL);
    }
    return err;
}

int cmd_wallet(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf path;
    args_parse(&a, &cmd_wallet_spec, argc, argv);
    sf_buf_init(&path, 4096);
    const struct conf *conf = settings_load(&a);
    struct wallet_names w = {conf->wallet.path, conf->wallet.name, conf->wallet.hotkey};
    enum sf_err err = wallet_hotkey_path(&w, &path, &eb);
    if (err == SF_OK) {
        err = (a.action[0] == 'c' ? create : show)(&a, &w, sf_buf_z(&path), &eb);
    }
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: wallet %s: %s\n", a.action, sf_err_text(&eb, err));
    }
    sf_buf_fini(&path);
    conf_unref(conf);
    args_fini(&a);
    return sf_err_info(err)->exit_code;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/wallet.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/key_password.h"
#include "bittensor/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PHRASE "old leopard transfer rib spatial phone calm indicate online fire caution review"
#define ADDRESS "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"
#define PUBLIC "0xe4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446"
#define SECRET                                                                                     \
    "0x1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a"                           \
    "9cffd34d9fb01cae1fba61aeed184c817442a2186d5172416729a4b54dd4b84e"
#define SEED "0xda3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143"

static const struct {
    const char *content;
    enum sf_err code;
    const char *reason;
} files[] = {
    {"{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"" ADDRESS "\"}", SF_OK, NULL},
    {"{\"secretSeed\":\"" SEED "\",\"publicKey\":\"" PUBLIC "\"}", SF_OK, NULL},
    {"{\"privateKey\":\"" SECRET "\",\"accountId\":\"" PUBLIC "\"}", SF_OK, NULL},
    {"{\"secretSeed\":\"0x" SEED "\"}", SF_OK, NULL}, /* repeated prefixes */
    {"{\"secretSeed\":\"0x12345678901234567890123456789012\"}", SF_EINVAL, "not 32 or 64 bytes"},
    {"$NACLabc", SF_EINVAL, "encrypted (NaCl)"},
    {"$ANSIBLE_VAULT;1.1;AES256", SF_EINVAL, "encrypted (Ansible Vault)"},
    {"gAAAAABk", SF_EINVAL, "encrypted (Fernet)"},
    {"", SF_EPARSE, "not JSON"},
    {"[]", SF_EPARSE, "not a JSON object"},
    {"{\"ss58Address\":\"" ADDRESS "\"}", SF_EINVAL, "no secret"},
    {"{\"secretSeed\":\"0x1234\"}", SF_EINVAL, "not 32 or 64 bytes"},
    {"{\"secretSeed\":\"" SEED "\",\"publicKey\":\"0x00\"}", SF_EINVAL, "publicKey"},
    {"{\"secretSeed\":\"" SEED
     "\",\"ss58Address\":\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\"}",
     SF_EINVAL, "ss58Address"},
    {"{\"secretPhrase\":\"old leopard transfer\"}", SF_EINVAL, "3 words"},
};

static void keyfiles_are_read_or_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct sr25519_keypair key;
        struct sf_errbuf eb = {.code = SF_OK};
        char address[SS58_MAX];
        assert_int_equal(keyfile_parse(sf_str(files[i].content), &key, &eb), files[i].code);
        if (files[i].code == SF_OK) {
            ss58_encode(key.public_key, address);
            assert_string_equal(address, ADDRESS);
        } else {
            assert_non_null(strstr(eb.text, files[i].reason));
            assert_null(strstr(eb.text, "leopard"));
        }
    }
}

/* As btwallet writes a seed that happens to be UTF-8; only the public key tells it from bad hex. */
static void a_seed_written_as_it_is_is_read(void **state)
{
    (void)state;
    struct sr25519_keypair key;
    static const char raw[] =
        "{\"secretSeed\":\"0x12345678901234567890123456789012\",\"publicKey\":\"0x"
        "741c08a06f41c596608f6774259bd9043304adfa5d3eea62760bd9be97634d63\"}";
    assert_int_equal(keyfile_parse(SF_STR(raw), &key, NULL), SF_OK);
    assert_int_equal(key.public_key[0], 0x74);
}

static void a_person_may_type_words_a_seed_or_a_private_key(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sf_err code;
        bool words, seed;
    } rows[] = {
        {"  Old leopard\ttransfer rib spatial phone\n calm indicate online fire caution REVIEW \n",
         SF_OK, true, true},
        {SEED, SF_OK, false, true},
        {SECRET "\n", SF_OK, false, false},
        {"old leopard transfer", SF_EINVAL, false, false},
        {"0x1234", SF_EINVAL, false, false},
        {"leopard//x", SF_EINVAL, false, false},
        {"//", SF_EINVAL, false, false},
        {"", SF_EINVAL, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct keyfile_secret s;
        struct sf_errbuf eb = {.code = SF_OK};
        char address[SS58_MAX];
        assert_int_equal(keyfile_secret_read(sf_str(rows[i].text), &s, &eb), rows[i].code);
        if (rows[i].code == SF_OK) {
            ss58_encode(s.key.public_key, address);
            assert_string_equal(address, ADDRESS);
            assert_int_equal(s.phrase[0] != '\0', rows[i].words);
            assert_int_equal(s.has_seed, rows[i].seed);
            /* What is written is read back. */
            struct sf_buf file;
            struct sr25519_keypair key;
            sf_buf_init(&file, 4096);
            keyfile_print(&s, &file);
            assert_int_equal(keyfile_parse(sf_buf_str(&file), &key, NULL), SF_OK);
            assert_memory_equal(key.public_key, s.key.public_key, 32);
            assert_memory_equal(key.secret, s.key.secret, 64);
            sf_buf_wipe(&file);
        } else {
            assert_null(strstr(eb.text, "leopard"));
            assert_null(strstr(eb.text, "1234"));
            assert_true(eb.text[0] != '\0');
        }
    }
}

static void a_development_key_may_be_typed(void **state)
{
    (void)state;
    struct keyfile_secret s;
    char address[SS58_MAX];
    assert_int_equal(keyfile_secret_read(SF_STR("//Alice\n"), &s, NULL), SF_OK);
    ss58_encode(s.key.public_key, address);
    assert_string_equal(address, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    assert_false(s.has_seed);
    assert_int_equal(s.phrase[0], '\0');
}

static struct wallet_names fresh_wallet(char *dir)
{
    assert_non_null(mkdtemp(dir));
    return (struct wallet_names){.path = dir, .name = "my_miner", .hotkey = "default"};
}

static void create(const struct wallet_names *w, enum wallet_key which, const char *password,
                   char address[static SS58_MAX])
{
    struct keyfile_secret s;
    assert_int_equal(wallet_fresh_secret(12, &s, NULL), SF_OK);
    assert_int_equal(wallet_write_key(w, which, &s, sf_str(password), NULL), SF_OK);
    ss58_encode(s.key.public_key, address);
    keyfile_secret_wipe(&s);
}

static void a_created_hotkey_is_read_back(void **state)
{
    (void)state;
    char dir[] = "/tmp/storyfi-wallet-XXXXXX", address[SS58_MAX], read_back[SS58_MAX];
    struct wallet_names w = fresh_wallet(dir);
    struct sr25519_keypair key;
    struct stat st;
    bool open_to_others = true;
    create(&w, WALLET_HOTKEY, "", address);
    assert_int_equal(wallet_read_hotkey(&w, &key, &open_to_others, NULL), SF_OK);
    assert_false(open_to_others);
    ss58_encode(key.public_key, read_back);
    assert_string_equal(read_back, address);
    assert_int_equal(wallet_read_address(&w, read_back, NULL), SF_OK);
    assert_string_equal(read_back, address);
    struct sf_buf path;
    sf_buf_init(&path, 4096);
    assert_int_equal(wallet_key_path(&w, WALLET_HOTKEY, &path, NULL), SF_OK);
    assert_int_equal(stat(sf_buf_z(&path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(sf_buf_z(&path), 0644), 0);
    assert_int_equal(wallet_read_hotkey(&w, &key, &open_to_others, NULL), SF_OK);
    assert_true(open_to_others);
    assert_int_equal(unlink(sf_buf_z(&path)), 0); /* the public file is enough for the address */
    assert_int_equal(wallet_read_address(&w, read_back, NULL), SF_OK);
    wallet_forget(&key);
    static const uint8_t zero[64];
    assert_memory_equal(key.secret, zero, 64);
    sf_buf_fini(&path);
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    char dir[] = "/tmp/storyfi-wallet-XXXXXX", again[SS58_MAX];
    struct wallet_names w = fresh_wallet(dir);
    struct keyfile_secret s;
    struct sf_errbuf eb;
    assert_int_equal(keyfile_secret_read(SF_STR(PHRASE), &s, NULL), SF_OK);
    assert_int_equal(wallet_write_key(&w, WALLET_HOTKEY, &s, SF_STR(""), &eb), SF_OK);
    assert_int_equal(wallet_write_key(&w, WALLET_HOTKEY, &s, SF_STR(""), &eb), SF_EINVAL);
    assert_non_null(strstr(eb.text, "is there already"));
    assert_int_equal(wallet_read_address(&w, again, NULL), SF_OK);
    assert_string_equal(again, ADDRESS);
    assert_int_equal(wallet_fresh_secret(13, &s, &eb), SF_EINVAL);
}

/* What a person and the environment answer in the tests. */
struct lock_arg {
    const char *name, *value, *typed;
    int asked;
};

static const char *variable(void *arg, const char *name)
{
    struct lock_arg *l = arg;
    return l->name != NULL && strcmp(name, l->name) == 0 ? l->value : NULL;
}

static enum sf_err ask(void *arg, const char *path, struct sf_buf *password, struct sf_errbuf *eb)
{
    struct lock_arg *l = arg;
    (void)path;
    (void)eb;
    l->asked++;
    sf_buf_puts(password, l->typed);
    return SF_OK;
}

/* Three times the slow key derivation: 512 MiB and seconds each. */
static void an_encrypted_coldkey_opens_by_variable_or_by_asking(void **state)
{
    (void)state;
    char dir[] = "/tmp/storyfi-wallet-XXXXXX", address[SS58_MAX], read_back[SS58_MAX];
    struct wallet_names w = fresh_wallet(dir);
    struct sr25519_keypair key;
    struct wallet_found found;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf path, name, value;
    sf_buf_init(&path, 4096);
    sf_buf_init(&name, 4096);
    sf_buf_init(&value, 4096);
    create(&w, WALLET_COLDKEY, "p\xc3\xa4ssword", address);
    assert_int_equal(wallet_key_path(&w, WALLET_COLDKEY, &path, NULL), SF_OK);
    key_password_variable(sf_buf_z(&path), &name);
    key_password_encode(sf_buf_z(&name), SF_STR("p\xc3\xa4ssword"), &value);

    assert_int_equal(wallet_open_key(&w, WALLET_COLDKEY, NULL, &key, NULL, &eb), SF_EINVAL);
    assert_non_null(strstr(eb.text, sf_buf_z(&name)));
    struct lock_arg arg = {sf_buf_z(&name), sf_buf_z(&value), "wrong", 0};
    struct wallet_unlock unlock = {variable, ask, &arg};
    assert_int_equal(wallet_open_key(&w, WALLET_COLDKEY, &unlock, &key, &found, &eb), SF_OK);
    assert_int_equal(arg.asked, 0);
    assert_int_equal(found.kind, VAULT_NACL);
    ss58_encode(key.public_key, read_back);
    assert_string_equal(read_back, address);
    arg.name = NULL;
    assert_int_equal(wallet_open_key(&w, WALLET_COLDKEY, &unlock, &key, &found, &eb), SF_EAUTH);
    assert_int_equal(arg.asked, 1);
    assert_non_null(strstr(eb.text, "wrong password"));
    sf_buf_fini(&path);
    sf_buf_fini(&name);
    sf_buf_fini(&value);
}

static void missing_and_bad_names_say_what_to_do(void **state)
{
    (void)state;
    char dir[] = "/tmp/storyfi-wallet-XXXXXX";
    struct wallet_names w = fresh_wallet(dir);
    struct sr25519_keypair key;
    struct sf_errbuf eb;
    assert_int_equal(wallet_read_hotkey(&w, &key, NULL, &eb), SF_ENOTFOUND);
    assert_non_null(strstr(eb.text, "storyfi wallet create"));
    static const char *const bad[] = {"", "../x", ".", "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        w.hotkey = bad[i];
        assert_int_equal(wallet_read_hotkey(&w, &key, NULL, &eb), SF_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyfiles_are_read_or_refused_with_the_reason),
        cmocka_unit_test(a_seed_written_as_it_is_is_read),
        cmocka_unit_test(a_person_may_type_words_a_seed_or_a_private_key),
        cmocka_unit_test(a_development_key_may_be_typed),
        cmocka_unit_test(an_encrypted_coldkey_opens_by_variable_or_by_asking),
        cmocka_unit_test(a_created_hotkey_is_read_back),
        cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(missing_and_bad_names_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

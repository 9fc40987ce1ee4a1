/* SPDX-License-Identifier: MIT */
#include "bittensor/vault.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/key_password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NACL_HEX                                                                                   \
    "244e41434c000102030405060708090a0b0c0d0e0f1011121314151617c2aa4f3620153b53beb9d2bb8ee72c8b"   \
    "1fecc48d0eca315d11d8fe05503b311ac190b1f348530b53007772d52ecd6d4e6523629944efa361e01af9fff7"   \
    "df0522173da352c9472abf750d2b5dccb62977637e"
#define ADDRESS "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"

static enum sf_err open_text(const char *content, size_t n, const char *password,
                             struct sf_buf *out, struct sf_errbuf *eb)
{
    sf_buf_init(out, 65536);
    return vault_open((struct sf_str){content, n}, sf_str(password), out, eb);
}

static void the_reference_nacl_file_opens(void **state)
{
    (void)state;
    uint8_t file[111];
    struct sf_buf out;
    struct sf_errbuf eb;
    assert_true(sf_hex_decode(SF_STR(NACL_HEX), file, sizeof file));
    assert_int_equal(open_text((const char *)file, sizeof file, "testing", &out, &eb), SF_OK);
    assert_string_equal(sf_buf_z(&out),
                        "{\"ss58Address\":\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\"}");
    sf_buf_wipe(&out);
    file[110] ^= 1; /* a changed tag or text looks like a wrong password */
    assert_int_equal(open_text((const char *)file, sizeof file, "testing", &out, &eb), SF_EAUTH);
    assert_int_equal(out.n, 0);
    assert_int_equal(open_text((const char *)file, 40, "testing", &out, &eb), SF_EPARSE);
}

static void older_kinds_open(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum vault_kind kind;
    } rows[] = {
        {SOURCE_DIR "/tests/data/wallet/hotkey.ansible", VAULT_ANSIBLE},
        {SOURCE_DIR "/tests/data/wallet/hotkey.fernet", VAULT_FERNET},
    };
    for (size_t i = 0; i < 2; i++) {
        struct sf_buf content, out;
        struct sf_errbuf eb = {.code = SF_OK};
        sf_buf_init(&content, 65536);
        assert_int_equal(sf_file_read(rows[i].file, &content, &eb), SF_OK);
        assert_int_equal(vault_kind_of(sf_buf_str(&content)), rows[i].kind);
        assert_int_equal(open_text(content.p, content.n, "testing", &out, &eb), SF_OK);
        assert_non_null(strstr(sf_buf_z(&out), ADDRESS));
        sf_buf_wipe(&out);
        assert_int_equal(open_text(content.p, content.n, "wrong", &out, &eb), SF_EAUTH);
        assert_int_equal(out.n, 0);
        sf_buf_fini(&out);
        /* Cut or damaged anywhere: refused, nothing comes out. */
        assert_int_not_equal(open_text(content.p, content.n - 16, "testing", &out, &eb), SF_OK);
        assert_int_equal(open_text(content.p, 20, "testing", &out, &eb), SF_EPARSE);
        sf_buf_fini(&content);
    }
}

static void an_indented_vault_opens(void **state)
{
    (void)state;
    struct sf_buf content, indented, out;
    struct sf_str rest, line;
    sf_buf_init(&content, 65536);
    sf_buf_init(&indented, 65536);
    assert_int_equal(sf_file_read(SOURCE_DIR "/tests/data/wallet/hotkey.ansible", &content, NULL),
                     SF_OK);
    for (rest = sf_buf_str(&content); sf_str_next(&rest, '\n', &line);) {
        sf_buf_printf(&indented, "%s%.*s\r\n", indented.n == 0 ? "" : "    ", SF_STR_ARG(line));
    }
    assert_int_equal(open_text(indented.p, indented.n, "testing", &out, NULL), SF_OK);
    sf_buf_wipe(&out);
    sf_buf_fini(&content);
    sf_buf_fini(&indented);
}

static void odd_passwords_are_refused_before_work_is_done(void **state)
{
    (void)state;
    char huge[VAULT_PASSWORD_MAX + 2];
    struct sf_buf out;
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(open_text("$NACLxxx", 8, "", &out, NULL), SF_EINVAL);
    assert_int_equal(open_text("$NACLxxx", 8, huge, &out, NULL), SF_EINVAL);
    assert_int_equal(open_text("{}", 2, "x", &out, NULL), SF_EINVAL);
}

static void the_password_variable_is_the_reference_one(void **state)
{
    (void)state;
    struct sf_buf name, value, password;
    struct sf_errbuf eb;
    sf_buf_init(&name, 256);
    sf_buf_init(&value, 256);
    sf_buf_init(&password, 256);
    key_password_variable("/root/.bittensor/wallets/default/coldkey", &name);
    assert_string_equal(sf_buf_z(&name), "BT_PW__ROOT__BITTENSOR_WALLETS_DEFAULT_COLDKEY");
    assert_int_equal(key_password_decode("BT_PW__USx", "c2ZsZGJpaG1q", &password, &eb), SF_OK);
    assert_string_equal(sf_buf_z(&password), "123456789");
    key_password_encode("BT_PW__USx", SF_STR("123456789"), &value);
    assert_string_equal(sf_buf_z(&value), "c2ZsZGJpaG1q");
    assert_int_equal(key_password_decode("BT_PW_X", "not base64!", &password, &eb), SF_EPARSE);
    assert_null(strstr(eb.text, "not base64!"));
    assert_int_equal(key_password_decode("BT_PW_X", "", &password, &eb), SF_EPARSE);
    sf_buf_fini(&name);
    sf_buf_fini(&value);
    sf_buf_wipe(&password);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_nacl_file_opens),
        cmocka_unit_test(older_kinds_open),
        cmocka_unit_test(an_indented_vault_opens),
        cmocka_unit_test(odd_passwords_are_refused_before_work_is_done),
        cmocka_unit_test(the_password_variable_is_the_reference_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

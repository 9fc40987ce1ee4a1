/* SPDX-License-Identifier: MIT */
#include "app/model_hub.h"

#include "app/model_pull.h"
#include "app/model_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_list_keeps_what_may_become_a_file(void **state)
{
    static const char text[] =
        "[{\"type\":\"file\",\"path\":\"a-Q4_K_M.gguf\",\"size\":7,\"lfs\":{\"oid\":"
        "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":9}},"
        "{\"type\":\"file\",\"path\":\"../a.gguf\"},{\"type\":\"file\",\"path\":\"/etc/a.gguf\"},"
        "{\"type\":\"directory\",\"path\":\"b.gguf\"},{\"type\":\"file\",\"path\":\"README.md\"},"
        "{\"path\":\"sub/c.Q8_0.gguf\",\"size\":-4,\"lfs\":{\"oid\":\"short\"}},{},3,null]";
    struct hub_files f;
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    assert_int_equal(hub_parse_list(sf_str(text), &f, &eb), SF_OK);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.v[0].path, "a-Q4_K_M.gguf");
    assert_int_equal(f.v[0].bytes, 9);
    assert_int_equal(strlen(f.v[0].sha256), 64);
    assert_string_equal(f.v[1].path, "sub/c.Q8_0.gguf");
    assert_int_equal(f.v[1].bytes, 0);
    assert_string_equal(f.v[1].sha256, "");
    hub_files_fini(&f);
    assert_int_equal(hub_parse_list(SF_STR("{\"error\":\"x\"}"), &f, &eb), SF_EPARSE);
    hub_files_fini(&f);
    assert_int_equal(hub_parse_list(SF_STR("<html>"), &f, &eb), SF_EPARSE);
    hub_files_fini(&f);
}

static void statuses_have_a_remedy_each(void **state)
{
    static const struct {
        int status;
        bool token;
        enum sf_err err;
        const char *says;
    } rows[] = {
        {401, false, SF_ECONFIG, "HF_TOKEN=hf_"},     {403, true, SF_ECONFIG, "accept its terms"},
        {404, false, SF_ENOTFOUND, "check the name"}, {429, false, SF_ERATE, "HF_TOKEN"},
        {503, false, SF_ETRANSIENT, "try later"},     {418, false, SF_EIO, "418"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_errbuf eb = {.code = SF_OK};
        assert_int_equal(hub_refusal(rows[i].status, "a/b", rows[i].token, NULL, &eb), rows[i].err);
        assert_non_null(strstr(eb.text, rows[i].says));
        assert_non_null(strstr(eb.text, "a/b"));
    }
}

static void addresses(void **state)
{
    struct sf_buf b;
    (void)state;
    sf_buf_init(&b, 500);
    hub_url("https://h", "a/b", "x y/Z[1]-Q4.gguf", &b);
    assert_string_equal(sf_buf_z(&b), "https://h/a/b/resolve/main/x%20y/Z%5B1%5D-Q4.gguf");
    sf_buf_fini(&b);
    assert_true(hub_same_origin("https://a.b/x", "https://A.b/y?z"));
    assert_false(hub_same_origin("https://a.b/x", "http://a.b/x"));
    assert_false(hub_same_origin("https://a.b/x", "https://a.b:444/x"));
    assert_false(hub_same_origin("https://a.b", "https://a.b.evil.org"));
    assert_true(hub_same_origin("https://a.b", "https://a.b/"));
}

static void types_stand_at_the_end_of_names(void **state)
{
    unsigned no, count;
    size_t stem;
    (void)state;
    assert_true(sf_str_is(pull_type_of("x-Q4_K_M.gguf"), "Q4_K_M"));
    assert_true(sf_str_is(pull_type_of("x.q8_0-00001-of-00002.gguf"), "q8_0"));
    assert_true(sf_str_is(pull_type_of("x-BF16.gguf"), "BF16"));
    assert_int_equal(pull_type_of("model.gguf").n, 0);
    assert_int_equal(pull_type_of("Qwen-Instruct.gguf").n, 0);
    assert_true(model_split_name("x-00002-of-00005.gguf", &no, &count, &stem));
    assert_int_equal(no, 2);
    assert_int_equal(count, 5);
    assert_int_equal(stem, 1);
    assert_false(model_split_name("x-00006-of-00005.gguf", &no, &count, &stem));
    assert_false(model_split_name("x-00000-of-00005.gguf", &no, &count, &stem));
    assert_false(model_split_name("-00001-of-00005.gguf", &no, &count, &stem));
    assert_false(model_split_name("x.gguf", &no, &count, &stem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_what_may_become_a_file),
        cmocka_unit_test(statuses_have_a_remedy_each),
        cmocka_unit_test(addresses),
        cmocka_unit_test(types_stand_at_the_end_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

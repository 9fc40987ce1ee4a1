/* SPDX-License-Identifier: MIT */
#include "generator/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum sf_err parse(const char *text, size_t max, struct sf_errbuf *eb)
{
    json_t *out = NULL, *answer = NULL;
    enum sf_err err = content_parse(sf_str(text), max, "the answer", &out, &answer, eb);
    assert_int_equal(err == SF_OK, out != NULL);
    assert_int_equal(err == SF_OK, answer != NULL);
    json_decref(out);
    json_decref(answer);
    return err;
}

static void content_may_be_an_object_or_a_text_with_one(void **state)
{
    static const char *const good[] = {
        "{\"content\":{}}", "{\"content\":\"{}\"}", "{\"generated_content\":{\"a\":1}}",
        "{\"content\":\"Here:\\n```json\\n{\\\"a\\\":1}\\n```\"}", "{\"content\":{},\"usage\":3}"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(parse(good[i], 1000, NULL), SF_OK);
    }
}

static void whatever_else_is_said_in_words(void **state)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "cut or malformed"},
        {"{\"content\":{}", "cut or malformed"},
        {"x{\"content\":{}}", "cut or malformed"},
        {"[]", "is an array"},
        {"3", "is a bare value"},
        {"{}", "has no \"content\""},
        {"{\"content\":null}", "has no \"content\""},
        {"{\"content\":[]}", "\"content\" is an array"},
        {"{\"content\":\"none\"}", "\"content\": the answer holds no JSON object"},
        {"{\"content\":{\"a\":\"0123456789012345678901234567890123456789\"}}", "cut or malformed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sf_errbuf eb = {.code = SF_OK};
        assert_int_equal(parse(bad[i].text, 48, &eb), SF_EINCOMPLETE);
        assert_non_null(strstr(eb.text, bad[i].words));
    }
}

static void info_of_a_serve_is_taken_over_within_bounds(void **state)
{
    json_t *v = NULL;
    struct gen_result r = {.name = "before", .version = "", .provider = ""};
    (void)state;
    assert_int_equal(
        json_parse(
            sf_str("{\"model_info\":{\"mode\":\"api\",\"name\":\"Q\\n3\",\"version\":7,"
                   "\"provider\":\"llama.cpp\",\"parameters\":{\"t\":1}},\"usage\":{\"prompt_"
                   "tokens\":-4,\"generated_tokens\":12,\"tokens_per_second\":3.5}}"),
            JSON_LIMITS_DEFAULT, &v, NULL),
        SF_OK);
    content_read_info(v, &r);
    assert_string_equal(r.name, "Q 3");
    assert_string_equal(r.version, "");
    assert_string_equal(r.provider, "llama.cpp");
    assert_int_equal(r.usage.prompt_tokens, 0);
    assert_int_equal(r.usage.generated_tokens, 12);
    assert_int_equal(json_object_size(r.parameters), 1);
    gen_result_fini(&r);
    json_decref(v);
}

static void foreign_text_is_cut_between_code_points(void **state)
{
    char out[6];
    (void)state;
    content_copy_text(sf_str("ab\xe7\x81\xaf\xe5\xa1\x94"), out, sizeof out);
    assert_string_equal(out, "ab\xe7\x81\xaf");
    content_copy_text(sf_str("a\x01\x7f\xff z"), out, sizeof out);
    assert_string_equal(out, "a  ");
    content_copy_text((struct sf_str){NULL, 0}, out, sizeof out);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_may_be_an_object_or_a_text_with_one),
        cmocka_unit_test(whatever_else_is_said_in_words),
        cmocka_unit_test(info_of_a_serve_is_taken_over_within_bounds),
        cmocka_unit_test(foreign_text_is_cut_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

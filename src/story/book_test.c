/* SPDX-License-Identifier: MIT */
#include "story/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char *render(const char *json)
{
    json_t *story = NULL;
    struct sf_buf out;
    sf_buf_init(&out, 16U << 20);
    assert_int_equal(json_parse(sf_str(json), JSON_LIMITS_DEFAULT, &story, NULL), SF_OK);
    assert_int_equal(story_book_render(story, &out), SF_OK);
    json_decref(story);
    return sf_buf_take(&out);
}

static void markup_in_the_story_stays_text(void **state)
{
    (void)state;
    char *html = render("{\"user_input\":\"</script><script>alert(1)</script><!--\"}");
    assert_null(strstr(html, "alert(1)</script>"));
    assert_non_null(strstr(html, "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"));
    free(html);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++) {
        n++;
    }
    return n;
}

/* Keys are the model's words too. */
static void no_story_changes_the_number_of_tags(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "{\"</script><script>\":\"x\"}",
        "{\"a\":\"<!--<script>\"}",
        "{\"a\":\"]]>--><img src=x onerror=alert(1)>\"}",
        "{\"blueprint\":{\"title\":\"</ScRiPt ><svg onload=alert(1)>\"}}",
        "{\"a\":\"</title></style></noscript>\"}",
        "{\"a\":\"\\u003c/script\\u003e\"}",
    };
    char *plain = render("{\"a\":\"x\"}");
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char *html = render(hostile[i]);
        assert_int_equal(count(html, "<"), count(plain, "<"));
        assert_int_equal(count(html, "-->"), count(plain, "-->"));
        free(html);
    }
    free(plain);
}

static void line_separators_are_escaped_and_other_text_is_not(void **state)
{
    (void)state;
    char *html = render("{\"a\":\"one\\u2028two\\u2029three\\u2027 \xe2\x80\xa6 \xe6\xb5\xb7\"}");
    assert_null(strstr(html, "\xe2\x80\xa8"));
    assert_null(strstr(html, "\xe2\x80\xa9"));
    assert_non_null(
        strstr(html, "one\\u2028two\\u2029three\xe2\x80\xa7 \xe2\x80\xa6 \xe6\xb5\xb7"));
    free(html);
}

static void every_part_is_filled_in(void **state)
{
    (void)state;
    char *html = render("{\"user_input\":\"x\"}");
    static const char *const left[] = {"@CSS_HASH@", "@JS_HASH@", "@CSS@",
                                       "@JS@",       "@STORY@",   "@VERSION@"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_null(strstr(html, left[i]));
    }
    assert_non_null(strstr(html, "</html>"));
    free(html);
}

static void the_policy_allows_two_hashes_and_nothing_else(void **state)
{
    (void)state;
    char *html = render("{}");
    assert_non_null(strstr(html, "default-src 'none'; style-src 'sha256-"));
    assert_non_null(strstr(html, "; script-src 'sha256-"));
    assert_int_equal(count(html, "'sha256-"), 2);
    assert_null(strstr(html, "unsafe-"));
    assert_null(strstr(html, " nonce="));
    free(html);
}

static void the_same_story_gives_the_same_bytes(void **state)
{
    (void)state;
    char *a = render("{\"user_input\":\"x\"}"), *b = render("{\"user_input\":\"x\"}");
    assert_string_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_the_story_stays_text),
        cmocka_unit_test(no_story_changes_the_number_of_tags),
        cmocka_unit_test(line_separators_are_escaped_and_other_text_is_not),
        cmocka_unit_test(every_part_is_filled_in),
        cmocka_unit_test(the_policy_allows_two_hashes_and_nothing_else),
        cmocka_unit_test(the_same_story_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

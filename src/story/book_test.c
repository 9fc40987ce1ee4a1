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

static void every_part_is_filled_in(void **state)
{
    (void)state;
    char *html = render("{\"user_input\":\"x\"}");
    static const char *const left[] = {"@NONCE@", "@CSS@", "@JS@", "@STORY@", "@VERSION@"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_null(strstr(html, left[i]));
    }
    assert_non_null(strstr(html, "</html>"));
    free(html);
}

static void two_books_have_two_nonces(void **state)
{
    (void)state;
    char *a = render("{}"), *b = render("{}");
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_the_story_stays_text),
        cmocka_unit_test(every_part_is_filled_in),
        cmocka_unit_test(two_books_have_two_nonces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

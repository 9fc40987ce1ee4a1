/* SPDX-License-Identifier: MIT */
#include "base/roff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void made(const char *text, const char *want)
{
    struct sf_buf b;
    sf_buf_init(&b, 4096);
    roff_text(&b, text);
    assert_int_equal(b.err, SF_OK);
    assert_string_equal(sf_buf_z(&b), want);
    sf_buf_fini(&b);
}

static void what_roff_would_take_for_its_own_is_escaped(void **state)
{
    (void)state;
    made(".so /etc/passwd", "\\&.so /etc/passwd\n");
    made("'tis --x ~/a\\b", "\\(aqtis \\-\\-x \\(ti/a\\eb\n");
    made("a … 狐", "a \\[u2026] \\[u72D0]\n");
    made("a\n.so b", "a .so b\n"); /* lines are joined: no request can begin in them */
}

static void quoted_words_are_bold_and_a_lone_quote_is_itself(void **state)
{
    (void)state;
    made("see `axon.port`; it`s", "see \\fBaxon.port\\fR; it\\(gas\n");
}

static void an_empty_line_begins_a_paragraph(void **state)
{
    (void)state;
    made("one\ntwo\n\n.three", "one two\n.PP\n\\&.three\n");
}

static void a_head_has_its_title_and_its_name(void **state)
{
    (void)state;
    struct sf_buf b;
    sf_buf_init(&b, 4096);
    roff_head(&b, &(struct roff_page){"a-b", "1", "2026-11-24", "x 1", "Commands", "Does it."});
    assert_string_equal(sf_buf_z(&b), ".\\\" SPDX-License-Identifier: MIT\n"
                                      ".\\\" Made by storyfi man.\n"
                                      ".TH A\\-B 1 \"2026-11-24\" \"x 1\" \"Commands\"\n"
                                      ".nh\n.ad l\n"
                                      ".SH NAME\na\\-b \\- Does it\n");
    sf_buf_clear(&b);
    roff_item(&b, "--x", "A|B");
    roff_reference(&b, "a-b", "1", ",");
    assert_string_equal(sf_buf_z(&b), ".TP\n\\fB\\-\\-x\\fR \\fIA|B\\fR\n.BR a\\-b (1),\n");
    sf_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_roff_would_take_for_its_own_is_escaped),
        cmocka_unit_test(quoted_words_are_bold_and_a_lone_quote_is_itself),
        cmocka_unit_test(an_empty_line_begins_a_paragraph),
        cmocka_unit_test(a_head_has_its_title_and_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "conf/dotenv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    struct sf_buf text; /* "NAME=[value]" or "LINE: problem" a line */
};

static void note(void *arg, const struct dotenv_entry *e, unsigned line, const char *problem)
{
    struct seen *s = arg;
    if (e == NULL) {
        sf_buf_printf(&s->text, "%u: %s\n", line, problem);
    } else {
        sf_buf_printf(&s->text, "%.*s=[%.*s]\n", SF_STR_ARG(e->name), SF_STR_ARG(e->value));
    }
}

static void assert_reads(const char *text, const char *expected)
{
    struct seen s;
    sf_buf_init(&s.text, 1U << 20);
    assert_int_equal(dotenv_parse(sf_str(text), note, &s, NULL), SF_OK);
    assert_string_equal(sf_buf_z(&s.text), expected);
    sf_buf_fini(&s.text);
}

static void every_form_of_a_value(void **state)
{
    (void)state;
    assert_reads("A=b\nexport C=d\n  export\tE = f \n", "A=[b]\nC=[d]\nE=[f]\n");
    assert_reads("export A=\"sk-1\"\nB='x y'\n", "A=[sk-1]\nB=[x y]\n");
    assert_reads("A=\"a\\n\\\"b\\\" \\$C \\q\"\nB='a\\n'\n", "A=[a\n\"b\" $C \\q]\nB=[a\\n]\n");
    assert_reads("# no\n\nA=b # why\nB=b#c\nC=#\nD=\"#\" # d\n", "A=[b]\nB=[b#c]\nC=[]\nD=[#]\n");
    assert_reads("A=\nB=\"\"\nC=a=b\n", "A=[]\nB=[]\nC=[a=b]\n");
    assert_reads("A=b\r\nB='c'\r\n", "A=[b]\nB=[c]\n");
    assert_reads("\xef\xbb\xbf"
                 "A=b",
                 "A=[b]\n");
    assert_reads("exported=1\nexport=2\n", "exported=[1]\nexport=[2]\n");
}

static void what_is_no_assignment_is_reported_and_skipped(void **state)
{
    (void)state;
    const char *no = "not an assignment: write NAME=value";
    char expected[256];
    (void)snprintf(expected, sizeof expected, "1: %s\nA=[1]\n", no);
    assert_reads("pip install openai\nA=1\n", expected);
    (void)snprintf(expected, sizeof expected, "1: %s\n2: %s\n3: %s\n", no, no, no);
    assert_reads("1A=2\n=x\nexport\n", expected);
    assert_reads("A=\"b\nB=1\n",
                 "1: the closing quote is missing (a value must end on its line)\nB=[1]\n");
    assert_reads("A='b' c\n", "1: text behind the closing quote\n");
}

static void sizes_and_nul_are_bounded(void **state)
{
    (void)state;
    static char big[DOTENV_MAX_BYTES + 2];
    struct seen s;
    sf_buf_init(&s.text, 1U << 20);
    memset(big, 'a', sizeof big);
    assert_int_equal(dotenv_parse((struct sf_str){big, sizeof big}, note, &s, NULL), SF_ELIMIT);
    memcpy(big, "A=", 2);
    assert_int_equal(dotenv_parse((struct sf_str){big, DOTENV_MAX_VALUE + 10}, note, &s, NULL),
                     SF_OK);
    assert_int_equal(dotenv_parse(SF_STR("B=a\0b\n"), note, &s, NULL), SF_OK);
    assert_string_equal(sf_buf_z(&s.text), "1: the value is too long\n1: a NUL character\n");
    sf_buf_fini(&s.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_value),
        cmocka_unit_test(what_is_no_assignment_is_reported_and_skipped),
        cmocka_unit_test(sizes_and_nul_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

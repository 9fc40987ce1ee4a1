/* SPDX-License-Identifier: MIT */
#include "app/doctor_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOON 1795521600 /* Tue, 24 Nov 2026 12:00:00 GMT */

static void expect_last(const struct doctor_report *r, enum gen_verdict verdict, const char *text)
{
    assert_true(r->n > 0);
    const struct gen_check *c = &r->list[r->n - 1].check;
    if (c->verdict != verdict || strstr(c->text, text) == NULL) {
        fail_msg("\"%s\" in \"%s\", verdict %d", text, c->text, (int)c->verdict);
    }
}

static void the_clock_is_compared_with_a_date(void **state)
{
    static const struct {
        const char *date;
        enum gen_verdict verdict;
        const char *text;
    } cases[] = {
        {"Tue, 24 Nov 2026 12:00:00 GMT", GEN_CHECK_OK, "agrees with http://x"},
        {"Tue, 24 Nov 2026 11:59:58 GMT", GEN_CHECK_OK, "agrees"},
        {"Tue, 24 Nov 2026 12:00:03 GMT", GEN_CHECK_WARN, "3 s behind that of"},
        {"Tue, 24 Nov 2026 12:00:05 GMT", GEN_CHECK_FAIL, "5 s behind that of"},
        {"Tue, 24 Nov 2026 11:00:00 GMT", GEN_CHECK_FAIL, "3600 s ahead of that of"},
        {"yesterday", GEN_CHECK_WARN, "not checked"},
        {"Tue, 24 Nov 2026 12:00:00 GMT and more", GEN_CHECK_WARN, "not checked"},
        {"", GEN_CHECK_WARN, "not checked"},
    };
    struct doctor_report r = {.n = 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        doctor_judge_clock(&r, sf_str(cases[i].date), NOON, "http://x");
        expect_last(&r, cases[i].verdict, cases[i].text);
    }
    assert_false(doctor_is_well(&r));
    doctor_fini(&r);
}

static void disk_and_limits_are_judged(void **state)
{
    struct doctor_report r = {.n = 0};
    (void)state;
    doctor_judge_disk(&r, -1, 100);
    expect_last(&r, GEN_CHECK_WARN, "not checked");
    doctor_judge_disk(&r, INT64_C(5000000000), 1000000000);
    expect_last(&r, GEN_CHECK_OK, "5.0 GB free");
    doctor_judge_disk(&r, 500000000, 1000000000);
    expect_last(&r, GEN_CHECK_WARN, "500 MB free, the journal may take 1.0 GB");
    assert_true(doctor_is_well(&r));
    doctor_judge_disk(&r, 5000000, 1000000000);
    expect_last(&r, GEN_CHECK_FAIL, "5 MB free");
    assert_false(doctor_is_well(&r));
    doctor_judge_limits(&r, 1024, 0, 1024);
    assert_int_equal(r.list[r.n - 2].check.verdict, GEN_CHECK_WARN);
    expect_last(&r, GEN_CHECK_OK, "off");
    doctor_judge_limits(&r, -1, -1, 1024);
    assert_int_equal(r.list[r.n - 2].check.verdict, GEN_CHECK_OK);
    expect_last(&r, GEN_CHECK_WARN, "write keys to disk");
    doctor_fini(&r);
}

static void a_report_has_an_end(void **state)
{
    struct doctor_report r = {.n = 0};
    (void)state;
    for (size_t i = 0; i < 2 * DOCTOR_LINES_MAX; i++) {
        doctor_say(&r, GEN_CHECK_OK, "what", "", "%zu", i);
    }
    assert_true(r.n > 100 && r.n <= DOCTOR_LINES_MAX);
    doctor_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_is_compared_with_a_date),
        cmocka_unit_test(disk_and_limits_are_judged),
        cmocka_unit_test(a_report_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/log_repeat.h"

#include "base/clock.h"
#include "base/log_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t now_ms;

static int64_t fake_now(void)
{
    return now_ms;
}

static bool pass(const char *message, uint64_t *left_out)
{
    return log_repeat_pass(LOG_WARN, LOG_AXON, message, left_out);
}

static void forget(void)
{
    struct log_repeated r;
    now_ms += 60000;
    while (log_repeat_take(true, &r)) {
    }
}

static void a_few_a_minute_and_then_the_count(void **state)
{
    uint64_t left_out = 99;
    (void)state;
    for (int i = 0; i < LOG_REPEAT_PER_MINUTE; i++) {
        assert_true(pass("again", &left_out));
        assert_int_equal(left_out, 0);
    }
    for (int i = 0; i < 1000; i++) {
        now_ms += 59;
        assert_false(pass("again", &left_out));
    }
    now_ms += 1000;
    assert_true(pass("again", &left_out));
    assert_int_equal(left_out, 1000);
    assert_true(pass("again", &left_out));
    assert_int_equal(left_out, 0);
    forget();
}

static void what_stands_behind_a_colon_makes_no_other_event(void **state)
{
    uint64_t left_out;
    char text[64];
    int passed = 0;
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "answered by b after a failed: request %d is bad", i);
        passed += pass(text, &left_out);
    }
    assert_int_equal(passed, LOG_REPEAT_PER_MINUTE);
    assert_true(pass("answered by c after a failed: no", &left_out));
    assert_true(log_repeat_pass(LOG_WARN, LOG_HTTP, "answered by b after a failed", &left_out));
    forget();
}

static void the_count_is_told_when_nothing_follows(void **state)
{
    struct log_repeated r;
    uint64_t left_out;
    (void)state;
    for (int i = 0; i < 12; i++) {
        (void)pass("burst", &left_out);
    }
    assert_false(log_repeat_take(false, &r));
    now_ms += 60000;
    assert_true(log_repeat_take(false, &r));
    assert_string_equal(r.message, "burst");
    assert_int_equal(r.left_out, 12 - LOG_REPEAT_PER_MINUTE);
    assert_int_equal(r.level, LOG_WARN);
    assert_int_equal(r.area, LOG_AXON);
    assert_false(log_repeat_take(true, &r));
}

static void a_full_table_leaves_nothing_out(void **state)
{
    uint64_t left_out;
    char text[32];
    (void)state;
    now_ms += 60000;
    for (int i = 0; i < 4 * LOG_REPEAT_EVENTS; i++) {
        (void)snprintf(text, sizeof text, "event %d", i);
        assert_true(pass(text, &left_out));
    }
    now_ms += 60000; /* those are over: there is room again */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pass("new", &left_out), i < LOG_REPEAT_PER_MINUTE);
    }
    forget();
}

/* ---- through the log ------------------------------------------------------------------------- */

static char path[] = "/tmp/storyfi-log-XXXXXX";

static size_t lines_with(const char *word, char *out, size_t n)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    size_t found = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strstr(line, word) != NULL) {
            found++;
            (void)snprintf(out, n, "%s", line);
        }
    }
    (void)fclose(f);
    return found;
}

static void the_log_counts_and_status_lines_are_always_there(void **state)
{
    char last[4096] = "";
    (void)state;
    assert_int_equal(log_file_open(&(struct log_file_options){.path = path}), 0);
    for (int i = 0; i < 50; i++) {
        log_event(LOG_WARN, LOG_CHAIN, "target fails", LOG_I("times", i));
        log_status("✅ Mode %d", i);
        log_each(LOG_WARN, LOG_CONF, "one of a list", LOG_I("number", i));
    }
    assert_int_equal(lines_with("target fails", last, sizeof last), LOG_REPEAT_PER_MINUTE);
    assert_int_equal(lines_with("Mode", last, sizeof last), 50);
    assert_int_equal(lines_with("one of a list", last, sizeof last), 50);
    now_ms += 60000;
    log_tell_repeated(false);
    assert_int_equal(lines_with("target fails", last, sizeof last), LOG_REPEAT_PER_MINUTE + 1);
    assert_non_null(strstr(last, "warn chain msg=\"target fails\" left_out=45"));
    log_set_level(LOG_DEBUG);
    for (int i = 0; i < 50; i++) {
        log_event(LOG_WARN, LOG_CHAIN, "at debug", LOG_I("i", i));
    }
    log_set_level(LOG_WARN);
    assert_int_equal(lines_with("at debug", last, sizeof last), 50);
    log_file_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_a_minute_and_then_the_count),
        cmocka_unit_test(what_stands_behind_a_colon_makes_no_other_event),
        cmocka_unit_test(the_count_is_told_when_nothing_follows),
        cmocka_unit_test(a_full_table_leaves_nothing_out),
        cmocka_unit_test(the_log_counts_and_status_lines_are_always_there),
    };
    sf_clock_inject(fake_now, NULL);
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0 || freopen("/dev/null", "w", stderr) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}

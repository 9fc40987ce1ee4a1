/* SPDX-License-Identifier: MIT */
#include "base/log_file.h"

#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-logfile-XXXXXX";
static char path[64];

static int fresh(void **state)
{
    static int n;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/%d.log", dir, n++);
    return 0;
}

static int shut(void **state)
{
    (void)state;
    log_file_close();
    return 0;
}

static void open_with(int64_t max_bytes, int keep)
{
    assert_int_equal(log_file_open(&(struct log_file_options){path, max_bytes, keep}), 0);
}

static enum log_file_state say(const char *line)
{
    uint64_t lost;
    return log_file_write(sf_str(line), &lost);
}

static void holds(const char *suffix, const char *expected)
{
    char name[80];
    struct sf_buf b;
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    sf_buf_init(&b, 4096);
    enum sf_err err = sf_file_read(name, &b, NULL);
    if (expected == NULL) {
        assert_int_equal(err, SF_ENOTFOUND);
    } else {
        assert_int_equal(err, SF_OK);
        assert_string_equal(sf_buf_z(&b), expected);
    }
    sf_buf_fini(&b);
}

static void a_file_that_grows_is_renamed_and_so_many_are_kept(void **state)
{
    (void)state;
    open_with(16, 2);
    for (const char *p = "abcde"; *p != '\0'; p++) {
        char line[] = "0123456\n";
        line[0] = *p;
        assert_int_equal(say(line), LOG_FILE_FINE);
        assert_int_equal(say(line), LOG_FILE_FINE);
    }
    holds("", "e123456\ne123456\n");
    holds(".1", "d123456\nd123456\n");
    holds(".2", "c123456\nc123456\n");
    holds(".3", NULL);
    log_file_limit(0, 2);
    assert_int_equal(say("more\n"), LOG_FILE_FINE);
    holds("", "e123456\ne123456\nmore\n");
    log_file_limit(16, 0);
    assert_int_equal(say("anew\n"), LOG_FILE_FINE);
    holds("", "anew\n");
    holds(".1", "d123456\nd123456\n");
}

static void a_file_that_was_moved_away_is_opened_anew(void **state)
{
    char aside[80];
    (void)state;
    (void)snprintf(aside, sizeof aside, "%s.moved", path);
    open_with(0, 4);
    assert_int_equal(say("one\n"), LOG_FILE_FINE);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(say("two\n"), LOG_FILE_FINE);
    log_file_reopen();
    assert_int_equal(say("three\n"), LOG_FILE_FINE);
    holds(".moved", "one\ntwo\n");
    holds("", "three\n");
}

static void a_file_that_was_emptied_is_not_renamed(void **state)
{
    (void)state;
    open_with(16, 4);
    assert_int_equal(say("0123456789012\n"), LOG_FILE_FINE);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(say("new line\n"), LOG_FILE_FINE);
    holds("", "new line\n");
    holds(".1", NULL);
}

/* A limit on the size of files stands for a full disk: half a line goes in, then none. */
static void a_full_disk_is_told_once_and_it_recovers(void **state)
{
    struct rlimit was, small;
    uint64_t lost = 99;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    open_with(0, 4);
    assert_int_equal(say("0123456\n"), LOG_FILE_FINE);
    small = (struct rlimit){.rlim_cur = 12, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(say("abcdefg\n"), LOG_FILE_FAILS);
    assert_int_equal(errno, EFBIG);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(say("hijklmn\n"), LOG_FILE_FINE);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(log_file_write(sf_str("after\n"), &lost), LOG_FILE_WORKS_AGAIN);
    assert_int_equal(lost, 21);
    assert_int_equal(say("again\n"), LOG_FILE_FINE);
    holds("", "0123456\nabcd\nafter\nagain\n");
}

static void a_place_that_is_not_there_is_an_error(void **state)
{
    char none[80];
    (void)state;
    (void)snprintf(none, sizeof none, "%s/none/x.log", dir);
    assert_int_equal(log_file_open(&(struct log_file_options){none, 0, 1}), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(say("nowhere\n"), LOG_FILE_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_grows_is_renamed_and_so_many_are_kept, fresh,
                                        shut),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_opened_anew, fresh, shut),
        cmocka_unit_test_setup_teardown(a_file_that_was_emptied_is_not_renamed, fresh, shut),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_once_and_it_recovers, fresh, shut),
        cmocka_unit_test_setup_teardown(a_place_that_is_not_there_is_an_error, fresh, shut),
    };
    if (mkdtemp(dir) == NULL) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

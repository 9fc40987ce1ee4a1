/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_TEST_H
#define SF_JOURNAL_JOURNAL_TEST_H

/* What the journal's tests share. Each includes journal.c first, to reach its statics. */

#include "base/file.h"
#include "journal/journal_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_NS INT64_C(3600000000000)
#define DAY_NS (24 * HOUR_NS)

static char folder[] = "/tmp/storyfi-journal-XXXXXX";
static char path[128];
static int64_t wall = INT64_C(1800000000000000000);

static int64_t wall_now(void)
{
    return wall;
}

static int fresh_path(void **state)
{
    static int n;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/%d/journal.db", folder, n++);
    return 0;
}

static int to_real_clock(void **state)
{
    (void)state;
    sf_clock_inject(NULL, NULL);
    sf_mem_fail_after(-1, 0);
    return 0;
}

static struct journal *open_quick(void)
{
    struct journal_options o = journal_options_default();
    struct journal *j = NULL;
    o.path = path;
    o.commit_ms = 10;
    o.retry_ms = 20;
    assert_int_equal(journal_open(&o, &j), SF_OK);
    return j;
}

__attribute__((unused)) static struct journal_reader *reader(void)
{
    struct journal_reader *r = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = journal_reader_open(path, &r, &eb);
    if (err != SF_OK) {
        fail_msg("%s", sf_err_text(&eb, err));
    }
    return r;
}

static struct journal_request plain(int64_t id)
{
    return (struct journal_request){.id = id,
                                    .origin = "validator",
                                    .hotkey = "5Grw",
                                    .uid = -1,
                                    .task = "blueprint",
                                    .user_input = "the sea",
                                    .received_ns = sf_wall_ns(),
                                    .deadline_ms = 12000,
                                    .took_ms = 1500,
                                    .status = 200,
                                    .technical = -1,
                                    .structure = -1};
}

static int64_t count(const char *sql)
{
    sqlite3 *db = NULL;
    struct sf_errbuf eb;
    assert_int_equal(journal_db_open_readonly(path, &db, &eb), SF_OK);
    int64_t n = journal_db_number(db, sql, -1);
    (void)sqlite3_close(db);
    return n;
}

__attribute__((unused)) static int64_t put_plain(struct journal *j)
{
    struct journal_request r = plain(journal_next_id(j));
    journal_put(j, &r);
    return r.id;
}

__attribute__((unused)) static void put_full(struct journal *j, int64_t id)
{
    const struct journal_attempt tries[] = {
        {"SF_ETRANSIENT", "HTTP 500", 0, 400, false, 10, 0, 0, 1, 0.0},
        {"SF_EINCOMPLETE", "cut", 700, 900, false, 100, 20, 50, 1, 0.25},
    };
    const struct journal_attempt one[] = {{"SF_OK", NULL, 1700, 300, false, 30, 0, 60, 0, 0}};
    const struct journal_step steps[] = {
        {"local", "local", NULL, JOURNAL_SKIPPED, "SF_EUNAVAILABLE", "loading", 0, 0, false, NULL,
         0},
        {"openai", "api", "openai:…1234", JOURNAL_FAILED, "SF_EINCOMPLETE", "cut \xff off", 0, 1650,
         false, tries, 2},
        {"mine", "custom", NULL, JOURNAL_ANSWERED, "SF_OK", NULL, 1700, 300, true, one, 1},
    };
    struct journal_request r = plain(id);
    r.uid = 7;
    r.story_id = "story-1";
    r.generator = "mine";
    r.kind = "custom";
    r.model = "mine.py";
    r.technical = 30;
    r.structure = 37.5;
    r.seed = UINT64_MAX;
    r.output = "{\"title\":\"海\"}";
    r.model_info = "{\"mode\":\"custom\"}";
    r.steps = steps;
    r.n_steps = 3;
    journal_put(j, &r);
}

/* All tests in a folder of their own, which goes when they pass. */
#define JOURNAL_TESTS_RUN(tests)                                                                   \
    (mkdtemp(folder) == NULL ? 1 : remove_folder(cmocka_run_group_tests(tests, NULL, NULL)))

static int remove_folder(int failed)
{
    pid_t child = failed == 0 ? fork() : -1;
    if (child == 0) {
        (void)execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
        _exit(1);
    }
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return failed;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh_path, to_real_clock)

#endif

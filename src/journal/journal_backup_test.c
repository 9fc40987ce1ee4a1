/* SPDX-License-Identifier: MIT */
#include "journal.c"

#include "journal/journal_backup.h"
#include "journal/journal_export.h"
#include "journal/journal_test.h"

#include <fcntl.h>

static char copy_path[160];

static const char *copy_name(void)
{
    (void)snprintf(copy_path, sizeof copy_path, "%s.copy", path);
    (void)unlink(copy_path);
    return copy_path;
}

static int64_t count_in(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    int64_t n = journal_db_number(db, sql, -1);
    (void)sqlite3_close(db);
    return n;
}

struct writing {
    struct journal *j;
    atomic_bool stop;
};

static void *write_on(void *arg)
{
    struct writing *w = arg;
    while (!atomic_load(&w->stop)) {
        put_full(w->j, journal_next_id(w->j));
        (void)journal_flush(w->j, 2000);
    }
    return NULL;
}

static void a_copy_is_whole_while_the_journal_is_written(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct writing w = {.j = open_quick()};
    pthread_t thread;
    (void)state;
    put_full(w.j, journal_next_id(w.j));
    assert_true(journal_flush(w.j, 5000));
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    for (int i = 0; i < 5; i++) {
        int64_t before = count("SELECT count(*) FROM requests");
        enum sf_err err = journal_backup(path, copy_name(), &eb);
        int64_t after = count("SELECT count(*) FROM requests");
        if (err != SF_OK) {
            fail_msg("%s", eb.text);
        }
        assert_int_equal(journal_verify(copy_path, &eb), SF_OK);
        int64_t n = count_in(copy_path, "SELECT count(*) FROM requests");
        assert_in_range(n, before, after);
        assert_int_equal(count_in(copy_path, "SELECT count(*) FROM answers"), n);
        char wal[176];
        (void)snprintf(wal, sizeof wal, "%s-wal", copy_path);
        assert_int_not_equal(access(wal, F_OK), 0);
    }
    atomic_store(&w.stop, true);
    (void)pthread_join(thread, NULL);
    journal_close(w.j);
}

static void a_copy_never_replaces_a_file(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    journal_close(open_quick());
    assert_int_equal(journal_backup(path, copy_name(), &eb), SF_OK);
    assert_int_equal(journal_backup(path, copy_path, &eb), SF_EIO);
    assert_int_equal(journal_verify(copy_path, &eb), SF_OK);
}

static void what_is_no_journal_is_refused(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    sqlite3 *db = NULL;
    (void)state;
    assert_int_equal(journal_backup(path, copy_name(), &eb), SF_ENOTFOUND);
    journal_close(open_quick());
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
    (void)sqlite3_close(db);
    assert_int_equal(journal_backup(path, copy_name(), &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "newer storyfi"));
    assert_int_equal(journal_verify(path, &eb), SF_ECONFIG);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "no database at all", 18, 0), 18);
    (void)close(fd);
    assert_int_equal(journal_verify(path, &eb), SF_EPARSE);
    assert_int_equal(journal_backup(path, copy_name(), &eb), SF_EPARSE);
}

static void a_page_that_makes_no_sense_is_found(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal *j = open_quick();
    char junk[2048];
    (void)state;
    for (int i = 0; i < 50; i++) {
        put_full(j, journal_next_id(j));
    }
    journal_close(j);
    memset(junk, 0x5a, sizeof junk);
    for (off_t page = 1; page < 12; page++) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
        (void)close(fd);
    }
    assert_int_equal(journal_verify(path, &eb), SF_EPARSE);
    assert_int_equal(journal_backup(path, copy_name(), &eb), SF_EPARSE);
}

static void a_journal_in_use_is_not_retired(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal *j = open_quick();
    char wal[160];
    (void)state;
    (void)put_plain(j);
    assert_true(journal_flush(j, 5000));
    assert_int_equal(journal_retire(path, &eb), SF_EBUSY);
    assert_non_null(strstr(eb.text, "another program has it open"));
    journal_close(j);
    assert_int_equal(journal_retire(path, &eb), SF_OK);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_not_equal(access(wal, F_OK), 0);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
    assert_int_equal(journal_retire("/nowhere/journal.db", &eb), SF_OK);
}

/* ---- exporting ------------------------------------------------------------------------------- */

struct seen {
    int64_t ids[2000];
    size_t n, stop_at;
};

static enum sf_err see(void *arg, const json_t *request)
{
    struct seen *s = arg;
    assert_true(json_get_int(request, "id", &s->ids[s->n++]));
    assert_non_null(json_object_get(request, "answer"));
    assert_non_null(json_get_array(request, "steps"));
    return s->n == s->stop_at ? SF_EIO : SF_OK;
}

static void all_are_exported_oldest_first_over_many_pages(void **state)
{
    static struct seen s;
    struct journal_filter f = {.limit = 1};
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal *j = open_quick();
    (void)state;
    for (int i = 0; i < 1203; i++) {
        (void)put_plain(j);
    }
    put_full(j, journal_next_id(j));
    journal_close(j);
    assert_int_equal(journal_export(path, &f, see, &s, &eb), SF_OK);
    assert_int_equal(s.n, 1204);
    for (size_t i = 1; i < s.n; i++) {
        assert_true(s.ids[i] > s.ids[i - 1]);
    }
    s = (struct seen){.stop_at = 3};
    assert_int_equal(journal_export(path, &f, see, &s, &eb), SF_EIO);
    assert_int_equal(s.n, 3);
    s = (struct seen){.n = 0};
    f = (struct journal_filter){.generator = "mine"};
    assert_int_equal(journal_export(path, &f, see, &s, &eb), SF_OK);
    assert_int_equal(s.n, 1);
    s = (struct seen){.n = 0};
    f = (struct journal_filter){.since_ns = sf_wall_ns() + HOUR_NS};
    assert_int_equal(journal_export(path, &f, see, &s, &eb), SF_OK);
    assert_int_equal(s.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_copy_is_whole_while_the_journal_is_written),
        CASE(a_copy_never_replaces_a_file),
        CASE(what_is_no_journal_is_refused),
        CASE(a_page_that_makes_no_sense_is_found),
        CASE(a_journal_in_use_is_not_retired),
        CASE(all_are_exported_oldest_first_over_many_pages),
    };
    (void)wall_now;
    return JOURNAL_TESTS_RUN(tests);
}

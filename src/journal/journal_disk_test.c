/* SPDX-License-Identifier: MIT */
#include "journal.c"

#include "journal/journal_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- retention ------------------------------------------------------------------------------- */

static void retain_all(struct journal *j)
{
    bool more = true;
    for (int i = 0; i < 10000 && more; i++) {
        assert_int_equal(journal_retain(j, &more), SQLITE_OK);
    }
    assert_false(more);
}

/* An opened journal without its thread: the test is the writer. */
static struct journal *open_alone(int64_t keep_days, int64_t max_bytes)
{
    struct journal *j = open_quick();
    (void)pthread_mutex_lock(&j->lock);
    j->stopping = true;
    (void)pthread_cond_signal(&j->changed);
    (void)pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->thread, NULL);
    journal_set_limits(j, keep_days, max_bytes);
    assert_non_null(j->db);
    return j;
}

static void what_is_too_old_goes(void **state)
{
    (void)state;
    sf_clock_inject(NULL, wall_now);
    int64_t before = wall;
    struct journal *j = open_quick();
    for (int i = 0; i < 250; i++) {
        put_full(j, journal_next_id(j));
    }
    assert_true(journal_flush(j, 20000));
    wall += 2 * DAY_NS;
    put_full(j, journal_next_id(j));
    journal_put_state(j, &(struct journal_state){before, "a", "local", "x", "y", ""});
    journal_put_standing(j, &(struct journal_standing){.wall_ns = before, .hotkey = "5Hot"});
    journal_close(j);
    j = open_alone(3, INT64_C(1) << 30);
    retain_all(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 251);
    assert_int_equal(count("SELECT count(*) FROM standings"), 1);
    journal_set_limits(j, 1, INT64_C(1) << 30);
    retain_all(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
    assert_int_equal(count("SELECT count(*) FROM steps"), 3);
    assert_int_equal(count("SELECT count(*) FROM attempts"), 3);
    assert_int_equal(count("SELECT count(*) FROM answers"), 1);
    assert_int_equal(count("SELECT count(*) FROM generator_states"), 0);
    assert_int_equal(count("SELECT count(*) FROM standings"), 0);
    assert_int_equal(count("SELECT sum(failures) FROM tallies"), 1);
    destroy(j);
    wall = before;
}

static void a_clock_set_ahead_throws_nothing_away(void **state)
{
    int64_t before = wall;
    (void)state;
    sf_clock_inject(NULL, wall_now);
    struct journal *j = open_quick();
    put_full(j, journal_next_id(j));
    assert_true(journal_flush(j, 20000));
    journal_close(j);
    j = open_alone(1, INT64_C(1) << 30);
    wall += 4000 * DAY_NS;
    retain_all(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
    assert_int_equal(count("SELECT count(*) FROM tallies"), 2);
    wall = before - 4000 * DAY_NS; /* and one set back neither */
    retain_all(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
    destroy(j);
    wall = before;
}

static void what_is_too_much_goes_and_space_is_given_back(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    struct sf_buf big;
    sf_buf_init(&big, 1U << 20);
    while (big.n < 20000) {
        sf_buf_puts(&big, "[\"some text of a story\"]");
    }
    for (int i = 0; i < 400; i++) {
        struct journal_request r = plain(journal_next_id(j));
        r.output = sf_buf_z(&big);
        journal_put(j, &r);
        if (i % 100 == 99) {
            assert_true(journal_flush(j, 20000));
        }
    }
    put_full(j, journal_next_id(j));
    journal_close(j);
    sf_buf_fini(&big);
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    assert_true(before.st_size > 6000000);
    j = open_alone(30, 2000000);
    retain_all(j);
    destroy(j);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size <= 2000000);
    assert_in_range(count("SELECT count(*) FROM requests"), 1, 120);
    assert_int_equal(count("SELECT max(id) FROM requests"), 401); /* the newest stay */
    assert_int_equal(count("SELECT sum(requests) FROM tallies"), 2);
}

/* ---- when the disk does not ------------------------------------------------------------------ */

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    struct journal_options o = journal_options_default();
    struct journal *j = NULL;
    struct journal_status s;
    sqlite3 *other = NULL;
    o.path = path;
    o.queue_rows = 10;
    o.commit_ms = 10;
    assert_int_equal(journal_open(&o, &j), SF_OK);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    (void)sqlite3_busy_timeout(other, 20000);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 25; i++) {
        put_plain(j); /* returns though nothing can be written */
    }
    journal_status(j, &s);
    assert_int_equal(s.dropped, 15);
    assert_int_equal(s.waiting, 10);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(other);
    assert_true(journal_flush(j, 20000));
    journal_status(j, &s);
    assert_int_equal(s.written, 10);
    sf_mem_fail_after(0, 0);
    journal_put(j, &(struct journal_request){.id = 99});
    journal_status(j, &s);
    assert_int_equal(s.dropped, 16);
    journal_close(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 10);
}

static bool wait_writing(struct journal *j, bool writing)
{
    struct journal_status s;
    for (int i = 0; i < 2000; i++) {
        journal_status(j, &s);
        if (s.writing == writing) {
            return true;
        }
        (void)usleep(10000);
    }
    return false;
}

/* In a process of its own: the limit holds for all of it. */
static int fill_disk(void)
{
    struct rlimit limit = {.rlim_cur = 200000, .rlim_max = RLIM_INFINITY};
    struct journal_status s;
    struct journal *j = open_quick();
    (void)signal(SIGXFSZ, SIG_IGN);
    put_plain(j);
    if (!journal_flush(j, 20000) || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 1;
    }
    for (int i = 0; i < 5000; i++) {
        put_plain(j);
    }
    if (!wait_writing(j, false)) {
        return 2;
    }
    journal_status(j, &s);
    if (strstr(s.reason, "full") == NULL) {
        return 3;
    }
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || !journal_flush(j, 60000) ||
        !wait_writing(j, true)) {
        return 4;
    }
    journal_status(j, &s);
    uint64_t known = s.written + s.dropped;
    journal_close(j);
    return known == 5001 && (int64_t)s.written == count("SELECT count(*) FROM requests") ? 0 : 5;
}

static void a_full_disk_is_survived_and_left_behind(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(fill_disk());
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_unwritable_folder_is_tried_again(void **state)
{
    (void)state;
    struct journal_status s;
    struct sf_errbuf eb;
    char *dir = sf_path_dir(path);
    assert_int_equal(sf_file_write(dir, SF_STR("a file where the folder should be"), 0600, &eb),
                     SF_OK);
    struct journal *j = open_quick();
    int64_t id = put_plain(j);
    journal_status(j, &s);
    assert_false(s.writing);
    assert_true(s.reason[0] != '\0');
    assert_int_equal(unlink(dir), 0);
    free(dir);
    assert_true(journal_flush(j, 20000));
    assert_true(wait_writing(j, true));
    journal_close(j);
    assert_int_equal(count("SELECT max(id) FROM requests"), id);
}

static void a_number_that_was_taken_meanwhile_is_changed(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    int64_t id = put_plain(j);
    struct journal_request again = plain(id);
    journal_put(j, &again);
    assert_true(journal_flush(j, 20000));
    journal_close(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 2);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static int files_aside(void)
{
    char *dir = sf_path_dir(path);
    DIR *d = opendir(dir);
    int n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        n += strstr(e->d_name, "journal.db.damaged-") == e->d_name &&
                     strstr(e->d_name, "-shm") == NULL && strstr(e->d_name, "-wal") == NULL
                 ? 1
                 : 0;
    }
    (void)closedir(d);
    free(dir);
    return n;
}

static void what_is_no_database_is_moved_aside(void **state)
{
    (void)state;
    struct sf_errbuf eb;
    struct journal_reader *r = NULL;
    journal_close(open_quick());
    struct sf_buf noise;
    sf_buf_init(&noise, 1U << 20);
    while (noise.n < 20000) {
        sf_buf_puts(&noise, "not SQLite at all. ");
    }
    assert_int_equal(sf_file_write(path, sf_buf_str(&noise), 0600, &eb), SF_OK);
    sf_buf_fini(&noise);
    assert_int_equal(journal_reader_open(path, &r, &eb), SF_EPARSE); /* a reader moves nothing */
    assert_int_equal(files_aside(), 0);
    struct journal *j = open_quick();
    put_plain(j);
    journal_close(j);
    assert_int_equal(files_aside(), 1);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
}

static void a_damaged_page_is_found_and_the_file_moved_aside(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    for (int i = 0; i < 200; i++) {
        put_full(j, journal_next_id(j));
    }
    journal_close(j);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    for (long at = 4096L * 4; at < 4096L * 20; at++) {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_equal(fputc(0x5a, f), 0x5a);
    }
    assert_int_equal(fclose(f), 0);
    j = open_quick();
    put_plain(j);
    assert_true(journal_flush(j, 20000));
    journal_close(j);
    assert_int_equal(files_aside(), 1);
    assert_int_equal(count("SELECT count(*) FROM requests"), 1);
}

static void a_file_that_was_deleted_is_begun_again(void **state)
{
    (void)state;
    struct journal_options o = journal_options_default();
    struct journal *j = NULL;
    struct stat st;
    o.path = path;
    o.commit_ms = 10;
    o.retention_ms = 10;
    assert_int_equal(journal_open(&o, &j), SF_OK);
    put_plain(j);
    assert_true(journal_flush(j, 20000));
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2000 && stat(path, &st) != 0; i++) {
        (void)usleep(10000);
    }
    int64_t id = put_plain(j);
    assert_true(journal_flush(j, 20000));
    journal_close(j);
    assert_int_equal(count("SELECT max(id) FROM requests"), id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_too_old_goes),
        CASE(a_clock_set_ahead_throws_nothing_away),
        CASE(what_is_too_much_goes_and_space_is_given_back),
        CASE(a_full_queue_drops_and_counts),
        CASE(a_full_disk_is_survived_and_left_behind),
        CASE(an_unwritable_folder_is_tried_again),
        CASE(a_number_that_was_taken_meanwhile_is_changed),
        CASE(what_is_no_database_is_moved_aside),
        CASE(a_damaged_page_is_found_and_the_file_moved_aside),
        CASE(a_file_that_was_deleted_is_begun_again),
    };
    return JOURNAL_TESTS_RUN(tests);
}

/* SPDX-License-Identifier: MIT */
#include "journal.c"

#include "journal/journal_test.h"

#include <sys/stat.h>

/* ---- what goes in comes out ------------------------------------------------------------------ */

static void a_request_comes_back_with_its_trail(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    struct sf_errbuf eb;
    json_t *t = NULL, *list = NULL;
    int64_t id = journal_next_id(j), number = 0;
    double cost = 0;
    put_full(j, id);
    assert_true(journal_flush(j, 20000));
    struct journal_reader *r = reader(); /* while the writer is there */
    assert_int_equal(journal_trail(r, id, true, &t, &eb), SF_OK);
    assert_string_equal(json_get_string(t, "user_input"), "the sea");
    assert_string_equal(json_get_string(t, "story_id"), "story-1");
    assert_true(json_get_int(t, "uid", &number) && number == 7);
    assert_true(json_get_int(t, "seed", &number) && number == -1);
    assert_string_equal(json_get_string(json_at(t, "/answer/output"), "title"), "海");
    assert_string_equal(json_get_string(json_at(t, "/steps/0"), "outcome"), "skipped");
    assert_string_equal(json_get_string(json_at(t, "/steps/1"), "reason"), "cut \xef\xbf\xbd off");
    assert_int_equal(json_array_size(json_at(t, "/steps/1/attempts")), 2);
    assert_true(json_get_number(json_at(t, "/steps/1/attempts/1"), "cost_usd", &cost));
    assert_float_equal(cost, 0.25, 1e-9);
    assert_true(json_is_true(json_at(t, "/steps/2/hedged")));
    assert_true(json_is_null(json_at(t, "/steps/2/reason")));
    json_decref(t);
    journal_close(j);
    struct journal_filter f = {
        .generator = "custom", .status_min = 200, .status_max = 299, .limit = 9};
    assert_int_equal(journal_list(r, &f, &list, &eb), SF_OK);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    f.task = "chapters";
    assert_int_equal(journal_list(r, &f, &list, &eb), SF_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    assert_int_equal(journal_trail(r, id + 1, false, &t, &eb), SF_ENOTFOUND);
    journal_reader_close(r);
}

static void note_spending(void *arg, const struct journal_spending *s)
{
    struct journal_spending *sum = arg;
    assert_string_equal(s->account, "openai:…1234");
    assert_true(s->wall_ns > wall && s->wall_ns <= wall + 61000000000);
    sum->requests += s->requests;
    sum->cost_usd += s->cost_usd;
}

static void spending_shares_and_figures_outlive_the_rows(void **state)
{
    (void)state;
    sf_clock_inject(NULL, wall_now);
    struct journal *j = open_quick();
    struct journal_spending sum = {.requests = 0};
    struct sf_errbuf eb;
    json_t *figures = NULL;
    int64_t answers = 0, failures = 0, p95 = 0;
    for (int i = 0; i < 3; i++) {
        put_full(j, journal_next_id(j));
    }
    assert_true(journal_flush(j, 20000));
    struct journal_reader *r = reader();
    assert_int_equal(journal_spending(r, wall - HOUR_NS, note_spending, &sum, &eb), SF_OK);
    assert_int_equal(sum.requests, 6);
    assert_float_equal(sum.cost_usd, 0.75, 1e-9);
    assert_int_equal(journal_spending(r, wall + HOUR_NS, note_spending, NULL, &eb), SF_OK);
    assert_int_equal(journal_share(r, "mine", wall - HOUR_NS, &answers, &failures, &eb), SF_OK);
    assert_int_equal(answers, 3);
    assert_int_equal(journal_share(r, "openai", wall - HOUR_NS, &answers, &failures, &eb), SF_OK);
    assert_int_equal(failures, 3);
    assert_int_equal(journal_figures(r, wall - HOUR_NS, &figures, &eb), SF_OK);
    assert_int_equal(json_array_size(figures), 2); /* who was never asked is not there */
    assert_string_equal(json_get_string(json_at(figures, "/0"), "hop"), "mine");
    assert_true(json_get_int(json_at(figures, "/0"), "p95_ms", &p95) && p95 == 300);
    json_decref(figures);
    journal_reader_close(r);
    journal_close(j);
}

static void long_texts_are_cut_or_left_out(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    struct journal_request r = plain(journal_next_id(j));
    struct sf_buf input, output;
    sf_buf_init(&input, 1U << 20);
    sf_buf_init(&output, 2U << 20);
    while (input.n < 2 * JOURNAL_INPUT_MAX) {
        sf_buf_puts(&input, "x海"); /* four bytes: the limit falls into a character or beside it */
    }
    sf_buf_puts(&input, "海");
    while (output.n <= JOURNAL_OUTPUT_MAX) {
        sf_buf_puts(&output, "[1,2,3,4]");
    }
    r.user_input = sf_buf_z(&input) + 1;
    r.output = sf_buf_z(&output);
    journal_put(j, &r);
    journal_close(j);
    assert_in_range(count("SELECT length(CAST(user_input AS BLOB)) FROM requests"),
                    JOURNAL_INPUT_MAX - 3, JOURNAL_INPUT_MAX);
    assert_int_equal(count("SELECT bytes FROM answers WHERE output IS NULL"), output.n);
    struct journal_reader *reading = reader();
    struct journal_filter f = {.limit = 1};
    json_t *list = NULL;
    struct sf_errbuf eb;
    assert_int_equal(journal_list(reading, &f, &list, &eb), SF_OK);
    json_decref(list);
    journal_reader_close(reading);
    sf_buf_fini(&input);
    sf_buf_fini(&output);
}

static void states_are_kept(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    struct sf_errbuf eb;
    json_t *list = NULL;
    journal_put_state(
        j, &(struct journal_state){sf_wall_ns(), "local", "local", "starting", "ready", ""});
    journal_put_state(
        j, &(struct journal_state){sf_wall_ns(), "local", "local", "ready", "down", "engine died"});
    journal_close(j);
    struct journal_reader *r = reader();
    assert_int_equal(journal_states(r, 0, 10, &list, &eb), SF_OK);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_get_string(json_at(list, "/0"), "to_state"), "down");
    json_decref(list);
    journal_reader_close(r);
}

static void what_the_chain_said_of_the_miner_is_kept(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    struct sf_errbuf eb;
    json_t *list = NULL;
    struct journal_standing s = {.wall_ns = sf_wall_ns(),
                                 .netuid = 42,
                                 .block = 1000,
                                 .hotkey = "5Hot",
                                 .uid = -1,
                                 .stake_rao = -1,
                                 .emission_rao = -1,
                                 .incentive = -1,
                                 .position = -1,
                                 .miners = -1,
                                 .immunity_left_blocks = -1};
    journal_put_standing(j, &s);
    s.uid = 7;
    s.emission_rao = 12345;
    journal_put_standing(j, &s);
    journal_close(j);
    struct journal_reader *r = reader();
    assert_int_equal(journal_standings(r, 0, 10, &list, &eb), SF_OK);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_at(list, "/0/uid")), 7);
    assert_int_equal(json_integer_value(json_at(list, "/0/emission_rao")), 12345);
    assert_true(json_is_null(json_at(list, "/0/position")));
    assert_string_equal(json_string_value(json_at(list, "/1/hotkey")), "5Hot");
    assert_true(json_is_null(json_at(list, "/1/uid")));
    json_decref(list);
    journal_reader_close(r);
}

static void the_file_is_its_owners_alone(void **state)
{
    (void)state;
    struct stat st;
    struct journal *j = open_quick();
    put_plain(j);
    assert_true(journal_flush(j, 20000));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    journal_close(j);
}

/* ---- ids ------------------------------------------------------------------------------------- */

static void ids_go_on_after_an_orderly_end(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    assert_int_equal(put_plain(j), 1);
    assert_int_equal(put_plain(j), 2);
    journal_close(j);
    j = open_quick();
    assert_int_equal(put_plain(j), 3);
    journal_close(j);
}

static void ids_are_never_given_twice(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct journal *j = open_quick();
        for (int i = 0; i < 4; i++) {
            (void)journal_next_id(j);
        }
        _exit(0); /* as kill -9 would: nothing is given back */
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    struct journal *a = open_quick(), *b = open_quick(); /* two programs at once */
    int64_t first = put_plain(a), second = put_plain(b);
    assert_true(first > 4);
    assert_int_not_equal(first, second);
    int64_t last_of_a = 0;
    for (int i = 0; i < 1000; i++) { /* over several blocks */
        last_of_a = put_plain(a);
        int64_t of_b = put_plain(b);
        assert_int_not_equal(last_of_a, of_b);
        if (i % 50 == 0) {
            assert_true(journal_flush(a, 20000) && journal_flush(b, 20000));
        }
    }
    assert_true(journal_flush(a, 20000) && journal_flush(b, 20000));
    struct journal_status s;
    journal_status(a, &s);
    assert_int_equal(s.dropped, 0);
    journal_close(a);
    journal_close(b);
    assert_int_equal(count("SELECT count(*) FROM requests"), 2002);
}

/* ---- versions -------------------------------------------------------------------------------- */

#define SECOND "ALTER TABLE requests ADD COLUMN mood TEXT; UPDATE requests SET mood = 'calm';"
#define BROKEN "ALTER TABLE requests ADD COLUMN other TEXT; ALTER TABLE absent ADD COLUMN x TEXT;"
static const struct sf_str second_schema = {SECOND, sizeof SECOND - 1};
static const struct sf_str broken_schema = {BROKEN, sizeof BROKEN - 1};

static enum sf_err open_version(const struct sf_str *second, sqlite3 **db, struct sf_errbuf *eb)
{
    const struct journal_migration list[] = {
        journal_migrations[0], journal_migrations[1], journal_migrations[2], {second}};
    return journal_db_open(path, list, 4, db, eb);
}

static void an_older_journal_is_brought_up_to_date(void **state)
{
    (void)state;
    sqlite3 *db = NULL;
    struct sf_errbuf eb = {.text = ""};
    struct journal *j = open_quick();
    put_plain(j);
    journal_close(j);
    assert_int_equal(open_version(&broken_schema, &db, &eb), SF_EIO);
    assert_non_null(strstr(eb.text, "no such table"));
    assert_int_equal(count("PRAGMA user_version"), 3); /* all of it or nothing */
    assert_int_equal(count("SELECT count(*) FROM pragma_table_info('requests') WHERE name='other'"),
                     0);
    assert_int_equal(open_version(&second_schema, &db, &eb), SF_OK);
    assert_int_equal(journal_db_number(db, "PRAGMA user_version", -1), 4);
    assert_int_equal(journal_db_number(db, "SELECT count(*) FROM requests WHERE mood='calm'", -1),
                     1);
    (void)sqlite3_close(db);
}

static void a_journal_of_version_one_still_opens(void **state)
{
    (void)state;
    char *error = NULL;
    struct sf_buf sql;
    struct sf_errbuf eb;
    sqlite3 *db = NULL;
    sf_buf_init(&sql, 1U << 20);
    assert_int_equal(sf_file_read(SOURCE_DIR "/tests/data/journal/version_1.sql", &sql, &eb),
                     SF_OK);
    char *dir = sf_path_dir(path);
    assert_int_equal(sf_dir_make(dir, 0700, &eb), SF_OK);
    free(dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sf_buf_z(&sql), NULL, NULL, &error), SQLITE_OK);
    (void)sqlite3_close(db);
    sf_buf_fini(&sql);
    wall = INT64_C(1790000000000000000); /* its request is not too old then */
    sf_clock_inject(NULL, wall_now);
    struct journal *j = open_quick();
    assert_int_equal(put_plain(j), 42);
    journal_close(j);
    json_t *t = NULL;
    struct journal_reader *r = reader();
    assert_int_equal(journal_trail(r, 41, true, &t, &eb), SF_OK);
    assert_string_equal(json_get_string(json_at(t, "/steps/0"), "hop"), "local");
    json_decref(t);
    assert_int_equal(journal_standings(r, 0, 10, &t, &eb), SF_OK); /* a table of version 2 */
    assert_int_equal(json_array_size(t), 0);
    json_decref(t);
    journal_reader_close(r);
}

static void set_version(const char *pragma)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, pragma, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void expect_refused(const char *text)
{
    struct journal_status s;
    struct journal_reader *r = NULL;
    struct sf_errbuf eb = {.text = ""};
    struct journal *j = open_quick();
    put_plain(j);
    assert_false(journal_flush(j, 100)); /* it waits, and the miner goes on */
    journal_status(j, &s);
    assert_false(s.writing);
    assert_non_null(strstr(s.reason, text));
    assert_int_equal(s.waiting, 1);
    journal_close(j);
    assert_int_equal(journal_reader_open(path, &r, &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, text));
}

static void a_newer_journal_is_refused_and_left_alone(void **state)
{
    (void)state;
    journal_close(open_quick());
    set_version("PRAGMA user_version=99");
    expect_refused("written by a newer storyfi (version 99");
    set_version("PRAGMA user_version=3");
    assert_int_equal(count("SELECT count(*) FROM requests"), 0);
}

static void another_programs_database_is_left_alone(void **state)
{
    (void)state;
    char *dir = sf_path_dir(path);
    struct sf_errbuf eb;
    assert_int_equal(sf_dir_make(dir, 0700, &eb), SF_OK);
    free(dir);
    set_version("CREATE TABLE theirs (x)");
    expect_refused("the database of another program");
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *put_many(void *arg)
{
    for (int i = 0; i < 200; i++) {
        put_plain(arg);
    }
    return NULL;
}

static void a_full_batch_does_not_wait_for_its_time(void **state)
{
    (void)state;
    struct journal_options o = journal_options_default();
    struct journal *j = NULL;
    o.path = path;
    o.commit_ms = 3600000;
    assert_int_equal(journal_open(&o, &j), SF_OK);
    put_plain(j); /* the first commit comes at once, the next an hour later */
    assert_true(journal_flush(j, 20000));
    put_plain(j);
    assert_false(journal_flush(j, 50));
    for (int i = 1; i < JOURNAL_BATCH_ROWS; i++) {
        put_plain(j);
    }
    assert_true(journal_flush(j, 20000));
    journal_close(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), JOURNAL_BATCH_ROWS + 1);
}

static void many_threads_put_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct journal *j = open_quick();
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, journal_ref(j)), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        journal_close(j);
    }
    journal_close(j);
    assert_int_equal(count("SELECT count(*) FROM requests"), 800);
    assert_int_equal(count("SELECT count(DISTINCT id) FROM requests"), 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_request_comes_back_with_its_trail),
        CASE(spending_shares_and_figures_outlive_the_rows),
        CASE(long_texts_are_cut_or_left_out),
        CASE(states_are_kept),
        CASE(what_the_chain_said_of_the_miner_is_kept),
        CASE(the_file_is_its_owners_alone),
        CASE(ids_go_on_after_an_orderly_end),
        CASE(ids_are_never_given_twice),
        CASE(an_older_journal_is_brought_up_to_date),
        CASE(a_journal_of_version_one_still_opens),
        CASE(a_newer_journal_is_refused_and_left_alone),
        CASE(another_programs_database_is_left_alone),
        CASE(a_full_batch_does_not_wait_for_its_time),
        CASE(many_threads_put_at_once),
    };
    return JOURNAL_TESTS_RUN(tests);
}

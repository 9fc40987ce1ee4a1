/* SPDX-License-Identifier: MIT */
#include "journal/journal.c"

#include "journal/journal_test.h"

#include <poll.h>

/* ---- answers in order, told as they come ----------------------------------------------------- */

struct part {
    const char *task, *hash, *output;
    const char *blueprint, *characters, *arc; /* hashes of the contexts */
    unsigned chapters;
};

static const char *caller, *input;

static int64_t put_part(struct journal *j, const struct part *p)
{
    struct journal_request r = plain(journal_next_id(j));
    r.hotkey = caller;
    r.origin = caller == NULL ? "playground" : "validator";
    r.user_input = input;
    r.task = p->task;
    r.output = p->output;
    r.output_hash = p->hash;
    r.chapters = p->chapters;
    r.title = strcmp(p->task, "blueprint") == 0 ? "Sea" : NULL;
    const char *const hashes[] = {p->blueprint, p->characters, p->arc};
    for (size_t i = 0; i < 3; i++) {
        r.contexts[i].hash = hashes[i];
        r.contexts[i].text = hashes[i] == NULL ? NULL : "{\"title\":\"brought along\"}";
    }
    journal_put(j, &r);
    assert_true(journal_flush(j, 20000));
    return r.id;
}

#define CHAPTER(n)                                                                                 \
    "{\"chapters\":[{\"id\":" #n ",\"title\":\"t\",\"content\":\"c\",\"choices\":[]}]}"

static int begin(void **state)
{
    caller = NULL;
    input = "the sea";
    return fresh_path(state);
}

static json_t *story(int64_t id)
{
    struct journal_reader *r = reader();
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *out = NULL;
    enum sf_err err = journal_story(r, id, &out, &eb);
    if (err != SF_OK) {
        fail_msg("%s", sf_err_text(&eb, err));
    }
    journal_reader_close(r);
    return out;
}

static json_t *list(const struct journal_story_filter *f)
{
    struct journal_reader *r = reader();
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *out = NULL;
    assert_int_equal(journal_stories(r, f, &out, &eb), SF_OK);
    journal_reader_close(r);
    return out;
}

static int64_t story_of(int64_t id)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql,
                   "SELECT ifnull(CAST(story_id AS INTEGER), 0) FROM requests WHERE id = %lld",
                   (long long)id);
    return count(sql);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void parts_that_carry_each_other_are_one_story(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    int64_t id = put_part(j, &(struct part){"blueprint", "b1", "{\"title\":\"Sea\"}", 0, 0, 0, 0});
    (void)put_part(j, &(struct part){"blueprint", "b2", "{\"title\":\"Other\"}", 0, 0, 0, 0});
    (void)put_part(j, &(struct part){"characters", "c1", "{\"characters\":[]}", "b1", 0, 0, 0});
    (void)put_part(j, &(struct part){"story_arc", "a1", "{\"title\":\"Arc\"}", "b1", "c1", 0, 0});
    (void)put_part(j, &(struct part){"chapters", "k2", CHAPTER(2), "b1", "c1", "a1", 1U << 2});
    (void)put_part(j, &(struct part){"chapters", "k1", CHAPTER(1), "b1", "c1", "a1", 1U << 1});
    json_t *s = story(id);
    assert_string_equal(json_get_string(json_get_object(s, "blueprint"), "title"), "Sea");
    assert_string_equal(json_get_string(json_get_object(s, "story_arc"), "title"), "Arc");
    assert_non_null(json_get_object(s, "characters"));
    assert_int_equal(json_array_size(json_get_array(s, "chapters")), 2);
    assert_int_equal(json_integer_value(json_at(s, "/chapters/0/id")), 1);
    assert_int_equal(json_array_size(json_get_array(s, "requests")), 5);
    assert_int_equal(json_array_size(json_get_array(s, "foreign")), 0);
    assert_false(json_get_bool(s, "complete", true));
    json_decref(s);
    for (int n = 3; n <= 12; n++) {
        char hash[16], text[96];
        (void)snprintf(hash, sizeof hash, "k%d", n);
        (void)snprintf(text, sizeof text, "{\"chapters\":[{\"id\":%d}]}", n);
        (void)put_part(j, &(struct part){"chapters", hash, text, "b1", "c1", "a1", 1U << n});
    }
    json_t *all = list(&(struct journal_story_filter){.limit = 10});
    assert_int_equal(json_array_size(all), 2);
    assert_true(json_get_bool(json_array_get(all, 0), "complete", false));
    assert_int_equal(json_integer_value(json_at(all, "/0/chapters")), 12);
    assert_string_equal(json_get_string(json_array_get(all, 0), "language"), "en");
    json_decref(all);
    assert_int_equal(count("SELECT count(*) FROM contexts"), 0); /* all written here */
    journal_close(j);
}

static void a_chapter_written_again_replaces_the_first(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    int64_t id = put_part(j, &(struct part){"story_arc", "a1", "{}", 0, 0, 0, 0});
    (void)put_part(j, &(struct part){"chapters", "k1", CHAPTER(1), 0, 0, "a1", 1U << 1});
    (void)put_part(j, &(struct part){"chapters", "k1b",
                                     "{\"chapters\":[{\"id\":1,\"title\":\"again\"}]}", 0, 0, "a1",
                                     1U << 1});
    json_t *s = story(id);
    assert_int_equal(json_array_size(json_get_array(s, "chapters")), 1);
    assert_string_equal(json_string_value(json_at(s, "/chapters/0/title")), "again");
    json_decref(s);
    journal_close(j);
}

static void another_caller_or_input_is_another_story(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    caller = "5Grw";
    int64_t a = put_part(j, &(struct part){"blueprint", "b1", "{}", 0, 0, 0, 0});
    caller = "5Fother";
    int64_t b = put_part(j, &(struct part){"characters", "c1", "{}", "b1", 0, 0, 0});
    caller = "5Grw";
    input = "the moon";
    int64_t c = put_part(j, &(struct part){"characters", "c2", "{}", "b1", 0, 0, 0});
    input = "the sea";
    int64_t d = put_part(j, &(struct part){"characters", "c3", "{}", "b1", 0, 0, 0});
    assert_int_equal(story_of(a), a);
    assert_int_equal(story_of(b), 0); /* stands alone */
    assert_int_equal(story_of(c), 0);
    assert_int_equal(story_of(d), a);
    journal_close(j);
}

static void a_second_answer_to_the_same_goes_off_with_what_it_stands_on(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    int64_t first =
        put_part(j, &(struct part){"blueprint", "b1", "{\"title\":\"Sea\"}", 0, 0, 0, 0});
    (void)put_part(j, &(struct part){"characters", "c1", "{\"n\":1}", "b1", 0, 0, 0});
    int64_t second = put_part(j, &(struct part){"characters", "c2", "{\"n\":2}", "b1", 0, 0, 0});
    (void)put_part(j, &(struct part){"story_arc", "a2", "{}", "b1", "c2", 0, 0});
    assert_int_equal(story_of(second), second);
    json_t *s = story(second);
    int64_t n = 0;
    assert_non_null(json_get_object(s, "blueprint")); /* from the context, which is kept then */
    assert_true(json_get_int(json_get_object(s, "characters"), "n", &n));
    assert_int_equal(n, 2);
    assert_non_null(json_get_object(s, "story_arc"));
    json_decref(s);
    s = story(first);
    assert_true(json_is_null(json_object_get(s, "story_arc")));
    json_decref(s);
    journal_close(j);
}

static void what_somebody_else_wrote_is_kept_to_read_it_whole(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    caller = "5Grw";
    int64_t id =
        put_part(j, &(struct part){"chapters", "k1", CHAPTER(1), "fb", "fc", "fa", 1U << 1});
    (void)put_part(j, &(struct part){"chapters", "k2", CHAPTER(2), "fb", "fc", "fa", 1U << 2});
    /* The same stubs, asked again for what is there already: another story. */
    int64_t again =
        put_part(j, &(struct part){"chapters", "k3", CHAPTER(1), "fb", "fc", "fa", 1U << 1});
    json_t *s = story(id);
    assert_string_equal(json_get_string(json_get_object(s, "blueprint"), "title"), "brought along");
    assert_int_equal(json_array_size(json_get_array(s, "foreign")), 3);
    assert_int_equal(json_array_size(json_get_array(s, "chapters")), 2);
    json_decref(s);
    assert_int_equal(story_of(again), again);
    assert_int_equal(count("SELECT count(*) FROM contexts"), 3);
    journal_close(j);
}

static void what_a_validator_asked_alone_is_listed_on_demand(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    caller = "5Grw";
    int64_t lone =
        put_part(j, &(struct part){"blueprint", "b1", "{\"title\":\"100%\"}", 0, 0, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM stories"), 0); /* costs nothing */
    caller = NULL;
    int64_t mine = put_part(j, &(struct part){"blueprint", "b2", "{}", 0, 0, 0, 0});
    struct journal_story_filter f = {.limit = 10};
    json_t *all = list(&f);
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    f.fragments = true;
    all = list(&f);
    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(json_integer_value(json_at(all, "/0/id")), mine);
    assert_string_equal(json_string_value(json_at(all, "/1/title")), "100%");
    json_decref(all);
    f.before = mine;
    all = list(&f);
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    json_t *s = story(lone);
    assert_string_equal(json_string_value(json_at(s, "/blueprint/title")), "100%");
    assert_int_equal(json_array_size(json_get_array(s, "requests")), 1);
    json_decref(s);
    journal_close(j);
}

static void a_validators_part_that_another_joins_becomes_a_story(void **state)
{
    (void)state;
    struct journal *j = open_quick();
    caller = "5Grw";
    int64_t id = put_part(j, &(struct part){"blueprint", "b1", "{\"title\":\"Sea\"}", 0, 0, 0, 0});
    for (int i = 0; i < 5; i++) { /* the same stub again and again stands alone each time */
        char hash[16];
        (void)snprintf(hash, sizeof hash, "s%d", i);
        int64_t stub = put_part(j, &(struct part){"characters", hash, "{}", "stub", 0, 0, 0});
        assert_int_equal(story_of(stub), 0);
    }
    int64_t arc = put_part(j, &(struct part){"story_arc", "a1", "{}", "b1", "fc", 0, 0});
    int64_t chapter =
        put_part(j, &(struct part){"chapters", "k1", CHAPTER(1), "b1", "fc", "a1", 2});
    assert_int_equal(story_of(id), id);
    assert_int_equal(story_of(arc), id);
    assert_int_equal(story_of(chapter), id);
    json_t *s = story(id);
    assert_string_equal(json_get_string(s, "title"), "Sea");
    assert_string_equal(json_string_value(json_at(s, "/foreign/0")), "characters");
    assert_int_equal(json_array_size(json_get_array(s, "foreign")), 1);
    json_decref(s);
    /* What goes off from it afterwards does not take it away. */
    int64_t other = put_part(j, &(struct part){"characters", "c9", "{}", "b1", 0, 0, 0});
    assert_int_equal(story_of(other), 0);
    assert_int_equal(story_of(id), id);
    journal_close(j);
}

static void a_text_is_looked_for_as_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {{"sea", 2}, {"SEA", 2}, {"0% o", 1}, {"%", 1}, {"_", 0}, {"\\", 0}, {"mine", 1}};
    struct journal *j = open_quick();
    input = "100% of the sea";
    (void)put_part(j, &(struct part){"blueprint", "b1", "{}", 0, 0, 0, 0});
    struct journal_request r = plain(journal_next_id(j));
    r.generator = "mine";
    journal_put(j, &r);
    assert_true(journal_flush(j, 20000));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct journal_filter f = {.limit = 10, .text = cases[i].text};
        struct journal_reader *reading = reader();
        struct sf_errbuf eb;
        json_t *out = NULL;
        assert_int_equal(journal_list(reading, &f, &out, &eb), SF_OK);
        if (json_array_size(out) != cases[i].n) {
            fail_msg("%s: %zu", cases[i].text, json_array_size(out));
        }
        json_decref(out);
        journal_reader_close(reading);
    }
    journal_close(j);
}

static void put_at(struct journal *j, int64_t at_ns, int64_t took_ms, int64_t status)
{
    struct journal_request r = plain(journal_next_id(j));
    r.received_ns = at_ns;
    r.took_ms = took_ms;
    r.status = status;
    journal_put(j, &r);
}

static void a_series_counts_each_step_of_time(void **state)
{
    (void)state;
    int64_t now = INT64_C(1800000000) * 1000000000;
    struct sf_errbuf eb;
    json_t *out = NULL;
    wall = now;
    sf_clock_inject(NULL, wall_now);
    struct journal *j = open_quick();
    for (int i = 1; i <= 20; i++) {
        put_at(j, now - 3 * HOUR_NS + i, i * 100, 200);
    }
    put_at(j, now - 3 * HOUR_NS + 50, 9000, 503);
    put_at(j, now - HOUR_NS, 12000, 408);
    put_at(j, now - 9 * HOUR_NS, 1, 200); /* before */
    assert_true(journal_flush(j, 20000));
    struct journal_reader *r = reader();
    struct journal_series o = {.since_ns = now - 3 * HOUR_NS, .step_ns = HOUR_NS, .n = 3};
    assert_int_equal(journal_series(r, &o, &out, &eb), SF_OK);
    assert_int_equal(json_array_size(out), 3);
    assert_int_equal(json_integer_value(json_at(out, "/0/t")), 1800000000 - 3 * 3600);
    assert_int_equal(json_integer_value(json_at(out, "/0/answers")), 20);
    assert_int_equal(json_integer_value(json_at(out, "/0/failures")), 1);
    assert_int_equal(json_integer_value(json_at(out, "/0/p50_ms")), 1000);
    assert_int_equal(json_integer_value(json_at(out, "/0/p95_ms")), 1900);
    assert_true(json_real_value(json_at(out, "/0/valid_share")) > 0.95);
    assert_int_equal(json_integer_value(json_at(out, "/1/answers")), 0);
    assert_true(json_is_null(json_at(out, "/1/p50_ms")));
    assert_true(json_is_null(json_at(out, "/1/valid_share")));
    assert_int_equal(json_integer_value(json_at(out, "/2/late")), 1);
    json_decref(out);
    journal_reader_close(r);
    journal_close(j);
}

static void stories_go_with_their_requests(void **state)
{
    (void)state;
    wall = INT64_C(1800000000) * 1000000000;
    sf_clock_inject(NULL, wall_now);
    struct journal *j = open_quick();
    (void)put_part(j, &(struct part){"chapters", "k1", CHAPTER(1), "fb", 0, 0, 1U << 1});
    journal_close(j);
    wall += 400 * DAY_NS;
    j = open_quick();
    (void)put_part(j, &(struct part){"blueprint", "b9", "{}", 0, 0, 0, 0});
    for (int i = 0; i < 500 && (count("SELECT min(id) FROM requests") != 2 ||
                                count("SELECT count(*) FROM stories") > 1);
         i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(count("SELECT count(*) FROM stories"), 1);
    assert_int_equal(count("SELECT count(*) FROM contexts"), 0);
    journal_close(j);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, to_real_clock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(parts_that_carry_each_other_are_one_story),
        STORY(a_chapter_written_again_replaces_the_first),
        STORY(another_caller_or_input_is_another_story),
        STORY(a_second_answer_to_the_same_goes_off_with_what_it_stands_on),
        STORY(what_somebody_else_wrote_is_kept_to_read_it_whole),
        STORY(what_a_validator_asked_alone_is_listed_on_demand),
        STORY(a_validators_part_that_another_joins_becomes_a_story),
        STORY(a_text_is_looked_for_as_it_is_written),
        STORY(a_series_counts_each_step_of_time),
        STORY(stories_go_with_their_requests),
    };
    return JOURNAL_TESTS_RUN(tests);
}

/* SPDX-License-Identifier: MIT */
#include "story/validate.h"

#include "base/file.h"
#include "story/repair.h"
#include "story/unwrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_t *v = NULL;
    assert_int_equal(json_parse(sf_str(text), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    return v;
}

static json_t *valid_answer(const char *task)
{
    char path[512];
    struct sf_buf b;
    json_t *v = NULL;
    sf_buf_init(&b, 1U << 20);
    (void)snprintf(path, sizeof path, "%s/tests/data/story/%s.json", SOURCE_DIR, task);
    assert_int_equal(sf_file_read(path, &b, NULL), SF_OK);
    assert_int_equal(json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    sf_buf_fini(&b);
    return v;
}

static struct story_request request_of(const char *task)
{
    struct story_request r;
    char text[160];
    (void)snprintf(text, sizeof text,
                   "{\"task_type\":\"%s\",\"user_input\":\"sea\",\"chapter_ids\":[1,12]}", task);
    json_t *body = parse(text);
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    json_decref(body);
    return r;
}

static const char *const tasks[] = {"blueprint", "characters", "story_arc", "chapters"};

static void the_example_answers_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct story_request r = request_of(tasks[i]);
        struct story_report report;
        json_t *answer = valid_answer(tasks[i]);
        bool ok = story_validate(&r, answer, &report);
        if (!ok) {
            print_message("%s: %s\n", report.list[0].path, report.list[0].problem);
        }
        assert_true(ok);
        json_decref(answer);
        story_request_fini(&r);
    }
}

/* One wrong thing each: set `value` (JSON, or NULL to remove) at `path`; the report names `at`. */
static const struct {
    const char *task, *path, *value, *at, *problem;
} wrong[] = {
    {"blueprint", "/title", NULL, "/title", "missing"},
    {"blueprint", "/title", "7", "/title", "must be a text"},
    {"blueprint", "/title", "\"\"", "/title", "0 characters"},
    {"blueprint", "/title", "\"a\\nb\"", "/title", "line break"},
    {"blueprint", "/title", "\" padded\"", "/title", "white space"},
    {"blueprint", "/title", "\"一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一\"",
     "/title", "31 characters"},
    {"blueprint", "/setting", "\"short\"", "/setting", "5 characters, must be 50 to 300"},
    {"blueprint", "/core_conflict", "\"short\"", "/core_conflict", "must be 30 to 200"},
    {"blueprint", "/themes", "[\"a\",\"b\"]", "/themes", "2 items, must be 3 to 5"},
    {"blueprint", "/themes", "[\"a\",\"b\",\"A\"]", "/themes", "items 0 and 2"},
    {"blueprint", "/themes", "\"a\"", "/themes", "must be an array"},
    {"blueprint", "/themes/1", "7", "/themes/1", "must be a text"},
    {"blueprint", "/tone", "\"\\u0007bell\"", "/tone", "control character"},
    {"characters", "/characters/0/id", "\"hero\"", "/characters/0/id", "protagonist"},
    {"characters", "/characters/1/name", "\"mara voss\"", "/characters/1/name", "the same"},
    {"characters", "/characters/2/relationships", "{\"ally\":\"A long friend.\"}",
     "/characters/2/relationships", "1 relationships"},
    {"characters", "/characters/2/relationships/rival", "\"Herself, of all people.\"",
     "/characters/2/relationships", "another character"},
    {"characters", "/characters/2/relationships/friend", "\"Somebody else again.\"",
     "/characters/2/relationships", "another character"},
    {"characters", "/characters/4", "null", "/characters/4/id", "wildcard"},
    {"story_arc", "/chapters/3/storyProgress", "0.34", "/chapters/3/storyProgress", "0.33"},
    {"story_arc", "/chapters/3/id", "5", "/chapters/3/id", "must be 4"},
    {"story_arc", "/chapters/3/characterFocus", "[]", "/chapters/3/characterFocus", "0 items"},
    {"story_arc", "/chapters/3/characterFocus", "[\"x\"]", "/chapters/3/characterFocus", "id"},
    {"story_arc", "/chapters/3/characterFocus", "[\"ally\",\"ally\"]", "/chapters/3/characterFocus",
     "the same"},
    {"story_arc", "/chapters/4/title", "\"The blue hour\"", "/chapters/4/title", "the same"},
    {"story_arc", "/arcs/act2b/chapters", "[7,8]", "/arcs/act2b/chapters", "7, 8, 9"},
    {"story_arc", "/hooks", "[]", "/hooks/opening", "missing"},
    {"chapters", "/chapters/0/content", "\"too short\"", "/chapters/0/content", "1000 to 3000"},
    {"chapters", "/chapters/1/id", "2", "/chapters/1/id", "must be 12"},
    {"chapters", "/chapters/0/choices/0/nextChapter", "1", "/chapters/0/choices/0", "after"},
    {"chapters", "/chapters/0/choices/0/nextChapter", "13", "/chapters/0/choices/0", "after"},
    {"chapters", "/chapters/1/choices/0/nextChapter", "11", "/chapters/1/choices/0", "after"},
    {"chapters", "/chapters/0/choices/0/consequences", "{\"mood\":\"x\"}", "/chapters/0/choices/0",
     "two keys"},
    {"chapters", "/chapters/0/choices/0/consequences/resource_oil", "\"5\"",
     "/chapters/0/choices/0", "sign"},
    {"chapters", "/chapters/0/choices/0/consequences/resource_oil", "\"+1000\"",
     "/chapters/0/choices/0", "sign"},
    {"chapters", "/chapters/0/choices/1/consequences",
     "{\"mood\":\"brave\",\"resource_oil\":\"-5\"}", "/chapters/0/choices/1", "same consequences"},
    {"chapters", "/chapters/0/choices/1/text", "\"Walk out to the 1 chairs.\"",
     "/chapters/0/choices/1", "same text"},
    {"chapters", "/chapters", "[]", "/chapters", "0 items"},
};

static void one_wrong_thing_is_named_by_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct story_request r = request_of(wrong[i].task);
        struct story_report report;
        json_t *answer = valid_answer(wrong[i].task);
        json_t *value = wrong[i].value == NULL ? json_null() : parse(wrong[i].value);
        assert_int_equal(json_set_at_new(answer, wrong[i].path, value), SF_OK);
        if (wrong[i].value == NULL) {
            (void)json_object_del(answer, wrong[i].path + 1);
        }
        bool found = false;
        assert_false(story_validate(&r, answer, &report));
        for (size_t k = 0; k < report.n; k++) {
            found = found || (strcmp(report.list[k].path, wrong[i].at) == 0 &&
                              strstr(report.list[k].problem, wrong[i].problem) != NULL);
        }
        if (!found) {
            print_message("case %zu: got %s: %s\n", i, report.list[0].path, report.list[0].problem);
        }
        assert_true(found);
        json_decref(answer);
        story_request_fini(&r);
    }
}

static void everybody_needs_a_chapter(void **state)
{
    (void)state;
    struct story_request r = request_of("story_arc");
    struct story_report report;
    json_t *answer = valid_answer("story_arc");
    for (int i = 0; i < 12; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/chapters/%d/characterFocus", i);
        assert_int_equal(json_set_at_new(answer, path, json_pack("[s]", "ally")), SF_OK);
    }
    assert_false(story_validate(&r, answer, &report));
    assert_int_equal(report.total, 5);
    assert_int_equal(story_repair(&r, answer), SF_OK);
    assert_true(story_validate(&r, answer, &report));
    json_decref(answer);
    story_request_fini(&r);
}

static void what_is_wanted_again_names_slots_once(void **state)
{
    (void)state;
    struct story_request r = request_of("blueprint");
    struct story_report report;
    const char *wanted[STORY_PROBLEMS_MAX];
    json_t *answer = valid_answer("blueprint");
    json_t *themes = parse("[\"\", 7]");
    assert_int_equal(json_set_at_new(answer, "/themes", themes), SF_OK);
    assert_int_equal(json_object_del(answer, "tone"), 0);
    assert_false(story_validate(&r, answer, &report));
    assert_int_equal(story_report_wanted(&r, &report, wanted), 2);
    assert_string_equal(wanted[0], "/themes");
    assert_string_equal(wanted[1], "/tone");
    json_t *more =
        parse("{\"themes\":[\"a\",\"b\",\"c\"],\"tone\":\"dry\",\"title\":\"not asked\"}");
    assert_int_equal(story_merge(answer, more, wanted, 2), SF_OK);
    assert_true(story_validate(&r, answer, &report));
    assert_string_equal(json_get_string(answer, "title"), "The Lantern at Low Tide");
    json_decref(more);
    json_decref(answer);
    story_request_fini(&r);
}

static void set(json_t *root, const char *path, json_t *value)
{
    assert_int_equal(json_set_at_new(root, path, value), SF_OK);
}

static void repair_puts_right_what_the_program_owns(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct story_request r = request_of(tasks[i]);
        struct story_report report;
        json_t *answer = valid_answer(tasks[i]);
        json_t *array = json_object_get(answer, i == 1 ? "characters" : "chapters");
        if (i == 0) {
            (void)json_object_set_new(answer, "title", json_string("  A title\n with breaks "));
            (void)json_object_set_new(answer, "themes", parse("[\"a\",\"b\",\"a\",\"c\",\"\"]"));
        } else {
            json_t *last = json_incref(json_array_get(array, json_array_size(array) - 1));
            (void)json_array_remove(array, json_array_size(array) - 1);
            (void)json_array_insert_new(array, 0, last);
        }
        if (i == 2) {
            set(answer, "/chapters/4/storyProgress", json_string("half"));
            set(answer, "/arcs/act1/chapters", json_array());
            set(answer, "/chapters/2/characterFocus", json_string("ally"));
        }
        if (i == 3) {
            set(answer, "/chapters/1/choices/0/nextChapter", json_integer(1));
        }
        assert_int_equal(story_repair(&r, answer), SF_OK);
        bool ok = story_validate(&r, answer, &report);
        if (!ok) {
            print_message("%s: %s\n", report.list[0].path, report.list[0].problem);
        }
        assert_true(ok);
        json_decref(answer);
        story_request_fini(&r);
    }
}

static void texts_are_cut_where_sentences_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t min, max;
        const char *head;
    } cuts[] = {
        {"Short.", 1, 80, "Short."},
        {"One here. Two here. Three here.", 5, 20, "One here. Two here."},
        {"One here, two there and on", 5, 14, "One here"},
        {"one two three four", 3, 12, "one two"},
        {"Pi is 3.14159 and so on.", 3, 12, "Pi is"},
        {"他看着大海。风起了。船没有回来。", 3, 11, "他看着大海。风起了。"},
        {"unbroken", 1, 4, "unbr"},
    };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct sf_str head = story_cut(sf_str(cuts[i].text), cuts[i].min, cuts[i].max);
        assert_true(sf_str_is(head, cuts[i].head));
    }
}

static void answers_are_unwrapped_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sf_err code;
    } cases[] = {
        {"{\"a\":1}", SF_OK},
        {"```json\n{\"a\":1}\n```", SF_OK},
        {"```\n{\"a\":1}\n```", SF_OK},
        {"Here is your story:\n```json\n{\"a\":1}\n```\nEnjoy!", SF_OK},
        {"Sure! {\"a\":1} Done.", SF_OK},
        {"[{\"a\":1}]", SF_EINCOMPLETE},
        {"```json\n[1]\n```", SF_EINCOMPLETE},
        {"{\"a\":1", SF_EINCOMPLETE},
        {"{\"a\":1,\"a\":2}", SF_EINCOMPLETE},
        {"{\"a\":NaN}", SF_EINCOMPLETE},
        {"{\"a\":\"\\ud800\"}", SF_EINCOMPLETE},
        {"", SF_EINCOMPLETE},
        {"I cannot do that.", SF_EINCOMPLETE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *v = NULL;
        assert_int_equal(story_unwrap(sf_str(cases[i].text), false, &v, NULL), cases[i].code);
        json_decref(v);
    }
    json_t *raw = NULL;
    assert_int_equal(story_unwrap(SF_STR("Just prose."), true, &raw, NULL), SF_OK);
    assert_string_equal(json_get_string(raw, "generated_text"), "Just prose.");
    json_decref(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_answers_are_valid),
        cmocka_unit_test(one_wrong_thing_is_named_by_its_path),
        cmocka_unit_test(everybody_needs_a_chapter),
        cmocka_unit_test(what_is_wanted_again_names_slots_once),
        cmocka_unit_test(repair_puts_right_what_the_program_owns),
        cmocka_unit_test(texts_are_cut_where_sentences_end),
        cmocka_unit_test(answers_are_unwrapped_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "story/ask.h"

#include "base/file.h"
#include "base/mem.h"
#include "story/parts.h"
#include "story/repair.h"
#include "story/validate.h"

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
    sf_buf_init(&b, 1U << 20);
    (void)snprintf(path, sizeof path, "%s/tests/data/story/%s.json", SOURCE_DIR, task);
    assert_int_equal(sf_file_read(path, &b, NULL), SF_OK);
    json_t *v = parse(sf_buf_z(&b));
    sf_buf_fini(&b);
    return v;
}

static struct story_request request_for(const char *task)
{
    struct story_request r;
    json_t *body = json_pack("{s:s, s:s, s:[i,i]}", "task_type", task, "user_input", "sea",
                             "chapter_ids", 1, 12);
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    json_decref(body);
    return r;
}

/* The reply that holds exactly what was asked for, taken from a whole answer. */
static json_t *flat_reply(const struct story_request *r, const json_t *whole,
                          const char *const *wanted, size_t n)
{
    struct story_part parts[STORY_PARTS_MAX];
    json_t *reply = json_object();
    size_t n_parts = story_parts(r, wanted, n, parts);
    for (size_t i = 0; i < n_parts; i++) {
        (void)json_object_set(reply, parts[i].key, json_at(whole, parts[i].path));
    }
    return reply;
}

/* What is taken out of a valid answer, the chain asks for, and the reply makes it valid again. */
static const struct {
    const char *task, *broken[4];
} losses[] = {
    {"blueprint", {"/title", "/themes"}},
    {"blueprint", {"/setting", "/tone", "/genre", "/core_conflict"}},
    {"characters", {"/characters/2/background", "/characters/0/relationships"}},
    {"characters", {"/characters/4"}},
    {"characters", {"/characters/3/name", "/characters/4"}},
    {"characters", {"/characters"}},
    {"story_arc", {"/chapters/11", "/hooks/opening"}},
    {"story_arc", {"/chapters"}},
    {"story_arc", {"/arcs", "/themes"}},
    {"chapters", {"/chapters/1/choices", "/chapters/0/content"}},
    {"chapters", {"/chapters/1"}},
    {"chapters", {"/chapters"}},
};

static void lose(json_t *answer, const char *path)
{
    char parent[STORY_PATH_MAX];
    (void)snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    json_t *from = json_at(answer, parent);
    if (json_is_array(from)) {
        (void)json_array_remove(from, json_array_size(from) - 1); /* paths above name the last */
    } else {
        assert_int_equal(json_object_del(from, slash + 1), 0);
    }
}

static void what_was_lost_is_asked_for_and_merged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        struct story_request r = request_for(losses[i].task);
        struct story_report report;
        const char *wanted[STORY_PROBLEMS_MAX];
        json_t *whole = valid_answer(losses[i].task), *answer = json_deep_copy(whole), *nested;
        for (size_t k = 0; k < 4 && losses[i].broken[k] != NULL; k++) {
            lose(answer, losses[i].broken[k]);
        }
        assert_int_equal(story_repair(&r, answer), SF_OK);
        assert_false(story_validate(&r, answer, &report));
        size_t n = story_report_wanted(&r, &report, wanted);
        struct story_ask ask = {.request = &r, .wanted = wanted, .n_wanted = n, .partial = answer};
        json_t *reply = flat_reply(&r, whole, wanted, n);
        assert_true(json_object_size(reply) > 0);
        assert_int_equal(story_ask_merge_reply(&ask, reply, &nested), SF_OK);
        assert_int_equal(story_merge(answer, nested, wanted, n), SF_OK);
        assert_int_equal(story_repair(&r, answer), SF_OK);
        bool ok = story_validate(&r, answer, &report);
        if (!ok) {
            print_message("case %zu: %s: %s\n", i, report.list[0].path, report.list[0].problem);
        }
        assert_true(ok);
        json_decref(nested);
        json_decref(reply);
        json_decref(answer);
        json_decref(whole);
        story_request_fini(&r);
    }
}

/* Replies of models that keep to no schema. */
static const struct {
    const char *reply, *background; /* NULL: not found */
} shapes[] = {
    {"{\"characters.2.background\":\"b\"}", "b"},
    {"{\"/characters/2/background\":\"b\"}", "b"},
    {"{\"characters\":[{\"id\":\"rival\",\"background\":\"b\"}]}", "b"},
    {"{\"characters\":[{\"id\":\"ally\",\"background\":\"x\"},{\"id\":\"rival\",\"background\":"
     "\"b\"}]}",
     "b"},
    {"{\"characters\":[{},{},{\"background\":\"b\"},{},{}]}", "b"},
    {"{\"characters\":[{\"background\":\"b\"}]}", NULL},
    {"{\"characters\":{\"2\":{\"background\":\"b\"}}}", NULL},
    {"{\"characters.2.background\":null}", NULL},
    {"{}", NULL},
    {"{\"characters\":7}", NULL},
};

static void a_reply_shaped_like_the_answer_is_understood(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters/2/background"};
    struct story_request r = request_for("characters");
    struct story_ask ask = {.request = &r, .wanted = wanted, .n_wanted = 1};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        json_t *reply = parse(shapes[i].reply), *nested = NULL;
        assert_int_equal(story_ask_merge_reply(&ask, reply, &nested), SF_OK);
        const char *found = json_string_value(json_at(nested, wanted[0]));
        if (shapes[i].background == NULL) {
            assert_null(found);
        } else {
            assert_non_null(found);
            assert_string_equal(found, shapes[i].background);
        }
        json_decref(nested);
        json_decref(reply);
    }
    story_request_fini(&r);
}

static void the_whole_answer_is_passed_through(void **state)
{
    (void)state;
    struct story_request r = request_for("characters");
    struct story_ask ask = {.request = &r};
    json_t *reply = parse("{\"characters\":[]}"), *out = NULL;
    assert_int_equal(story_ask_merge_reply(&ask, reply, &out), SF_OK);
    assert_ptr_equal(out, reply);
    json_decref(out);
    json_decref(reply);
    story_request_fini(&r);
}

static void what_was_there_stays_when_an_array_was_short(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters", "/characters/4/name"};
    struct story_request r = request_for("characters");
    json_t *partial = valid_answer("characters"), *out = NULL;
    (void)json_array_remove(json_object_get(partial, "characters"), 4);
    json_t *before = json_deep_copy(partial);
    struct story_ask ask = {.request = &r, .wanted = wanted, .n_wanted = 2, .partial = partial};
    json_t *reply = parse("{\"characters.4.name\":\"Pim\",\"characters.0.name\":\"not asked\"}");
    assert_int_equal(story_ask_merge_reply(&ask, reply, &out), SF_OK);
    const json_t *list = json_object_get(out, "characters");
    assert_int_equal(json_array_size(list), STORY_CAST);
    assert_true(json_equal(json_array_get(list, 0), json_at(before, "/characters/0")));
    assert_string_equal(json_get_string(json_array_get(list, 4), "name"), "Pim");
    assert_true(json_equal(partial, before));
    json_decref(out);
    json_decref(reply);
    json_decref(before);
    json_decref(partial);
    story_request_fini(&r);
}

static void out_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters", "/characters/4/name"};
    struct story_request r = request_for("characters");
    json_set_alloc_funcs(sf_alloc, free);
    json_t *partial = valid_answer("characters"), *out = NULL;
    json_t *reply = parse("{\"characters.4.name\":\"Pim\"}");
    struct story_ask ask = {.request = &r, .wanted = wanted, .n_wanted = 2, .partial = partial};
    enum sf_err err = SF_ENOMEM;
    long n = 0;
    for (; err == SF_ENOMEM; n++) {
        sf_mem_fail_after(n, 1);
        err = story_ask_merge_reply(&ask, reply, &out);
        sf_mem_fail_after(-1, 0);
    }
    assert_int_equal(err, SF_OK);
    assert_true(n > 10);
    assert_int_equal(json_array_size(json_object_get(out, "characters")), STORY_CAST);
    json_decref(out);
    json_decref(reply);
    json_decref(partial);
    story_request_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_lost_is_asked_for_and_merged),
        cmocka_unit_test(a_reply_shaped_like_the_answer_is_understood),
        cmocka_unit_test(the_whole_answer_is_passed_through),
        cmocka_unit_test(what_was_there_stays_when_an_array_was_short),
        cmocka_unit_test(out_of_memory_is_said_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

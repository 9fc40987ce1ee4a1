/* SPDX-License-Identifier: MIT */
#include "story/schema.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "story/ask.h"
#include "story/repair.h"
#include "story/validate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const tasks[] = {"blueprint", "characters", "story_arc", "chapters"};

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

static struct story_request request_for(const char *task, const char *input)
{
    struct story_request r;
    json_t *body = json_pack("{s:s, s:s, s:[i,i]}", "task_type", task, "user_input", input,
                             "chapter_ids", 1, 12);
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    json_decref(body);
    return r;
}

/* ------------------------------------------------ a small judge of the keywords that we write */

static bool conforms(const json_t *schema, const json_t *v);

static bool conforms_object(const json_t *schema, const json_t *v)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *extra = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *value, *item;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)json_object_get(schema, "required"), i, item)
    {
        if (json_object_get(v, json_string_value(item)) == NULL) {
            return false;
        }
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        const json_t *own = json_object_get(properties, key);
        bool allowed = own != NULL || !json_is_false(extra);
        if (!allowed || !conforms(own != NULL ? own : extra, value)) {
            return false;
        }
    }
    const json_t *least = json_object_get(schema, "minProperties");
    return json_object_size(v) >= (size_t)json_integer_value(least);
}

static bool conforms_array(const json_t *schema, const json_t *v)
{
    const json_t *first = json_object_get(schema, "prefixItems");
    const json_t *least = json_object_get(schema, "minItems");
    const json_t *most = json_object_get(schema, "maxItems");
    size_t n = json_array_size(v);
    for (size_t i = 0; i < n; i++) {
        const json_t *own = i < json_array_size(first) ? json_array_get(first, i)
                                                       : json_object_get(schema, "items");
        if (!conforms(own, json_array_get(v, i))) {
            return false;
        }
    }
    return n >= (size_t)json_integer_value(least) &&
           (most == NULL || n <= (size_t)json_integer_value(most));
}

static bool conforms_string(const json_t *schema, const json_t *v)
{
    const json_t *least = json_object_get(schema, "minLength");
    const json_t *most = json_object_get(schema, "maxLength");
    struct sf_str s = {json_string_value(v), json_string_length(v)};
    size_t n = sf_utf8_count(s);
    if (json_object_get(schema, "pattern") != NULL) { /* the only one: ^[+-][0-9]{1,3}$ */
        uint64_t ignored;
        return s.n >= 2 && s.n <= 4 && (s.p[0] == '+' || s.p[0] == '-') &&
               sf_scan_u64((struct sf_str){s.p + 1, s.n - 1}, 999, &ignored);
    }
    return n >= (size_t)json_integer_value(least) &&
           (most == NULL || n <= (size_t)json_integer_value(most));
}

static bool conforms_number(const json_t *schema, const json_t *v)
{
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");
    return (least == NULL || json_number_value(v) >= json_number_value(least)) &&
           (most == NULL || json_number_value(v) <= json_number_value(most));
}

static bool is_listed(const json_t *values, const json_t *v)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (json_equal(json_array_get(values, i), v)) {
            return true;
        }
    }
    return values == NULL;
}

static bool conforms(const json_t *schema, const json_t *v)
{
    const json_t *any = json_object_get(schema, "anyOf");
    const char *type = json_string_value(json_object_get(schema, "type"));
    for (size_t i = 0; i < json_array_size(any); i++) {
        if (conforms(json_array_get(any, i), v)) {
            return true;
        }
    }
    if (schema == NULL || any != NULL || !is_listed(json_object_get(schema, "enum"), v)) {
        return schema == NULL;
    }
    assert_non_null(type);
    return strcmp(type, "object") == 0    ? json_is_object(v) && conforms_object(schema, v)
           : strcmp(type, "array") == 0   ? json_is_array(v) && conforms_array(schema, v)
           : strcmp(type, "string") == 0  ? json_is_string(v) && conforms_string(schema, v)
           : strcmp(type, "integer") == 0 ? json_is_integer(v) && conforms_number(schema, v)
                                          : json_is_number(v) && conforms_number(schema, v);
}

/* ------------------------------------------------------------------------------ walking schemas */

static void each_schema(const json_t *schema, unsigned depth,
                        void (*look)(const json_t *, unsigned))
{
    static const char *const lists[] = {"anyOf", "prefixItems"};
    static const char *const single[] = {"items", "additionalProperties"};
    const char *key;
    json_t *value;
    look(schema, depth);
    json_object_foreach(json_object_get(schema, "properties"), key, value)
    {
        each_schema(value, depth + 1, look);
    }
    for (size_t i = 0; i < 2; i++) {
        const json_t *list = json_object_get(schema, lists[i]);
        for (size_t k = 0; k < json_array_size(list); k++) {
            each_schema(json_array_get(list, k), depth + (i == 0 ? 0 : 1), look);
        }
        const json_t *one = json_object_get(schema, single[i]);
        if (json_is_object(one)) {
            each_schema(one, depth + 1, look);
        }
    }
}

static void only(const json_t *schema, const char *const *allowed, size_t n)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)schema, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < n; i++) {
            found = found || strcmp(key, allowed[i]) == 0;
        }
        if (!found) {
            print_message("keyword %s\n", key);
        }
        assert_true(found);
    }
}

static void look_at_depth(const json_t *schema, unsigned depth)
{
    (void)schema;
    assert_true(depth <= 10);
}

/* Keywords that xgrammar and llguidance both take; lengths they take, slowly. */
static void look_full(const json_t *schema, unsigned depth)
{
    static const char *const allowed[] = {
        "type",        "properties", "required", "additionalProperties", "items",   "enum",
        "prefixItems", "minItems",   "maxItems", "minProperties",        "pattern", "minimum",
        "maximum"};
    look_at_depth(schema, depth);
    only(schema, allowed, 13);
    if (json_object_get(schema, "minProperties") != NULL) { /* llguidance */
        assert_int_equal(json_array_size(json_object_get(schema, "required")),
                         json_object_size(json_object_get(schema, "properties")));
    }
}

/* What OpenAI's strict mode and Anthropic take. */
static void look_strict(const json_t *schema, unsigned depth)
{
    static const char *const allowed[] = {"type",  "properties", "required", "additionalProperties",
                                          "items", "enum",       "anyOf"};
    look_at_depth(schema, depth);
    only(schema, allowed, 7);
    const json_t *properties = json_object_get(schema, "properties");
    if (properties != NULL) {
        assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
        assert_int_equal(json_array_size(json_object_get(schema, "required")),
                         json_object_size(properties));
    }
    assert_true(json_object_get(schema, "anyOf") != NULL ||
                json_object_get(schema, "type") != NULL);
}

static void look_gemini(const json_t *schema, unsigned depth)
{
    static const char *const allowed[] = {"type", "properties", "required", "items",
                                          "enum", "anyOf",      "minItems", "maxItems"};
    look_at_depth(schema, depth);
    only(schema, allowed, 8);
}

static void look_plain(const json_t *schema, unsigned depth)
{
    static const char *const allowed[] = {"type", "properties", "required", "items"};
    look_at_depth(schema, depth);
    only(schema, allowed, 4);
}

static void (*const looks[])(const json_t *, unsigned) = {
    [STORY_SCHEMA_FULL] = look_full,
    [STORY_SCHEMA_STRICT] = look_strict,
    [STORY_SCHEMA_GEMINI] = look_gemini,
    [STORY_SCHEMA_PLAIN] = look_plain,
};

/* Names as every provider takes them, whatever is asked for. */
static void check_names(const json_t *schema)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(schema, "properties"), key, value)
    {
        assert_true(strlen(key) > 0 && strlen(key) <= 64);
        assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-"),
                         strlen(key));
    }
}

static void every_shape_uses_the_keywords_of_its_server_only(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters/2/background",
                                         "/characters/0/relationships",
                                         "/chapters/1/choices",
                                         "/chapters/0/content",
                                         "/themes",
                                         "/hooks/opening",
                                         "/characters",
                                         "/chapters"};
    for (size_t t = 0; t < 4; t++) {
        struct story_request r = request_for(tasks[t], "sea");
        for (unsigned s = STORY_SCHEMA_FULL; s <= STORY_SCHEMA_PLAIN; s++) {
            for (size_t n = 0; n <= 8; n += 6) {
                json_t *schema = story_schema(&r, (enum story_schema_shape)s, wanted, n);
                assert_non_null(schema);
                assert_string_equal(json_get_string(schema, "type"), "object");
                each_schema(schema, 1, looks[s]);
                check_names(schema);
                json_decref(schema);
            }
        }
        story_request_fini(&r);
    }
}

static void a_valid_answer_conforms_to_the_full_schema(void **state)
{
    (void)state;
    for (size_t t = 0; t < 4; t++) {
        struct story_request r = request_for(tasks[t], "sea");
        json_t *schema = story_schema(&r, STORY_SCHEMA_FULL, NULL, 0);
        json_t *answer = valid_answer(tasks[t]);
        assert_true(conforms(schema, answer));
        json_decref(answer);
        json_decref(schema);
        story_request_fini(&r);
    }
}

/* One wrong value each: the full schema refuses it, and so does the validator. */
static const struct {
    const char *task, *path, *value;
} wrong[] = {
    {"blueprint", "/themes", "[\"a\",\"b\"]"},
    {"blueprint", "/genre", "7"},
    {"characters", "/characters/0/id", "\"ally\""},
    {"characters", "/characters/1/skills", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]"},
    {"characters", "/characters/2/relationships", "{\"ally\":\"A long friend.\"}"},
    {"characters", "/characters/2/relationships/rival", "\"Herself, of all people.\""},
    {"characters", "/characters", "[]"},
    {"story_arc", "/chapters/3/id", "5"},
    {"story_arc", "/chapters/3/characterFocus", "[]"},
    {"story_arc", "/chapters/3/characterFocus", "[\"x\"]"},
    {"story_arc", "/arcs/act2b/chapters", "[7,8,10]"},
    {"story_arc", "/hooks", "[]"},
    {"chapters", "/chapters/1/id", "2"},
    {"chapters", "/chapters/0/choices/0/nextChapter", "1"},
    {"chapters", "/chapters/0/choices/0/nextChapter", "13"},
    {"chapters", "/chapters/1/choices/0/nextChapter", "11"},
    {"chapters", "/chapters/0/choices/0/consequences", "{\"mood\":\"x\"}"},
    {"chapters", "/chapters/0/choices/0/consequences/relationship_ally", "\"5\""},
    {"chapters", "/chapters/0/choices", "[]"},
};

static void what_the_validator_refuses_does_not_conform(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct story_request r = request_for(wrong[i].task, "sea");
        struct story_report report;
        json_t *schema = story_schema(&r, STORY_SCHEMA_FULL, NULL, 0);
        json_t *answer = valid_answer(wrong[i].task);
        assert_int_equal(json_set_at_new(answer, wrong[i].path, parse(wrong[i].value)), SF_OK);
        assert_false(story_validate(&r, answer, &report));
        if (conforms(schema, answer)) {
            print_message("case %zu: %s conforms\n", i, wrong[i].path);
        }
        assert_false(conforms(schema, answer));
        json_decref(answer);
        json_decref(schema);
        story_request_fini(&r);
    }
}

/* Leaves of a schema with the first allowed value, texts of a middling length: what the strictest
 * follower of it would answer. */
static json_t *example(const json_t *schema, unsigned *seed)
{
    const json_t *any = json_object_get(schema, "anyOf"), *values = json_object_get(schema, "enum");
    const char *type = json_string_value(json_object_get(schema, "type")), *key;
    json_t *value, *out;
    if (any != NULL) {
        return example(json_array_get(any, *seed % json_array_size(any)), seed);
    }
    if (values != NULL) {
        return json_incref(json_array_get(values, *seed % json_array_size(values)));
    }
    if (strcmp(type, "object") == 0) {
        out = json_object();
        json_object_foreach(json_object_get(schema, "properties"), key, value)
        {
            (void)json_object_set_new(out, key, example(value, seed));
        }
        return out;
    }
    if (strcmp(type, "array") == 0) {
        out = json_array();
        for (unsigned i = 0; i < 3; i++) {
            ++*seed;
            (void)json_array_append_new(out, example(json_object_get(schema, "items"), seed));
        }
        return out;
    }
    return json_sprintf("Text number %u of this answer.", ++*seed);
}

static void a_strict_answer_needs_no_more_than_repair_and_lengths(void **state)
{
    (void)state;
    struct story_request r = request_for("characters", "sea");
    json_t *schema = story_schema(&r, STORY_SCHEMA_STRICT, NULL, 0), *list = json_array();
    const json_t *variants = json_at(schema, "/properties/characters/items/anyOf");
    assert_int_equal(json_array_size(variants), STORY_CAST);
    unsigned seed = 0;
    for (size_t i = 0; i < STORY_CAST; i++) {
        json_t *one = example(json_array_get(variants, i), &seed);
        assert_string_equal(json_get_string(one, "id"), story_character_ids[i]);
        assert_null(json_object_get(json_object_get(one, "relationships"), story_character_ids[i]));
        assert_int_equal(json_object_size(json_object_get(one, "relationships")), STORY_CAST - 1);
        (void)json_array_append_new(list, one);
    }
    json_t *answer = json_pack("{s:o}", "characters", list);
    struct story_report report;
    assert_int_equal(story_repair(&r, answer), SF_OK);
    (void)story_validate(&r, answer, &report);
    for (size_t i = 0; i < report.n; i++) { /* texts of 30 characters are short for backgrounds */
        assert_non_null(strstr(report.list[i].path, "/background"));
    }
    assert_int_equal(report.n, STORY_CAST);
    json_decref(answer);
    json_decref(schema);
    story_request_fini(&r);
}

static void what_the_program_computes_is_required_in_no_shape(void **state)
{
    (void)state;
    struct story_request arc = request_for("story_arc", "sea");
    struct story_request chapters = request_for("chapters", "sea");
    for (unsigned s = STORY_SCHEMA_FULL; s <= STORY_SCHEMA_PLAIN; s++) {
        bool full = s == STORY_SCHEMA_FULL;
        json_t *a = story_schema(&arc, (enum story_schema_shape)s, NULL, 0);
        json_t *c = story_schema(&chapters, (enum story_schema_shape)s, NULL, 0);
        const json_t *item = json_at(a, full ? "/properties/chapters/prefixItems/4/properties"
                                             : "/properties/chapters/items/properties");
        const json_t *choice = json_at(
            c, full ? "/properties/chapters/prefixItems/0/properties/choices/items/properties"
                    : "/properties/chapters/items/properties/choices/items/properties");
        const json_t *act = json_at(a, "/properties/arcs/properties/act1/properties");
        assert_non_null(json_object_get(item, "id"));
        assert_non_null(json_object_get(item, "description"));
        assert_int_equal(json_object_get(item, "storyProgress") != NULL, full);
        assert_int_equal(json_object_get(item, "characterFocus") != NULL, full);
        assert_int_equal(json_object_get(act, "chapters") != NULL, full);
        assert_non_null(json_object_get(act, "description"));
        assert_int_equal(json_array_size(json_at(a, "/properties/arcs/properties/act1/required")),
                         1);
        assert_int_equal(
            json_array_size(json_at(c, full ? "/properties/chapters/prefixItems/0/properties/"
                                              "choices/items/required"
                                            : "/properties/chapters/items/properties/choices/items/"
                                              "required")),
            2);
        assert_int_equal(json_object_get(choice, "nextChapter") != NULL, full);
        assert_int_equal(json_object_size(json_at(choice, "/consequences/properties")),
                         full ? 1 : 4);
        json_decref(a);
        json_decref(c);
    }
    story_request_fini(&arc);
    story_request_fini(&chapters);
}

static void the_wanted_parts_make_a_flat_object(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters/2/background", "/characters/2/relationships",
                                         "/characters/4/skills/1", "/characters/3/id",
                                         "/characters/2/background"};
    struct story_request r = request_for("characters", "sea");
    json_t *schema = story_schema(&r, STORY_SCHEMA_FULL, wanted, 5);
    const json_t *properties = json_object_get(schema, "properties");
    assert_int_equal(json_object_size(properties), 3);
    const json_t *background = json_object_get(properties, "characters.2.background");
    assert_string_equal(json_get_string(background, "type"), "string");
    const json_t *relations = json_object_get(properties, "characters.2.relationships");
    assert_null(json_at(relations, "/properties/rival"));
    assert_non_null(json_at(relations, "/properties/ally"));
    assert_string_equal(json_get_string(json_object_get(properties, "characters.4.skills"), "type"),
                        "array");
    assert_int_equal(json_array_size(json_object_get(schema, "required")), 3);
    json_decref(schema);
    story_request_fini(&r);
}

static void a_wanted_array_stands_for_its_slots_unless_some_are_named(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters", "/characters/4/name"};
    struct story_request r = request_for("characters", "sea");
    json_t *all = story_schema(&r, STORY_SCHEMA_STRICT, wanted, 1);
    json_t *one = story_schema(&r, STORY_SCHEMA_STRICT, wanted, 2);
    assert_int_equal(json_object_size(json_object_get(all, "properties")), 7 * STORY_CAST);
    assert_int_equal(json_object_size(json_object_get(one, "properties")), 1);
    json_decref(all);
    json_decref(one);
    story_request_fini(&r);
}

static void nothing_to_write_means_the_whole_answer(void **state)
{
    (void)state;
    static const char *const wanted[] = {"", "/characters/0/id"};
    struct story_request r = request_for("characters", "sea");
    for (size_t i = 0; i < 2; i++) {
        json_t *schema = story_schema(&r, STORY_SCHEMA_STRICT, wanted + i, 1);
        assert_non_null(json_at(schema, "/properties/characters"));
        json_decref(schema);
    }
    story_request_fini(&r);
}

static void out_of_memory_gives_nothing(void **state)
{
    (void)state;
    struct story_request r = request_for("chapters", "sea");
    long n = 0;
    json_set_alloc_funcs(sf_alloc, free);
    json_t *whole = story_schema(&r, STORY_SCHEMA_FULL, NULL, 0), *schema = NULL;
    for (; schema == NULL; n++) {
        sf_mem_fail_after(n, 1);
        schema = story_schema(&r, STORY_SCHEMA_FULL, NULL, 0);
        sf_mem_fail_after(-1, 0);
    }
    assert_true(n > 100);
    assert_true(json_equal(schema, whole));
    json_decref(whole);
    json_decref(schema);
    story_request_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_uses_the_keywords_of_its_server_only),
        cmocka_unit_test(a_valid_answer_conforms_to_the_full_schema),
        cmocka_unit_test(what_the_validator_refuses_does_not_conform),
        cmocka_unit_test(a_strict_answer_needs_no_more_than_repair_and_lengths),
        cmocka_unit_test(what_the_program_computes_is_required_in_no_shape),
        cmocka_unit_test(the_wanted_parts_make_a_flat_object),
        cmocka_unit_test(a_wanted_array_stands_for_its_slots_unless_some_are_named),
        cmocka_unit_test(nothing_to_write_means_the_whole_answer),
        cmocka_unit_test(out_of_memory_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "story/ask.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "story/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What stands in a user message whatever the contexts: the task, bounds, form. */
#define FIXED_BYTES 8000

struct asked {
    struct story_request request;
    struct story_ask ask;
    struct sf_buf system, user;
};

static json_t *parse(const char *text)
{
    json_t *v = NULL;
    assert_int_equal(json_parse(sf_str(text), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    return v;
}

static void setup_json(struct asked *a, json_t *body_own)
{
    memset(a, 0, sizeof *a);
    assert_int_equal(story_request_init(&a->request, body_own, NULL), SF_OK);
    json_decref(body_own);
    a->ask.request = &a->request;
    a->ask.max_context_bytes = 8000;
    a->ask.seed = 7;
    sf_buf_init(&a->system, 1U << 20);
    sf_buf_init(&a->user, 1U << 20);
}

static void setup(struct asked *a, const char *body)
{
    setup_json(a, parse(body));
}

static void render(struct asked *a)
{
    sf_buf_clear(&a->system);
    sf_buf_clear(&a->user);
    story_ask_render(&a->ask, &a->system, &a->user);
    assert_int_equal(a->system.err, SF_OK);
    assert_int_equal(a->user.err, SF_OK);
    assert_true(sf_utf8_is_valid(sf_buf_str(&a->system)));
    assert_true(sf_utf8_is_valid(sf_buf_str(&a->user)));
}

static void teardown(struct asked *a)
{
    sf_buf_fini(&a->system);
    sf_buf_fini(&a->user);
    story_request_fini(&a->request);
}

static void assert_says(const struct sf_buf *b, const char *words)
{
    if (strstr(sf_buf_z(b), words) == NULL) {
        print_message("not said: %s\nin: %s\n", words, sf_buf_z(b));
    }
    assert_non_null(strstr(sf_buf_z(b), words));
}

static void assert_silent(const struct sf_buf *b, const char *words)
{
    if (strstr(sf_buf_z(b), words) != NULL) {
        print_message("said: %s\nin: %s\n", words, sf_buf_z(b));
    }
    assert_null(strstr(sf_buf_z(b), words));
}

/* Every rule of the validator that a model has to keep, in words. */
static const struct {
    const char *body, *words;
} rules[] = {
    {"{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}", "title: one line, 1 to 80 characters"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"大海\"}",
     "title: one line, 1 to 30 characters"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}",
     "50 to 300 characters, so write about"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"大海\"}",
     "50 to 300 characters, every character counting one"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}", "it will cost; 30 to 200 characters"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}",
     "themes: array of 3 to 5 different texts, each 1 to 40 characters"},
    {"{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}",
     "{\"title\": \"…\", \"genre\": \"…\", \"setting\": \"…\""},
    {"{\"task_type\":\"characters\",\"user_input\":\"sea\"}",
     "5 elements in exactly this order: protagonist, ally, rival, mentor, wildcard"},
    {"{\"task_type\":\"characters\",\"user_input\":\"sea\"}",
     "name: one line, 1 to 40 characters, each a different one"},
    {"{\"task_type\":\"characters\",\"user_input\":\"sea\"}",
     "its keys the ids of 2 to 4 other characters, each value 10 to 200 characters"},
    {"{\"task_type\":\"characters\",\"user_input\":\"sea\"}", "skills: array of 3 to 5 different"},
    {"{\"task_type\":\"characters\",\"user_input\":\"sea\"}",
     "\"relationships\": {\"ally\": \"…\", \"rival\": \"…\""},
    {"{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}",
     "12 elements in exactly this order: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"},
    {"{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}",
     "chapters[].title: one line, 1 to 60 characters, each a different one"},
    {"{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}", "arcs.act2b.description: 20 to 300"},
    {"{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}",
     "themes.secondary: array of 1 to 3 different"},
    {"{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}",
     "\"arcs\": {\"act1\": {\"description\": \"…\"}"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\",\"chapter_ids\":[12,3]}",
     "2 elements in exactly this order: 12, 3"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "content: the chapter's text"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "1000 to 3000 characters, so write"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "array of 2 to 4 objects of \"text\""},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "5 to 120 characters"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "two keys at least"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "a sign and one to three digits"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}",
     "no two choices of a chapter have the same consequences"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "12 at most (in chapter 12: 12)"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\",\"chapter_ids\":[12]}",
     "It is the last one"},
    {"{\"task_type\":\"chapters\",\"user_input\":\"sea\"}", "It opens the story"},
};

static void every_bound_of_the_validator_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct asked a;
        setup(&a, rules[i].body);
        render(&a);
        assert_says(&a.user, rules[i].words);
        assert_says(&a.user, "Answer with one JSON object and nothing else");
        assert_silent(&a.user, "storyProgress");
        assert_silent(&a.user, "characterFocus");
        assert_true(a.user.n < FIXED_BYTES);
        teardown(&a);
    }
}

static const struct {
    const char *input, *rule;
} languages[] = {
    {"一个关于太空探险的故事", "中文"},
    {"写一个 story 关于海", "中文"},
    {"海についての物語を書いて", "日本語"},
    {"바다에 관한 이야기", "한국어"},
    {"Eine Geschichte vom Meer", "in the language of the request"},
    {"A story of the sea", "in the language of the request"},
};

static void the_story_is_asked_for_in_the_language_of_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        struct asked a;
        setup_json(
            &a, json_pack("{s:s,s:s}", "task_type", "blueprint", "user_input", languages[i].input));
        render(&a);
        assert_says(&a.system, languages[i].rule);
        assert_says(&a.user, languages[i].rule);
        assert_says(&a.user, languages[i].input);
        teardown(&a);
    }
}

static void an_enforced_schema_shortens_the_form(void **state)
{
    (void)state;
    struct asked a;
    setup(&a, "{\"task_type\":\"characters\",\"user_input\":\"sea\"}");
    a.ask.schema_given = true;
    render(&a);
    assert_silent(&a.user, "\"name\": \"…\"");
    assert_says(&a.user, "name: one line, 1 to 40 characters");
    teardown(&a);
}

static void a_chapter_is_told_what_stands_around_it(void **state)
{
    (void)state;
    struct asked a;
    setup(&a, "{\"task_type\":\"chapters\",\"user_input\":\"sea\",\"chapter_ids\":[7],"
              "\"blueprint\":{\"title\":\"Tide\"},\"characters\":{\"characters\":[]},"
              "\"story_arc\":{\"chapters\":[{\"id\":6,\"title\":\"Ebb\",\"description\":\"The sea "
              "leaves.\"},{\"id\":7,\"title\":\"Salt\\u0007\",\"description\":\"They find\\nsalt."
              "\"},{\"id\":8}]}}");
    render(&a);
    assert_says(&a.user,
                "Write (58 % through the story, act2b) chapter 7, \"Salt \": They find salt.");
    assert_says(&a.user, "Before it comes chapter 6, \"Ebb\": The sea leaves.");
    assert_says(&a.user, "After it comes chapter 8: (not described");
    assert_says(&a.user, "Its blueprint: {\"title\":\"Tide\"}");
    assert_says(&a.user, "Its characters: {\"characters\":[]}");
    teardown(&a);
}

static void bare_stubs_and_nothing_at_all_ask_for_invention(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"task_type\":\"chapters\",\"user_input\":\"故事\"}",
        "{\"task_type\":\"story_arc\",\"user_input\":\"x\",\"blueprint\":{\"title\":\"测试\"}}",
        "{\"task_type\":\"chapters\",\"user_input\":\"x\",\"story_arc\":{\"chapters\":[{}]}}",
        "{\"task_type\":\"characters\",\"user_input\":\"故事\",\"blueprint\":{}}",
    };
    for (size_t i = 0; i < 4; i++) {
        struct asked a;
        setup(&a, bodies[i]);
        render(&a);
        assert_says(&a.user, "invent");
        teardown(&a);
    }
}

static void missing_parts_are_named_with_their_bounds_and_nothing_else_is(void **state)
{
    (void)state;
    static const char *const wanted[] = {"/characters/2/background", "/characters/1/relationships"};
    struct asked a;
    setup(&a, "{\"task_type\":\"characters\",\"user_input\":\"sea\"}");
    json_t *partial = parse("{\"characters\":[{\"id\":\"protagonist\",\"name\":\"Mara\"}]}");
    a.ask.wanted = wanted;
    a.ask.n_wanted = 2;
    a.ask.partial = partial;
    render(&a);
    assert_says(&a.user, "Only these parts of the answer are missing or wrong");
    assert_says(&a.user, "- \"characters.1.relationships\" (of ally): ");
    assert_says(&a.user, "- \"characters.2.background\" (of rival): ");
    assert_says(&a.user, "50 to 300 characters");
    assert_says(&a.user, "{\"characters\":[{\"id\":\"protagonist\",\"name\":\"Mara\"}]}");
    assert_says(&a.user, "{\"characters.1.relationships\": {\"protagonist\": \"…\"");
    assert_silent(&a.user, "motivation");
    json_decref(partial);
    teardown(&a);
}

static void the_owners_prompt_stands_for_the_task_and_the_form_follows_it(void **state)
{
    (void)state;
    struct asked a;
    setup(&a, "{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}");
    a.ask.prompt = "My own words about the sea.";
    render(&a);
    assert_int_equal(strncmp(sf_buf_z(&a.user), a.ask.prompt, strlen(a.ask.prompt)), 0);
    assert_silent(&a.user, "Write the blueprint of");
    assert_says(&a.user, "themes: array of 3 to 5");
    assert_says(&a.user, "Answer with one JSON object");
    teardown(&a);
}

static void the_seed_changes_what_an_answer_leans_on(void **state)
{
    (void)state;
    struct asked a;
    struct sf_buf first;
    size_t different = 0;
    setup(&a, "{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}");
    sf_buf_init(&first, 1U << 16);
    a.ask.seed = 0;
    render(&a);
    sf_buf_add_str(&first, sf_buf_str(&a.user));
    for (uint64_t seed = 1; seed <= 20; seed++) {
        a.ask.seed = seed;
        render(&a);
        different += strcmp(sf_buf_z(&first), sf_buf_z(&a.user)) != 0 ? 1 : 0;
    }
    assert_true(different >= 18);
    sf_buf_fini(&first);
    teardown(&a);
}

static json_t *long_text(const char *piece, size_t times)
{
    struct sf_buf b;
    sf_buf_init(&b, 4U << 20);
    for (size_t i = 0; i < times; i++) {
        sf_buf_puts(&b, piece);
    }
    json_t *v = json_stringn(sf_buf_z(&b), b.n);
    sf_buf_fini(&b);
    return v;
}

static json_t *deep(unsigned depth)
{
    json_t *v = json_string("bottom");
    for (unsigned i = 0; i < depth; i++) {
        v = i % 2 == 0 ? json_pack("[o]", v) : json_pack("{s:o}", "k", v);
    }
    return v;
}

static json_t *crowd(size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(list, json_pack("{s:i, s:o, s:o}", "id", (int)i, "title",
                                                    long_text("长", 50), "description",
                                                    long_text("海", 300)));
    }
    return list;
}

/* Contexts of megabytes, of any depth: the message stays within its bounds at every limit. */
static void hostile_contexts_are_cut_to_the_limit(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 1, 23, 24, 100, 1001, 4002, 8003, 60000};
    json_t *body =
        json_pack("{s:s, s:o, s:[i,i,i], s:{s:o, s:o}, s:{s:o}, s:{s:o}}", "task_type", "chapters",
                  "user_input", long_text("海\x01上", 5000), "chapter_ids", 5, 6, 12, "blueprint",
                  "title", long_text("蓝", 400000), "x", deep(28), "characters", "characters",
                  crowd(3000), "story_arc", "chapters", crowd(13));
    struct asked a;
    setup_json(&a, body);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        a.ask.max_context_bytes = limits[i];
        render(&a);
        assert_true(a.user.n < limits[i] + FIXED_BYTES);
        for (size_t k = 0; k < a.user.n; k++) {
            assert_true((unsigned char)a.user.p[k] >= 0x20 || a.user.p[k] == '\n');
        }
    }
    assert_says(&a.user, "The story's arc: ");
    assert_says(&a.user, "Its characters: ");
    assert_says(&a.user, "Its blueprint: ");
    assert_silent(&a.user, "bottom");
    teardown(&a);
}

static void the_most_specific_context_keeps_the_most(void **state)
{
    (void)state;
    struct asked a;
    setup_json(&a, json_pack("{s:s, s:s, s:{s:o}, s:{s:o}}", "task_type", "story_arc", "user_input",
                             "sea", "blueprint", "setting", long_text("old ", 2000), "characters",
                             "characters", crowd(5)));
    a.ask.max_context_bytes = 8000;
    render(&a);
    const char *newest = strstr(sf_buf_z(&a.user), "Its characters: ");
    const char *oldest = strstr(sf_buf_z(&a.user), "Its blueprint: ");
    assert_true(newest != NULL && oldest > newest);
    assert_true(oldest - newest > 5000);
    teardown(&a);
}

static void memory_that_runs_out_is_a_sticky_error(void **state)
{
    (void)state;
    struct asked a;
    setup(&a,
          "{\"task_type\":\"characters\",\"user_input\":\"sea\",\"blueprint\":{\"title\":\"x\"}}");
    json_set_alloc_funcs(sf_alloc, free);
    enum sf_err err = SF_ENOMEM;
    for (long n = 0; err != SF_OK; n++) {
        sf_buf_fini(&a.system);
        sf_buf_fini(&a.user);
        sf_mem_fail_after(n, 1);
        story_ask_render(&a.ask, &a.system, &a.user);
        sf_mem_fail_after(-1, 0);
        err = a.system.err != SF_OK ? a.system.err : a.user.err;
        assert_true(err == SF_OK || err == SF_ENOMEM);
    }
    assert_says(&a.user, "\"relationships\": {");
    teardown(&a);
}

static void the_output_cap_holds_the_longest_answer(void **state)
{
    (void)state;
    struct asked one, twelve, chinese, cast;
    setup(&one, "{\"task_type\":\"chapters\",\"user_input\":\"sea\"}");
    setup(&twelve, "{\"task_type\":\"chapters\",\"user_input\":\"sea\","
                   "\"chapter_ids\":[1,2,3,4,5,6,7,8,9,10,11,12]}");
    setup(&chinese, "{\"task_type\":\"chapters\",\"user_input\":\"大海\"}");
    setup(&cast, "{\"task_type\":\"characters\",\"user_input\":\"sea\"}");
    int64_t n = story_ask_output_tokens(&one.request, 0);
    assert_true(n > 3000 / 4 && n < 4096); /* fits GPT-3.5's output */
    assert_true(story_ask_output_tokens(&twelve.request, 0) > 10 * n);
    assert_true(story_ask_output_tokens(&chinese.request, 0) > 3000);
    assert_true(story_ask_output_tokens(&cast.request, 1) <
                story_ask_output_tokens(&cast.request, 0) / 4);
    assert_true(story_ask_output_tokens(&cast.request, 100000) ==
                story_ask_output_tokens(&cast.request, 0));
    teardown(&one);
    teardown(&twelve);
    teardown(&chinese);
    teardown(&cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bound_of_the_validator_is_said),
        cmocka_unit_test(the_story_is_asked_for_in_the_language_of_the_request),
        cmocka_unit_test(an_enforced_schema_shortens_the_form),
        cmocka_unit_test(a_chapter_is_told_what_stands_around_it),
        cmocka_unit_test(bare_stubs_and_nothing_at_all_ask_for_invention),
        cmocka_unit_test(missing_parts_are_named_with_their_bounds_and_nothing_else_is),
        cmocka_unit_test(the_owners_prompt_stands_for_the_task_and_the_form_follows_it),
        cmocka_unit_test(the_seed_changes_what_an_answer_leans_on),
        cmocka_unit_test(hostile_contexts_are_cut_to_the_limit),
        cmocka_unit_test(the_most_specific_context_keeps_the_most),
        cmocka_unit_test(memory_that_runs_out_is_a_sticky_error),
        cmocka_unit_test(the_output_cap_holds_the_longest_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

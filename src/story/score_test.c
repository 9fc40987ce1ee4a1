/* SPDX-License-Identifier: MIT */
/* Golden values of the rubric, worked out by hand from its text. */
#include "story/score.h"

#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *sample(enum story_task task)
{
    struct sf_buf path, text;
    json_t *v = NULL;
    sf_buf_init(&path, 4096);
    sf_buf_init(&text, 1U << 20);
    sf_buf_printf(&path, SOURCE_DIR "/tests/data/story/%s.json", story_task_name(task));
    assert_int_equal(sf_file_read(sf_buf_z(&path), &text, NULL), SF_OK);
    assert_int_equal(json_parse(sf_buf_str(&text), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    sf_buf_fini(&path);
    sf_buf_fini(&text);
    if (task == STORY_CHAPTERS_TASK) /* one of them, as the request asks */
        (void)json_array_remove(json_object_get(v, "chapters"), 1);
    return v;
}

static struct story_score score(enum story_task task, const json_t *output, double seconds,
                                const char *mode)
{
    struct story_request r;
    struct story_score s;
    struct story_score_options o = {.seconds = seconds, .mode = mode};
    json_t *body = json_pack("{s:s, s:s}", "task_type", story_task_name(task), "user_input", "sea");
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    story_score(&r, output, &o, &s);
    double technical, structure;
    story_score_form(&r, output, seconds, &technical, &structure);
    assert_true(!(technical < s.technical) && !(technical > s.technical));
    assert_true(!(structure < s.structure) && !(structure > s.structure));
    story_request_fini(&r);
    json_decref(body);
    return s;
}

static void assert_near(double got, double wanted)
{
    if (fabs(got - wanted) > 1e-6)
        fail_msg("%f is not %f", got, wanted);
}

static void the_samples_have_full_points(void **state)
{
    (void)state;
    for (int task = 0; task < STORY_TASK_COUNT; task++) {
        json_t *v = sample((enum story_task)task);
        struct story_score s = score((enum story_task)task, v, 10, "local");
        assert_near(s.technical, 30);
        assert_near(s.structure, 40);
        assert_true(s.content >= 0 && s.content <= 30);
        assert_near(s.base, 20 + 30 + s.content / 30 * 20);
        json_decref(v);
    }
}

static void time_costs_a_third_of_a_point_a_second(void **state)
{
    static const struct {
        double seconds, technical;
    } cases[] = {{0, 30}, {30, 30}, {31, 29.67}, {45, 25.05}, {60, 20.1}, {60.5, 20}};
    json_t *v = sample(STORY_BLUEPRINT);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(score(STORY_BLUEPRINT, v, cases[i].seconds, "local").technical,
                    cases[i].technical);
    json_decref(v);
}

/* A sample with one value changed: what it scores then. */
static const struct {
    enum story_task task;
    const char *pointer, *json; /* NULL: the member is taken out */
    double technical, structure;
} changed[] = {
    {STORY_BLUEPRINT, "/genre", NULL, 10 + 10 * 6.0 / 7 + 10, 20 * 6.0 / 7 + 20},
    {STORY_BLUEPRINT, "/setting", "\"forty characters of setting, not quite 50\"", 30, 38},
    {STORY_BLUEPRINT, "/setting", "\"too short\"", 30, 35},
    {STORY_BLUEPRINT, "/core_conflict", "\"twenty characters..\"", 30, 38},
    {STORY_BLUEPRINT, "/core_conflict", "\"no\"", 30, 35},
    {STORY_BLUEPRINT, "/themes", "[\"a\"]", 20, 35},
    {STORY_BLUEPRINT, "/themes", "[]", 20, 30},
    {STORY_BLUEPRINT, "/themes", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]", 20, 35},
    {STORY_BLUEPRINT, "/themes", "\"love\"", 20, 30},
    {STORY_CHARACTERS, "/characters/0/relationships", "{\"ally\":\"a friend of hers\"}", 30, 39},
    {STORY_CHARACTERS, "/characters/0/relationships", "{}", 30, 38},
    {STORY_CHARACTERS, "/characters/0/skills", NULL, 30, 40 - 10.0 / 40},
    {STORY_CHARACTERS, "/characters", "[]", 20, 0},
    {STORY_ARC, "/themes", "[\"a\"]", 25, 40},
    {STORY_ARC, "/hooks", NULL, 10 + 10 * (5.0 / 6) * 0.5 + 10, 40},
    {STORY_ARC, "/chapters/3/storyProgress", "0.25", 30, 30},
    {STORY_ARC, "/arcs/act3/chapters", "[10,11]", 30, 30},
    {STORY_ARC, "/chapters", "[]", 30, 10},
    {STORY_CHAPTERS_TASK, "/chapters/0/content", "\"short\"", 30, 20},
    {STORY_CHAPTERS_TASK, "/chapters/0/choices", "[]", 30, 20},
    {STORY_CHAPTERS_TASK, "/chapters/0/content", NULL, 20, 20},
    {STORY_CHAPTERS_TASK, "/chapters", "[]", 20, 0},
};

static void take_out(json_t *root, const char *pointer)
{
    char parent[80];
    (void)snprintf(parent, sizeof parent, "%s", pointer);
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    assert_int_equal(json_object_del(parent[0] ? json_at(root, parent) : root, slash + 1), 0);
}

static void every_part_counts_as_the_rubric_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        json_t *v = sample(changed[i].task), *value = NULL;
        if (changed[i].json) {
            assert_int_equal(json_parse(sf_str(changed[i].json), JSON_LIMITS_DEFAULT, &value, NULL),
                             SF_OK);
            assert_int_equal(json_set_at_new(v, changed[i].pointer, value), SF_OK);
        } else {
            take_out(v, changed[i].pointer);
        }
        struct story_score s = score(changed[i].task, v, 1, "local");
        if (fabs(s.technical - changed[i].technical) > 1e-6 ||
            fabs(s.structure - changed[i].structure) > 1e-6)
            fail_msg("%s: technical %f, structure %f", changed[i].pointer, s.technical,
                     s.structure);
        json_decref(v);
    }
}

static void length_of_a_chapter_is_graded(void **state)
{
    static const struct {
        size_t characters;
        double structure;
    } cases[] = {{499, 20},  {500, 28},  {799, 28},  {800, 34},  {999, 34},
                 {1000, 40}, {3000, 40}, {3001, 36}, {3500, 36}, {3501, 20}};
    static char text[4000];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *v = sample(STORY_CHAPTERS_TASK);
        memset(text, 'x', cases[i].characters);
        assert_int_equal(
            json_set_at_new(v, "/chapters/0/content", json_stringn(text, cases[i].characters)),
            SF_OK);
        assert_near(score(STORY_CHAPTERS_TASK, v, 1, "local").structure, cases[i].structure);
        json_decref(v);
    }
}

static void choices_with_the_same_consequences_count_once(void **state)
{
    (void)state;
    json_t *v = sample(STORY_CHAPTERS_TASK);
    json_t *choices = json_at(v, "/chapters/0/choices");
    size_t n = json_array_size(choices);
    (void)json_object_set(json_array_get(choices, 1), "consequences",
                          json_object_get(json_array_get(choices, 0), "consequences"));
    assert_near(score(STORY_CHAPTERS_TASK, v, 1, "local").structure,
                30 + 10 * (double)(n - 1) / (double)n);
    json_decref(v);
}

static void modes_multiply(void **state)
{
    static const struct {
        const char *mode;
        double multiplier;
    } cases[] = {{"local", 1.5}, {"vllm", 1.5}, {"custom", 1},
                 {"api", 0.5},   {NULL, 0.5},   {"x", 0.5}};
    json_t *v = sample(STORY_BLUEPRINT);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story_score s = score(STORY_BLUEPRINT, v, 1, cases[i].mode);
        assert_near(s.multiplier, cases[i].multiplier);
        double reward = s.base / 70 * 100 * s.multiplier;
        assert_near(s.reward, reward > 100 ? 100 : reward);
    }
    json_decref(v);
}

static void below_sixty_there_is_no_reward(void **state)
{
    (void)state;
    json_t *nothing = json_object();
    struct story_score s = score(STORY_ARC, nothing, 61, "local");
    assert_near(s.technical, 10);
    assert_near(s.structure, 0);
    assert_near(s.reward, 0);
    json_decref(nothing);
    json_t *list = json_array();
    s = score(STORY_ARC, list, 1, "local");
    assert_near(s.technical + s.structure + s.content + s.base + s.reward, 0);
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples_have_full_points),
        cmocka_unit_test(time_costs_a_third_of_a_point_a_second),
        cmocka_unit_test(every_part_counts_as_the_rubric_says),
        cmocka_unit_test(length_of_a_chapter_is_graded),
        cmocka_unit_test(choices_with_the_same_consequences_count_once),
        cmocka_unit_test(modes_multiply),
        cmocka_unit_test(below_sixty_there_is_no_reward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

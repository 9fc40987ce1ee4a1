/* SPDX-License-Identifier: MIT */
#include "story/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_pointer_finds_the_row_that_owns_it(void **state)
{
    (void)state;
    static const struct {
        enum story_task task;
        const char *pointer, *name;
        unsigned min, max;
    } cases[] = {
        {STORY_BLUEPRINT, "/title", "title", 1, 80},
        {STORY_BLUEPRINT, "/themes/2", "themes", 1, 40},
        {STORY_CHARACTERS, "/characters/4/background", "background", 50, 300},
        {STORY_CHARACTERS, "/characters/0/relationships/ally", "relationships", 10, 200},
        {STORY_ARC, "/chapters/11/title", "title", 1, 60},
        {STORY_ARC, "/arcs/act2b/description", "description", 20, 300},
        {STORY_CHAPTERS_TASK, "/chapters/0/content", "content", 1000, 3000},
        {STORY_CHAPTERS_TASK, "/chapters/0/choices/1/text", "choices", 5, 120},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct story_slot *slot = story_slot_at(cases[i].task, cases[i].pointer);
        assert_non_null(slot);
        assert_string_equal(slot->name, cases[i].name);
        assert_int_equal(slot->min_chars, cases[i].min);
        assert_int_equal(slot->max_chars, cases[i].max);
    }
}

static void a_foreign_pointer_finds_nothing(void **state)
{
    (void)state;
    assert_null(story_slot_at(STORY_BLUEPRINT, "/titles"));
    assert_null(story_slot_at(STORY_BLUEPRINT, ""));
    assert_null(story_slot_at(STORY_ARC, "/arcs/act2/description"));
    assert_null(story_slot_at(STORY_CHARACTERS, "/characters/x/name"));
}

static void titles_in_chinese_are_shorter(void **state)
{
    (void)state;
    const struct story_slot *title = story_slot_at(STORY_ARC, "/title");
    assert_int_equal(story_slot_max_chars(title, SF_STR("星海")), 30);
    assert_int_equal(story_slot_max_chars(title, SF_STR("Sea of stars")), 80);
    const struct story_slot *chapter = story_slot_at(STORY_ARC, "/chapters/0/title");
    assert_int_equal(story_slot_max_chars(chapter, SF_STR("星海")), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_finds_the_row_that_owns_it),
        cmocka_unit_test(a_foreign_pointer_finds_nothing),
        cmocka_unit_test(titles_in_chinese_are_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

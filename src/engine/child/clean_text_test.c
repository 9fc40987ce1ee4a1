/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    enum slot_form form;
    enum cue_language lang;
    unsigned min, max;
    const char *raw, *clean; /* NULL: refused */
} cases[] = {
    {FORM_TITLE, CUE_EN, 3, 60, "\"the lost harbour of", "The Lost Harbour"},
    {FORM_TITLE, CUE_EN, 3, 60, " a unusual guest.", "An Unusual Guest"},
    {FORM_TITLE, CUE_EN, 3, 60, "the keeper and his", "The Keeper"},
    {FORM_TITLE, CUE_EN, 3, 60, "The Man Who Sold The Sea To The Moon", NULL},
    {FORM_TITLE, CUE_EN, 3, 60, "Ash", NULL},
    {FORM_TITLE, CUE_EN, 3, 12, "The Very Long Harbour", NULL},
    {FORM_TITLE, CUE_ZH, 1, 30, "《海的声音》", "海的声音"},
    {FORM_TEXT, CUE_EN, 10, 80, "mara opened  the door . It was\n\ndark. And then she",
     "Mara opened the door. It was dark."},
    {FORM_TEXT, CUE_EN, 10, 40, "Mara opened the door of the house, slowly, and listened.",
     "Mara opened the door of the house."},
    {FORM_TEXT, CUE_EN, 10, 200, "As an AI, I like doors. They open well.", NULL},
    {FORM_TEXT, CUE_EN, 10, 200, "She said \"go. He went home again.", NULL},
    {FORM_TEXT, CUE_EN, 10, 200,
     "He ran to the end of the road. He waited. He ran to the end of the road.", NULL},
    {FORM_TEXT, CUE_EN, 10, 200, "She looked at him and said, 'No one can go. They went.", NULL},
    {FORM_TEXT, CUE_EN, 10, 200, "She said, 'No one can go,' and it was the sailors' end.",
     "She said, 'No one can go,' and it was the sailors' end."},
    {FORM_CHOICE, CUE_EN, 5, 60, "wait until dawn to find out who it",
     "Wait until dawn to find out"},
    {FORM_TEXT, CUE_EN, 60, 200, "Too short for it.", NULL},
    {FORM_TEXT, CUE_ZH, 4, 40, "他打开了门，外面下着雨。她没有", "他打开了门，外面下着雨。"},
    {FORM_CONTENT, CUE_ZH, 4, 99,
     "他听见一声喊叫。声音像电铃，像，像，就，好像，就像，像，犹如，如同，似。",
     "他听见一声喊叫。"},
    {FORM_CONTENT, CUE_ZH, 4, 99, "“走吧，”他说，“快，快。”门开了，灯灭了。",
     "“走吧，”他说，“快，快。”门开了，灯灭了。"},
    {FORM_CONTENT, CUE_ZH, 4, 99, "他想，那是什么？没有人回答。", "他想，那是什么？没有人回答。"},
    {FORM_SENTENCE, CUE_ZH, 4, 99, "为了阻止陆沉，林星必须放弃什么？", NULL},
    {FORM_CHOICE, CUE_ZH, 4, 99, "等到他爸爸回来吗", NULL},
    {FORM_CHOICE, CUE_EN, 5, 60, "open the door and look, or wait.", "Open the door and look"},
    {FORM_CHOICE, CUE_EN, 5, 60, "Run", NULL},
    {FORM_CHOICE, CUE_EN, 5, 60, "click here to continue", NULL},
    {FORM_TEXT, CUE_EN, 1, 50, "", NULL},
    {FORM_TEXT, CUE_EN, 1, 50, "\xff\xfe broken.", NULL},
};

static void texts_are_cleaned_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *z = clean_text(cases[i].form, cases[i].lang, sf_str(cases[i].raw), cases[i].min,
                             cases[i].max);
        if (cases[i].clean)
            assert_string_equal(z ? z : "(refused)", cases[i].clean);
        else if (z)
            fail_msg("not refused: %s", z);
        free(z);
    }
}

static void similarity_counts_common_pairs(void **state)
{
    (void)state;
    assert_true(text_similarity(SF_STR("The sea"), SF_STR("the SEA")) > 0.99);
    assert_true(text_similarity(SF_STR("abcdef"), SF_STR("uvwxyz")) < 0.01);
    assert_true(text_similarity(SF_STR(""), SF_STR("")) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cleaned_or_refused),
        cmocka_unit_test(similarity_counts_common_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

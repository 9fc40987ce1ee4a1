/* SPDX-License-Identifier: MIT */
#include "engine/child/mend_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void articles_fit_the_next_word(void **state)
{
    static const char *const cases[][2] = {
        {"A Unfortunate Choice", "An Unfortunate Choice"},
        {"He saw a owl and an door.", "He saw an owl and a door."},
        {"an hour, a honest man", "an hour, an honest man"},
        {"a university, an one-eyed king", "a university, a one-eyed king"},
        {"an uninvited guest, a utter fool", "an uninvited guest, an utter fool"},
        {"plan a. Every day", "plan a. Every day"},
        {"A, an", "A, an"},
        {"", ""},
        {"a", "a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sf_buf b;
        sf_buf_init(&b, 1000);
        mend_articles(sf_str(cases[i][0]), &b);
        assert_string_equal(sf_buf_z(&b), cases[i][1]);
        sf_buf_fini(&b);
    }
}

static void a_first_name_keeps_its_surname(void **state)
{
    static const char *const names[] = {"Ines Vidal", "Runa Voss", "Emil Alder", "Tomas"};
    static const char *const cases[][2] = {
        {"Ines Voss owes Runa Vidal.", "Ines Vidal owes Runa Voss."},
        {"Emil Alder's map; Emil, Voss.", "Emil Alder's map; Emil, Voss."},
        {"Ines Runa Alder", "Ines Runa Voss"},
        {"Tomas Voss", "Tomas Voss"},
        {"Ines Valley", "Ines Valley"},
        {"Inessa Voss", "Inessa Voss"},
        {"\"Ines Alder\"", "\"Ines Vidal\""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sf_buf b;
        sf_buf_init(&b, 1000);
        mend_surnames(sf_str(cases[i][0]), names, 4, &b);
        assert_string_equal(sf_buf_z(&b), cases[i][1]);
        sf_buf_fini(&b);
    }
}

static void names_are_written_as_names(void **state)
{
    static const char *const words[] = {"Thea", "Mercer"};
    static const char *const cases[][2] = {
        {"He was with thea mercer for long.", "He was with Thea Mercer for long."},
        {"thea, Thea", "Thea, Thea"},
        {"Thea Thea joins Mercer", "Thea joins Mercer"},
        {"theatre and commerce, THEA", "theatre and commerce, THEA"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sf_buf b;
        sf_buf_init(&b, 1000);
        mend_name_words(sf_str(cases[i][0]), words, 2, &b);
        assert_string_equal(sf_buf_z(&b), cases[i][1]);
        sf_buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(articles_fit_the_next_word),
        cmocka_unit_test(a_first_name_keeps_its_surname),
        cmocka_unit_test(names_are_written_as_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

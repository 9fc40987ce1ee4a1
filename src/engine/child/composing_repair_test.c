/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A wave of two: `one` has just ended, `other` is under way. */
struct fixture {
    struct composer c;
    struct engine_model model;
    struct slot one, other, *slots[2];
    char texts[2][VAR_ROOM];
    unsigned groups[2];
};

static const char fine[] =
    "Ines grew up between the harbour cranes and learned to read from the names of the ships.";
static const char brief[] = "Ines grew up by the sea.";
static const char looping[] =
    "Ines guards the lantern that guards the harbour, and the harbour guards "
    "the lantern, whose lantern guards the harbour.";

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->c.m = &f->model;
    f->c.book = &cue_books[CUE_EN];
    f->c.o.target = sf_after(sf_now(), 60000);
    f->c.group_texts = f->texts;
    f->c.group_of = f->groups;
    f->slots[0] = &f->one;
    f->slots[1] = &f->other;
    f->c.slots = f->slots;
    f->c.n_slots = 2;
    f->c.n_asked = 2;
    text_copy(f->c.cast[0].first, sizeof f->c.cast[0].first, SF_STR("Ines"));
    text_copy(f->c.cast[0].full, sizeof f->c.cast[0].full, SF_STR("Captain Ines Vidal"));
    text_copy(f->c.cast[1].first, sizeof f->c.cast[1].first, SF_STR("Emil"));
    for (size_t i = 0; i < 2; i++) {
        struct slot *s = f->slots[i];
        s->form = FORM_TEXT;
        s->aim = 80;
        s->group = 1;
        s->claim = CLAIM_NONE;
        s->submitted = true;
        s->asked = sf_now();
    }
    f->one.job.n_chars = 20;
    f->other.aim = 4000;
}

static enum repair verdict(struct fixture *f, const char *text)
{
    return composer_repair(&f->c, &f->one, sf_str(text));
}

static void fini(struct fixture *f)
{
    free(f->one.draft);
}

static void weak_texts_are_asked_for_again(void **state)
{
    static const char *const cases[] = {
        brief,
        looping,
        "Nobody knew why the enemy, Ines, had come so late to the council of the harbour.",
        "Ines, the faithful friend, was the only one who kept the council of the harbour.",
        "With a map in her hand, Ines and Ines must decide who leaves the harbour before dawn.",
        "Nobody listened when Captain Vidal, the stranger, came to the council of the harbour.",
        "Ines arrived on the island of Grey Point with her family in the early n a s e r e."};
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(&f);
        assert_int_equal(verdict(&f, cases[i]), REPAIR_AGAIN);
        assert_string_equal(f.one.draft, cases[i]);
        fini(&f);
    }
    setup(&f);
    assert_int_equal(verdict(&f, fine), REPAIR_TAKE);
    text_copy(f.texts[0], VAR_ROOM,
              SF_STR("Ines grew up between the harbour cranes and learned to "
                     "swim from the names of the ships."));
    f.groups[0] = 1;
    f.c.n_group_texts = 1; /* what is too like another one */
    assert_int_equal(verdict(&f, fine), REPAIR_AGAIN);
    fini(&f);
}

static void the_better_of_two_texts_is_taken(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f);
    assert_int_equal(verdict(&f, brief), REPAIR_AGAIN);
    assert_int_equal(verdict(&f, fine), REPAIR_TAKE);
    assert_int_equal(verdict(&f, "Ines was here."), REPAIR_DRAFT);
    assert_int_equal(verdict(&f, brief), REPAIR_DRAFT); /* no better is no gain */
    fini(&f);
}

/* Each of them changes what a weak text would be asked again for. */
static void nothing_is_repaired_that_would_cost_time(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < 8; i++) {
        setup(&f);
        if (i == 0)
            f.c.o.target = sf_after(sf_now(), -1000);
        else if (i == 1)
            f.c.hurried = true;
        else if (i == 2)
            f.c.late = true;
        else if (i == 3)
            f.other.finished = true; /* nobody else writes */
        else if (i == 4)
            f.other.aim = 10; /* nor for so long */
        else if (i == 5)
            f.one.repaired = true;
        else if (i == 6)
            f.c.n_rewritten = 1; /* of two texts one is enough */
        else
            f.model.synthetic = true;
        assert_int_equal(verdict(&f, brief), REPAIR_TAKE);
        assert_null(f.one.draft);
        fini(&f);
    }
    setup(&f); /* where texts are written one after the other, nobody waits beside it */
    f.c.o.sequential = true;
    f.other.finished = true;
    assert_int_equal(verdict(&f, brief), REPAIR_AGAIN);
    fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_texts_are_asked_for_again),
        cmocka_unit_test(the_better_of_two_texts_is_taken),
        cmocka_unit_test(nothing_is_repaired_that_would_cost_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

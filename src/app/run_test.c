/* SPDX-License-Identifier: MIT */
#include "run.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_a_failed_hop_wrote_is_not_counted(void **state)
{
    (void)state;
    struct progress silent;
    progress_init(&silent, NULL);
    struct writing w = {.task = "blueprint", .progress = &silent};
    struct gen_event text = {.kind = GEN_EVENT_SLOT_TEXT, .text = SF_STR("twelve bytes")};
    struct gen_event done = {.kind = GEN_EVENT_SLOT_DONE, .text = SF_STR("twelve bytes")};
    struct gen_event next = {.kind = GEN_EVENT_HOP_STARTED, .text = SF_STR("api")};
    on_event(&w, &text);
    on_event(&w, &done);
    assert_int_equal(w.slots, 1);
    assert_int_equal(w.characters, 12);
    on_event(&w, &next);
    assert_int_equal(w.slots, 0);
    assert_int_equal(w.characters, 0);
    on_event(&w, &text);
    assert_int_equal(w.characters, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_failed_hop_wrote_is_not_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/engine_ladder.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* As waitpid tells them: a signal in the low bits, an exit status above. */
#define BY_SIGNAL(s) (s)
#define BY_EXIT(c) ((c) << 8)
#define OURS (-1)

static void only_memory_is_taken_for_memory(void **state)
{
    static const struct {
        enum sf_err err;
        int status;
        enum engine_end want;
    } rows[] = {
        {SF_ENOMEM, BY_EXIT(0), ENGINE_END_ROOM}, /* the library refused, the child said so */
        {SF_ENOMEM, OURS, ENGINE_END_ROOM},
        {SF_ECRASH, BY_SIGNAL(SIGKILL), ENGINE_END_ROOM}, /* the kernel's */
        {SF_ECRASH, BY_EXIT(ENGINE_EXIT_MEMORY), ENGINE_END_ROOM},
        {SF_ECRASH, OURS, ENGINE_END_OTHER}, /* we killed what hung */
        {SF_ECRASH, BY_SIGNAL(SIGSEGV), ENGINE_END_OTHER},
        {SF_ECRASH, BY_SIGNAL(SIGABRT), ENGINE_END_OTHER},
        {SF_ECRASH, BY_SIGNAL(SIGBUS), ENGINE_END_OTHER},
        {SF_ECRASH, BY_EXIT(127), ENGINE_END_OTHER}, /* a missing symbol */
        {SF_ECRASH, BY_EXIT(0), ENGINE_END_OTHER},
        {SF_ESLOW, OURS, ENGINE_END_OTHER},
        {SF_ESLOW, BY_SIGNAL(SIGKILL), ENGINE_END_OTHER},
        {SF_EMODEL, BY_EXIT(0), ENGINE_END_FILE},
        {SF_ECONFIG, BY_EXIT(0), ENGINE_END_DEVICE},
        {SF_EPARSE, OURS, ENGINE_END_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(engine_end_of(rows[i].err, rows[i].status), rows[i].want);
    }
}

static const struct engine_size sizes[] = {
    {.device = "cuda:0"}, {.device = "cuda:0"}, {.device = "cpu"}, {.device = "cpu"}};

static void too_little_memory_steps_down_and_then_rests(void **state)
{
    (void)state;
    for (size_t no = 0; no < 4; no++) {
        struct engine_step s = engine_step_after(sizes, 4, no, ENGINE_END_ROOM, 0);
        assert_int_equal(s.size_no, no < 3 ? no + 1 : 0);
        assert_int_equal(s.pause, no < 3 ? ENGINE_PAUSE_NONE : ENGINE_PAUSE_LONG);
    }
    struct engine_step alone = engine_step_after(sizes, 1, 0, ENGINE_END_ROOM, 0);
    assert_int_equal(alone.pause, ENGINE_PAUSE_LONG);
}

static void a_device_that_is_not_there_is_left_at_once(void **state)
{
    (void)state;
    struct engine_step s = engine_step_after(sizes, 4, 0, ENGINE_END_DEVICE, 0);
    assert_int_equal(s.size_no, 2);
    assert_int_equal(s.pause, ENGINE_PAUSE_NONE);
    s = engine_step_after(sizes, 2, 0, ENGINE_END_DEVICE, 0); /* device: cuda */
    assert_int_equal(s.size_no, 0);
    assert_int_equal(s.pause, ENGINE_PAUSE_LONG);
}

static void other_ends_keep_the_size_and_are_no_loop(void **state)
{
    (void)state;
    for (unsigned failed = 1; failed < 5; failed++) {
        struct engine_step s = engine_step_after(sizes, 4, 1, ENGINE_END_OTHER, failed);
        assert_int_equal(s.pause, failed < 3 ? ENGINE_PAUSE_BACKOFF : ENGINE_PAUSE_LONG);
        assert_int_equal(s.size_no, failed < 3 ? 1 : 0);
    }
    struct engine_step s = engine_step_after(sizes, 4, 1, ENGINE_END_FILE, 0);
    assert_int_equal(s.pause, ENGINE_PAUSE_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_memory_is_taken_for_memory),
        cmocka_unit_test(too_little_memory_steps_down_and_then_rests),
        cmocka_unit_test(a_device_that_is_not_there_is_left_at_once),
        cmocka_unit_test(other_ends_keep_the_size_and_are_no_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

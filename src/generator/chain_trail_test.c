/* SPDX-License-Identifier: MIT */
#include "generator/listener_test.h"

/* What a looker-on has seen: "g0? " is being asked, "g0! " answered, "g0x " failed, "g0- " passed
 * over; one line a change. */
struct looker {
    char seen[2048];
    size_t n;
};

static void look(void *arg, const struct gen_trail *trail)
{
    static const char marks[] = {[GEN_STEP_OK] = '!', [GEN_STEP_FAILED] = 'x'};
    struct looker *l = arg;
    for (size_t i = 0; i < trail->n && l->n + 80 < sizeof l->seen; i++) {
        const struct gen_step *s = &trail->steps[i];
        char mark = s->outcome != GEN_STEP_SKIPPED ? marks[s->outcome]
                    : s->reason[0] == '\0'         ? '?'
                                                   : '-';
        l->n += (size_t)snprintf(l->seen + l->n, sizeof l->seen - l->n, "%s%c ", s->name, mark);
    }
    l->n += (size_t)snprintf(l->seen + l->n, sizeof l->seen - l->n, "\n");
}

static enum sf_err ask_looking(struct gen_chain *c, struct looker *l, _Atomic int64_t *tokens)
{
    struct gen_trail trail;
    struct asking a = {.within = 10000, .on_trail = look, .trail_arg = l, .tokens = tokens};
    return ask_with(c, &a, &trail, NULL);
}

static void each_step_of_a_walk_is_shown(void **state)
{
    (void)state;
    struct fake a = {.state = GEN_DOWN}, b = {.fails = {SF_ECRASH}}, d = {.calls = 0};
    struct looker l = {.n = 0};
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b, &d}, 3, gen_chain_options_default());
    assert_int_equal(ask_looking(c, &l, NULL), SF_OK);
    assert_string_equal(l.seen, "g0- \ng0- g1? \ng0- g1x \ng0- g1x g2? \ng0- g1x g2! \n");
    gen_chain_close(c);
}

static void tokens_are_counted_where_it_was_asked(void **state)
{
    (void)state;
    struct fake a = {.spends = {.requests = 1, .generated_tokens = 77}};
    struct looker l = {.n = 0};
    _Atomic int64_t tokens = 0;
    struct gen_chain *c = chain_of((struct fake *[]){&a}, 1, gen_chain_options_default());
    assert_int_equal(ask_looking(c, &l, &tokens), SF_OK);
    assert_int_equal(tokens, 77);
    gen_chain_close(c);
}

static void a_race_shows_who_is_in_it(void **state)
{
    (void)state;
    struct fake a = {.hangs = true, .beats = true}, b = {.calls = 0};
    struct looker l = {.n = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.hedge_after_ms = 100;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    assert_int_equal(ask_looking(c, &l, NULL), SF_OK);
    assert_non_null(strstr(l.seen, "g0? g1? \n"));
    gen_chain_close(c);
}

static void a_racer_that_fails_is_shown(void **state)
{
    (void)state;
    struct fake a = {.fails = {SF_ECRASH}}, b = {.calls = 0};
    struct looker l = {.n = 0};
    struct gen_chain_options o = gen_chain_options_default();
    o.hedge_after_ms = 5000;
    struct gen_chain *c = chain_of((struct fake *[]){&a, &b}, 2, o);
    assert_int_equal(ask_looking(c, &l, NULL), SF_OK);
    assert_non_null(strstr(l.seen, "g0x g1? \n"));
    gen_chain_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_of_a_walk_is_shown),
        cmocka_unit_test(tokens_are_counted_where_it_was_asked),
        cmocka_unit_test(a_race_shows_who_is_in_it),
        cmocka_unit_test(a_racer_that_fails_is_shown),
    };
    return cmocka_run_group_tests(tests, fake_clock_setup, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/child/work_book.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>

static void assert_near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%f is not %f", a, b);
}

static const struct work_size arc = {STORY_ARC, 0, 0, 0};
static const struct work_size blueprint = {STORY_BLUEPRINT, 0, 0, 0};

static struct work_order order(struct work_book *b, const struct work_size *size, double rate,
                               struct job_owner *owner)
{
    return (struct work_order){.cost = work_book_cost(b, size),
                               .rate = rate,
                               .owner = owner,
                               .deadline = sf_after(sf_now(), 57000),
                               .target = sf_after(sf_now(), 25000),
                               .least_factor = 0.75,
                               .most_factor = 1.9};
}

static void what_is_beside_counts_by_its_size(void **state)
{
    (void)state;
    const double left[] = {100, 300, 40}, all[] = {100, 300, 400};
    assert_near(work_until_done(left, all, 1, 0), 100, 0.01);
    /* Until the small one is done, of an equal pace by size: all of it, and the 40 that are left.
     */
    assert_near(work_until_done(left, all, 2, 0), 400, 0.01);
    assert_near(work_until_done(left, all, 3, 0), 440, 0.01);
    /* The 40 of 400 end early: a tenth of the others beside them. */
    assert_near(work_until_done(left, all, 3, 2), 40 + 10 + 30, 0.01);
}

static void lengths_follow_the_speed(void **state)
{
    (void)state;
    struct work_book b;
    struct job_owner owner;
    struct work_entry w;
    double slow, medium, fast, seconds;
    work_book_init(&b);
    job_owner_init(&owner);
    struct work_order o = order(&b, &arc, 60, &owner); /* 1340 tokens of prompts alone take 22 s */
    assert_int_equal(work_book_enter(&b, &o, &w, &slow, &seconds), SF_OK);
    work_book_leave(&b, &w);
    assert_near(slow, 0.75, 0.001);
    o.rate = 110;
    assert_int_equal(work_book_enter(&b, &o, &w, &medium, &seconds), SF_OK);
    assert_near(w.planned, 1340 + medium * 750, 0.1);
    assert_near(w.planned, 110 * 25 * 0.85, 5); /* what fits before the target */
    work_book_leave(&b, &w);
    assert_true(medium > 1 && medium < 1.9);
    o.rate = 1000;
    assert_int_equal(work_book_enter(&b, &o, &w, &fast, &seconds), SF_OK);
    work_book_leave(&b, &w);
    assert_near(fast, 1.9, 0.001);
    o.rate = 0; /* nothing measured yet */
    assert_int_equal(work_book_enter(&b, &o, &w, &fast, &seconds), SF_OK);
    work_book_leave(&b, &w);
    assert_near(fast, 1, 0.001);
    job_owner_fini(&owner);
    work_book_fini(&b);
}

/* Eight at the same moment, before any of them has begun: as many as the speed can bear. */
static void who_would_be_late_or_make_late_stays_out(void **state)
{
    (void)state;
    enum { N = 8 };
    struct work_book b;
    struct job_owner owners[N];
    struct work_entry w[N];
    double factor[N], seconds, tokens = 0;
    int in = 0;
    work_book_init(&b);
    for (int i = 0; i < N; i++) {
        job_owner_init(&owners[i]);
        struct work_order o = order(&b, i % 2 ? &arc : &blueprint, 100, &owners[i]);
        if (work_book_enter(&b, &o, &w[in], &factor[in], &seconds) == SF_OK)
            tokens += w[in++].least;
        else
            assert_true(seconds > 20);
    }
    assert_true(in >= 4 && in < N);
    assert_true(tokens <= 5700); /* of 57 s */
    assert_true(factor[0] > factor[in - 1]);
    /* A short deadline of somebody who is in: no long answer may come beside it. */
    while (in > 0)
        work_book_leave(&b, &w[--in]);
    struct work_order o = order(&b, &blueprint, 100, &owners[0]);
    o.deadline = sf_after(sf_now(), 6000);
    assert_int_equal(work_book_enter(&b, &o, &w[0], &factor[0], &seconds), SF_OK);
    struct work_order other = order(&b, &arc, 100, &owners[1]);
    assert_int_equal(work_book_enter(&b, &other, &w[1], &factor[1], &seconds), SF_EUNAVAILABLE);
    assert_near(work_book_rest(&b, &w[0]), w[0].least / doubt, 0.1); /* alone */
    owners[0].fed_tokens = 350; /* but when it is nearly done */
    owners[0].generated_tokens = 120;
    assert_int_equal(work_book_enter(&b, &other, &w[1], &factor[1], &seconds), SF_OK);
    assert_true(work_book_rest(&b, &w[0]) < 0.1 * work_book_rest(&b, &w[1]));
    work_book_leave(&b, &w[0]);
    work_book_leave(&b, &w[1]);
    for (int i = 0; i < N; i++)
        job_owner_fini(&owners[i]);
    work_book_fini(&b);
}

static void what_answers_took_is_learned(void **state)
{
    (void)state;
    struct work_book b;
    struct work_size two = {STORY_CHAPTERS_TASK, 0, 2, 0}, some = {STORY_ARC, 0, 0, 1};
    work_book_init(&b);
    struct work_cost first = work_book_cost(&b, &two);
    assert_near(first.text, 540, 0.1);
    for (int i = 0; i < 20; i++) /* texts were aimed at half as long again */
        work_book_learn(&b, &two, (struct work_cost){first.fed / 2, first.text * 3}, 1.5);
    struct work_cost seen = work_book_cost(&b, &two);
    assert_near(seen.fed, first.fed / 2, 1);
    assert_near(seen.text, first.text * 2, 1);
    two.language = 1; /* another language is another matter */
    assert_near(work_book_cost(&b, &two).text, first.text, 0.1);
    work_book_learn(&b, &some, (struct work_cost){1, 1}, 1); /* a part says nothing */
    assert_near(work_book_cost(&b, &arc).fed, 1340, 0.1);
    struct work_cost part = work_book_cost(&b, &some);
    assert_near(part.fed + part.text, PER_TEXT, 0.1);
    for (int i = 0; i < 50; i++) /* nothing foreign makes it absurd */
        work_book_learn(&b, &arc, (struct work_cost){1e12, 1e12}, 1);
    assert_true(work_book_cost(&b, &arc).fed <= 5 * 1340);
    work_book_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beside_counts_by_its_size),
        cmocka_unit_test(lengths_follow_the_speed),
        cmocka_unit_test(who_would_be_late_or_make_late_stays_out),
        cmocka_unit_test(what_answers_took_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/child/rank_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const llama_token story[] = {1, 2, 3}, question[] = {4, 5}, words[] = {6, 7, 8};

static struct rank_key key(size_t n_prefix, size_t n_prompt, size_t n_items)
{
    return (struct rank_key){.prefix = story,
                             .n_prefix = n_prefix,
                             .prompt = question,
                             .n_prompt = n_prompt,
                             .items = words,
                             .n_items = n_items};
}

static void finds_what_was_put(void **state)
{
    (void)state;
    struct rank_cache *c;
    const float scores[] = {-1, -2, -3};
    float got[3] = {0};
    struct rank_key k = key(3, 2, 3);
    assert_int_equal(rank_cache_open(&c), SF_OK);
    assert_false(rank_cache_get(c, &k, got));
    rank_cache_put(c, &k, scores);
    assert_true(rank_cache_get(c, &k, got));
    assert_memory_equal(got, scores, sizeof scores);
    rank_cache_close(c);
}

static void takes_no_other_question_for_it(void **state)
{
    (void)state;
    struct rank_cache *c;
    const float scores[] = {-1, -2, -3};
    const llama_token other[] = {4, 9};
    float got[3];
    struct rank_key k = key(3, 2, 3);
    assert_int_equal(rank_cache_open(&c), SF_OK);
    rank_cache_put(c, &k, scores);
    struct rank_key not_it[] = {key(2, 2, 3), key(3, 1, 3), key(3, 2, 2), k};
    not_it[3].prompt = other;
    for (size_t i = 0; i < 4; i++)
        assert_false(rank_cache_get(c, &not_it[i], got));
    /* The same tokens in a row, divided otherwise. */
    const llama_token all[] = {1, 2, 3, 4, 5};
    struct rank_key divided = {.prefix = all,
                               .n_prefix = 4,
                               .prompt = all + 4,
                               .n_prompt = 1,
                               .items = words,
                               .n_items = 3};
    assert_false(rank_cache_get(c, &divided, got));
    rank_cache_close(c);
}

static void forgets_the_oldest(void **state)
{
    (void)state;
    struct rank_cache *c;
    const float score = -1;
    float got;
    llama_token t[200];
    assert_int_equal(rank_cache_open(&c), SF_OK);
    for (int i = 0; i < 200; i++) {
        t[i] = i;
        struct rank_key k = {.prompt = &t[i], .n_prompt = 1, .items = words, .n_items = 1};
        rank_cache_put(c, &k, &score);
        struct rank_key first = {.prompt = t, .n_prompt = 1, .items = words, .n_items = 1};
        assert_true(rank_cache_get(c, &first, &got)); /* asked for again and again: stays */
    }
    struct rank_key second = {.prompt = &t[1], .n_prompt = 1, .items = words, .n_items = 1};
    struct rank_key last = {.prompt = &t[199], .n_prompt = 1, .items = words, .n_items = 1};
    assert_false(rank_cache_get(c, &second, &got));
    assert_true(rank_cache_get(c, &last, &got));
    rank_cache_close(c);
}

static void replaces_its_own(void **state)
{
    (void)state;
    struct rank_cache *c;
    const float before[] = {-1, -2, -3}, after[] = {-4, -5, -6};
    float got[3];
    struct rank_key k = key(3, 2, 3);
    assert_int_equal(rank_cache_open(&c), SF_OK);
    rank_cache_put(c, &k, before);
    rank_cache_put(c, &k, after);
    assert_true(rank_cache_get(c, &k, got));
    assert_memory_equal(got, after, sizeof after);
    rank_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(takes_no_other_question_for_it),
        cmocka_unit_test(forgets_the_oldest),
        cmocka_unit_test(replaces_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

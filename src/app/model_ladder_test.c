/* SPDX-License-Identifier: MIT */
/* What is tried after the first plan, on recorded devices. */
#include "app/model_ladder.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GPU(free_mib)                                                                              \
    {                                                                                              \
        .name = "card", .gpu = true, .free_bytes = (int64_t)(free_mib) << 20                       \
    }
#define MEMORY(free_mib)                                                                           \
    {                                                                                              \
        .name = "memory", .free_bytes = (int64_t)(free_mib) << 20                                  \
    }
static const struct plan_device none[] = {MEMORY(14000)};
static const struct plan_device one_24[] = {GPU(24080), MEMORY(60000)};
static const struct plan_device two_24[] = {GPU(24080), GPU(24080), MEMORY(60000)};
static const struct plan_model llama_8b = {4920739232, 0, 32, 131072, 131072};
static const struct plan_model small = {98362432, 0, 30, 46080, 8192};
static const struct plan_model llama_70b = {42520398400, 0, 80, 327680, 131072};

/* Every rung fits, and none needs more than the one before on the same kind of device. */
static size_t climb(const struct plan_model *m, const struct plan_wish *wish,
                    const struct plan_device *d, size_t n, struct plan *out)
{
    size_t k = plan_ladder(m, wish, d, n, out);
    assert_in_range(k, 1, PLAN_LADDER_MAX);
    for (size_t i = 0; i < k; i++) {
        assert_int_not_equal(out[i].kind, PLAN_NONE);
        assert_true(out[i].context_tokens >= LEAST_CONTEXT || wish->context_tokens > 0);
        for (size_t p = 0; p < out[i].n_parts; p++) {
            assert_true(out[i].parts[p].needs_bytes <= out[i].parts[p].usable_bytes);
        }
        assert_true(i == 0 || out[i].kind != out[i - 1].kind ||
                    out[i].needs_bytes <= out[i - 1].needs_bytes);
    }
    return k;
}

static void on_the_cpu(void **state)
{
    struct plan p[PLAN_LADDER_MAX];
    struct plan_wish wish = plan_wish_default();
    (void)state;
    size_t n = climb(&small, &wish, none, 1, p);
    /* what the engine takes by itself, so that a plan makes nothing slower */
    assert_int_equal(p[0].context_tokens, 12288);
    assert_int_equal(p[0].sequences, 160);
    assert_false(p[0].kv_q8);
    assert_int_equal(p[1].sequences, 80);
    assert_int_equal(p[1].context_tokens, 12288);
    assert_true(p[2].kv_q8);
    assert_int_equal(p[n - 1].context_tokens, LEAST_CONTEXT);
    assert_true(p[n - 1].kv_q8);
    assert_true(p[n - 1].kv_bytes * 5 < p[0].kv_bytes);
}

static void on_gpus(void **state)
{
    struct plan p[PLAN_LADDER_MAX];
    struct plan_wish wish = plan_wish_default();
    (void)state;
    size_t n = climb(&llama_8b, &wish, one_24, 2, p), partial = 0;
    assert_int_equal(p[0].kind, PLAN_GPU);
    assert_int_equal(p[n - 1].kind, PLAN_CPU);
    for (size_t i = 0; i < n; i++) {
        partial += p[i].kind == PLAN_PARTIAL;
    }
    assert_int_equal(partial, 3);
    n = climb(&llama_70b, &wish, two_24, 3, p);
    assert_int_equal(p[0].kind, PLAN_SPLIT);
    assert_int_equal(p[n - 1].kind, PLAN_CPU);
    wish.device = "cuda"; /* then not quietly the CPU */
    n = climb(&llama_8b, &wish, one_24, 2, p);
    assert_int_not_equal(p[n - 1].kind, PLAN_CPU);
}

static void what_the_owner_says_stays(void **state)
{
    struct plan p[PLAN_LADDER_MAX];
    struct plan_wish wish = plan_wish_default();
    (void)state;
    wish.context_tokens = 6000;
    wish.sequences = 20;
    wish.kv = PLAN_KV_16;
    assert_int_equal(climb(&small, &wish, none, 1, p), 1);
    assert_int_equal(p[0].context_tokens, 6000);
    assert_int_equal(p[0].sequences, 20);
    wish = plan_wish_default();
    wish.n_gpu_layers = 10;
    size_t n = climb(&llama_8b, &wish, one_24, 2, p);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i].gpu_layers, 10);
    }
    wish.max_memory_bytes = 1000000; /* a ceiling, never a promise */
    assert_int_equal(plan_ladder(&llama_8b, &wish, one_24, 2, p), 0);
    assert_non_null(strstr(p[0].text, "max_memory is a ceiling"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_the_cpu),
        cmocka_unit_test(on_gpus),
        cmocka_unit_test(what_the_owner_says_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

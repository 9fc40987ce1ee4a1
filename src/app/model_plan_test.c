/* SPDX-License-Identifier: MIT */
/* The planner on recorded lists of devices: what nvidia-smi and the kernel said of such machines.
 */
#include "app/model_plan.c"

#include "app/model_pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIBS(n) ((n)*MIB)
#define CARD(what, total, available)                                                               \
    {                                                                                              \
        .name = what, .gpu = true, .free_bytes = MIBS(available), .total_bytes = MIBS(total)       \
    }
#define MEMORY(available)                                                                          \
    {                                                                                              \
        .name = "memory", .free_bytes = MIBS(available), .total_bytes = MIBS(available)            \
    }

static const struct plan_device none[] = {MEMORY(14000)};
static const struct plan_device one_6[] = {CARD("RTX 2060", 6144, 5924), MEMORY(14000)};
static const struct plan_device two_24[] = {CARD("RTX 4090", 24564, 24080),
                                            CARD("RTX 4090", 24564, 24080), MEMORY(60000)};
static const struct plan_device one_40[] = {CARD("A100-40GB", 40960, 40339), MEMORY(80000)};
static const struct plan_device four_24[] = {
    CARD("RTX 3090", 24576, 24256), CARD("RTX 3090", 24576, 24256), CARD("RTX 3090", 24576, 24256),
    CARD("RTX 3090", 24576, 24256), MEMORY(120000)};
static const struct plan_device mixed[] = {CARD("RTX 3060", 12288, 11900),
                                           CARD("RTX 4090", 24564, 24080), MEMORY(30000)};
static const struct plan_device one_5[] = {CARD("a 5 GB card", 5120, 5000), MEMORY(14000)};
static const struct plan_device one_32[] = {CARD("V100-32GB", 32768, 32490), MEMORY(60000)};

/* The rows of the original's table, in the files of the catalogue. */
static const struct plan_model llama_8b = {4920739232, 0, 32, 131072, 131072};
static const struct plan_model llama_70b = {42520398400, 0, 80, 327680, 131072};
static const struct plan_model mixtral = {28448468384, 0, 32, 131072, 32768};
static const struct plan_model qwen_7b = {4683074240, 0, 28, 57344, 32768};

#define LIST(list) list, sizeof(list) / sizeof(list)[0]
static struct plan plan_of(const struct plan_model *m, const struct plan_device *list, size_t n)
{
    struct plan p;
    struct plan_wish wish = plan_wish_default();
    plan_make(m, &wish, list, n, &p);
    int64_t layers = 0;
    for (size_t i = 0; i < p.n_parts; i++) {
        const struct plan_part *part = &p.parts[i];
        assert_true(part->device < n);
        assert_true(part->needs_bytes <= part->usable_bytes);
        assert_true(part->usable_bytes < list[part->device].free_bytes);
        layers += part->layers;
    }
    if (p.kind == PLAN_SPLIT || p.kind == PLAN_PARTIAL) {
        assert_int_equal(layers, m->layers);
    }
    assert_true(p.kind == PLAN_NONE || p.context_tokens >= LEAST_CONTEXT);
    assert_true(p.text[0] != '\0');
    return p;
}

static void rows_of_the_original(void **state)
{
    struct plan p;
    (void)state;
    /* 8B says 6 GB: it fits, with a small context. */
    p = plan_of(&llama_8b, LIST(one_6));
    assert_int_equal(p.kind, PLAN_GPU);
    assert_int_equal(p.context_tokens, 4096);
    assert_false(p.kv_q8);
    /* Qwen2.5-7B says 5 GB: the weights alone are 4.7, and a card of 5 keeps some for itself. */
    p = plan_of(&qwen_7b, LIST(one_5));
    assert_int_not_equal(p.kind, PLAN_GPU);
    assert_true(p.needs_bytes > 4683074240 + GPU_BUFFERS); /* which recommend shows */
    p = plan_of(&qwen_7b, LIST(one_6));
    assert_int_equal(p.kind, PLAN_GPU);
    assert_true(p.context_tokens >= 12288);
    /* 70B says 40 GB: its file has 42.5, so it is not whole on such a card; the true bytes are
     * said. */
    p = plan_of(&llama_70b, LIST(one_40));
    assert_int_equal(p.kind, PLAN_PARTIAL);
    assert_true(p.needs_bytes > 42520398400 + GPU_BUFFERS);
    struct plan_wish only_gpu = plan_wish_default();
    only_gpu.device = "cuda";
    struct plan_device alone[] = {CARD("A100-40GB", 40960, 40339), MEMORY(2000)};
    plan_make(&llama_70b, &only_gpu, LIST(alone), &p);
    assert_int_equal(p.kind, PLAN_NONE);
    assert_non_null(strstr(p.text, "needs 44.3 GB"));
    assert_non_null(strstr(p.text, "42.5 GB of weights"));
    assert_non_null(strstr(p.text, "room for 42.2 GB"));
    /* Mixtral says 30 GB. */
    p = plan_of(&mixtral, LIST(one_32));
    assert_int_equal(p.kind, PLAN_GPU);
}

static void lists_of_devices(void **state)
{
    struct plan p;
    (void)state;
    p = plan_of(&llama_8b, LIST(none));
    assert_int_equal(p.kind, PLAN_CPU);
    assert_int_equal(p.context_tokens, 12288);
    assert_int_equal(p.gpu_layers, 0);
    p = plan_of(&llama_70b, LIST(none));
    assert_int_equal(p.kind, PLAN_NONE);
    assert_non_null(strstr(p.text, "memory has room for 14.1 GB"));
    p = plan_of(&llama_8b, LIST(two_24)); /* a copy each */
    assert_int_equal(p.kind, PLAN_GPU);
    assert_int_equal(p.n_parts, 2);
    assert_int_equal(p.context_tokens, 32768);
    assert_int_equal(p.sequences, 256);
    p = plan_of(&llama_70b, LIST(two_24)); /* over both */
    assert_int_equal(p.kind, PLAN_SPLIT);
    assert_int_equal(p.n_parts, 2);
    p = plan_of(&llama_70b, LIST(four_24));
    assert_int_equal(p.kind, PLAN_SPLIT);
    assert_int_equal(p.n_parts, 4);
    assert_int_equal(p.context_tokens, 32768);
    p = plan_of(&mixtral, LIST(mixed)); /* on one alone not, on both */
    assert_int_equal(p.kind, PLAN_SPLIT);
    assert_true(p.parts[1].layers > p.parts[0].layers);
    p = plan_of(&llama_8b, LIST(mixed)); /* each copy with the context its card has room for */
    assert_int_equal(p.n_parts, 2);
    assert_true(p.parts[0].context_tokens <= p.parts[1].context_tokens);
    p = plan_of(&llama_70b, LIST(mixed));
    assert_int_equal(p.kind, PLAN_PARTIAL);
    assert_int_equal(p.n_parts, 3);
}

/* Each recorded list with each model of the table: a copy on each GPU that holds one, layers over
 * several when none does. */
static void every_list_with_every_model(void **state)
{
    (void)state;
    const struct {
        const struct plan_device *list;
        size_t n;
        struct {
            enum plan_kind kind;
            size_t n_parts;
        } want[4];
    } rows[] = {
        /* Llama-3.1-8B, Qwen2.5-7B, Mixtral-8x7B, Llama-3.1-70B */
        {LIST(none), {{PLAN_CPU, 1}, {PLAN_CPU, 1}, {PLAN_NONE, 0}, {PLAN_NONE, 0}}},
        {LIST(one_6), {{PLAN_GPU, 1}, {PLAN_GPU, 1}, {PLAN_NONE, 0}, {PLAN_NONE, 0}}},
        {LIST(two_24), {{PLAN_GPU, 2}, {PLAN_GPU, 2}, {PLAN_SPLIT, 2}, {PLAN_SPLIT, 2}}},
        {LIST(one_40), {{PLAN_GPU, 1}, {PLAN_GPU, 1}, {PLAN_GPU, 1}, {PLAN_PARTIAL, 2}}},
        {LIST(four_24), {{PLAN_GPU, 4}, {PLAN_GPU, 4}, {PLAN_SPLIT, 4}, {PLAN_SPLIT, 4}}},
        {LIST(mixed), {{PLAN_GPU, 2}, {PLAN_GPU, 2}, {PLAN_SPLIT, 2}, {PLAN_PARTIAL, 3}}},
    };
    const struct plan_model *const models[] = {&llama_8b, &qwen_7b, &mixtral, &llama_70b};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct plan p = plan_of(models[k], rows[i].list, rows[i].n);
            if (p.kind != rows[i].want[k].kind || p.n_parts != rows[i].want[k].n_parts) {
                fail_msg("list %zu, model %zu: %zu parts, %s", i, k, p.n_parts, p.text);
            }
            for (size_t a = 0; p.kind == PLAN_SPLIT && a < p.n_parts; a++) {
                assert_true(p.parts[a].layers > 0); /* every GPU has some */
            }
        }
    }
}

static void keys_and_values_in_8_bits_when_16_do_not_fit(void **state)
{
    struct plan_device small[] = {CARD("a small card", 6144, 5720), MEMORY(2000)};
    struct plan_wish wish = plan_wish_default();
    struct plan p;
    (void)state;
    plan_make(&llama_8b, &wish, LIST(small), &p);
    assert_int_equal(p.kind, PLAN_GPU);
    assert_true(p.kv_q8);
    assert_non_null(strstr(p.text, "8 bits"));
}

static void the_owners_keys_count(void **state)
{
    struct plan_wish wish = plan_wish_default();
    struct plan p;
    (void)state;
    wish.max_memory_bytes = 16 * INT64_C(1000000000); /* a ceiling on each */
    plan_make(&llama_8b, &wish, LIST(two_24), &p);
    assert_int_equal(p.kind, PLAN_GPU);
    assert_true(p.parts[0].usable_bytes == wish.max_memory_bytes);
    plan_make(&llama_70b, &wish, LIST(one_40), &p);
    assert_int_equal(p.kind, PLAN_NONE); /* 16 and 16 do not hold 42.5 */
    assert_non_null(strstr(p.text, "max_memory"));
    wish = plan_wish_default();
    wish.device = "cpu";
    plan_make(&llama_8b, &wish, LIST(two_24), &p);
    assert_int_equal(p.kind, PLAN_CPU);
    wish.device = "cuda:1";
    plan_make(&llama_8b, &wish, LIST(two_24), &p);
    assert_int_equal(p.kind, PLAN_GPU);
    assert_int_equal(p.n_parts, 1);
    assert_int_equal(p.parts[0].device, 1);
    wish.device = "cuda:7";
    plan_make(&llama_8b, &wish, LIST(two_24), &p);
    assert_int_equal(p.kind, PLAN_NONE);
    assert_non_null(strstr(p.text, "no such GPU"));
    wish.device = "cuda"; /* without a GPU: not silently the CPU */
    plan_make(&llama_8b, &wish, LIST(none), &p);
    assert_int_equal(p.kind, PLAN_NONE);
    wish = plan_wish_default();
    wish.n_gpu_layers = 10;
    plan_make(&llama_8b, &wish, LIST(one_6), &p);
    assert_int_equal(p.kind, PLAN_PARTIAL);
    assert_int_equal(p.gpu_layers, 10);
    wish.n_gpu_layers = 0;
    plan_make(&llama_8b, &wish, LIST(one_6), &p);
    assert_int_equal(p.kind, PLAN_CPU);
    wish = plan_wish_default();
    wish.context_tokens = 20000;
    wish.sequences = 12;
    plan_make(&llama_8b, &wish, LIST(one_40), &p);
    assert_int_equal(p.context_tokens, 20000);
    assert_int_equal(p.sequences, 12);
}

static void strange_lists_are_survived(void **state)
{
    struct plan_device many[40];
    struct plan_model odd = {INT64_C(1) << 50, 0, 0, INT64_C(1) << 40, 0};
    struct plan_wish wish = plan_wish_default();
    struct plan p;
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        many[i] = (struct plan_device)CARD("x", 24000, 100);
        many[i].free_bytes = i % 2 == 0 ? -5 : many[i].free_bytes;
    }
    plan_make(&llama_8b, &wish, many, 40, &p);
    assert_int_equal(p.kind, PLAN_NONE);
    plan_make(&odd, &wish, LIST(two_24), &p);
    assert_int_equal(p.kind, PLAN_NONE);
    plan_make(&llama_8b, &wish, NULL, 0, &p);
    assert_int_equal(p.kind, PLAN_NONE);
}

/* ---- auto ------------------------------------------------------------------------------------ */

static const char *best(const struct model_catalogue *c, const struct plan_device *list, size_t n,
                        int cpus)
{
    struct model_pick p;
    struct plan_wish wish = plan_wish_default();
    struct model_machine m = {list, n, cpus};
    assert_true(model_pick_best(c, "4bit", &wish, &m, NULL, &p));
    assert_true(p.entry->instruct);
    assert_true(p.quick);
    return model_entry_alias(p.entry);
}

static void auto_takes_the_best_that_runs(void **state)
{
    struct model_catalogue c;
    (void)state;
    assert_int_equal(model_catalogue_init(NULL, &c), SF_OK);
    assert_string_equal(best(&c, LIST(none), 2), "default");
    assert_string_equal(best(&c, LIST(none), 16), "qwen2.5-1.5b");
    assert_string_equal(best(&c, LIST(one_6), 4), "qwen2.5-7b");
    assert_string_equal(best(&c, LIST(one_40), 8), "qwen3-30b");
    assert_string_equal(best(&c, LIST(two_24), 8), "llama-3.3-70b");
    assert_string_equal(best(&c, LIST(four_24), 8), "llama-3.3-70b");
    assert_string_equal(best(&c, LIST(mixed), 8), "qwen3-30b");
    model_catalogue_fini(&c);
}

static bool only_small(void *arg, const struct model_entry *e)
{
    (void)arg;
    return e->small;
}

static void a_quantization_falls_back_to_the_next_that_fits(void **state)
{
    struct model_catalogue c;
    struct model_pick p;
    struct plan_wish wish = plan_wish_default();
    struct plan_device card[] = {CARD("46 GB", 46068, 41700), MEMORY(2000)};
    struct model_machine m = {card, 2, 8};
    (void)state;
    assert_int_equal(model_catalogue_init(NULL, &c), SF_OK);
    const struct model_entry *e = model_catalogue_find(&c, "meta-llama/llama-3.1-70b-instruct");
    model_pick_type(e, "4bit", &wish, &m, &p); /* 42.5 GB no, 40.3 GB yes */
    assert_string_equal(p.quant, "Q4_K_S");
    assert_int_equal(p.plan.kind, PLAN_GPU);
    model_pick_type(e, "Q4_K_M", &wish, &m, &p);
    assert_int_equal(p.plan.kind, PLAN_NONE);
    assert_true(p.exact);
    model_pick_type(e, "Q9_X", &wish, &m, &p); /* a type nobody knows */
    assert_int_equal(p.plan.kind, PLAN_NONE);
    assert_true(
        model_pick_best(&c, "4bit", &wish, &m, &(struct model_filter){only_small, NULL}, &p));
    assert_string_equal(model_entry_alias(p.entry), "qwen2.5-1.5b");
    model_catalogue_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_original),
        cmocka_unit_test(lists_of_devices),
        cmocka_unit_test(every_list_with_every_model),
        cmocka_unit_test(keys_and_values_in_8_bits_when_16_do_not_fit),
        cmocka_unit_test(the_owners_keys_count),
        cmocka_unit_test(strange_lists_are_survived),
        cmocka_unit_test(auto_takes_the_best_that_runs),
        cmocka_unit_test(a_quantization_falls_back_to_the_next_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

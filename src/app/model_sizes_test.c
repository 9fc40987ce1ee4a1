/* SPDX-License-Identifier: MIT */
/* What the engines are told, for recorded devices and a model file that has only a head. */
#include "app/model_sizes.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-sizes-XXXXXX";
static char file[64], plain[64];

/* Numbers of a head, little-endian. */
static void put(FILE *f, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        assert_int_not_equal(fputc((int)(v >> 8 * i & 255), f), EOF);
    }
}

static void put_text(FILE *f, const char *z)
{
    put(f, strlen(z), 8);
    assert_true(fputs(z, f) >= 0);
}

static void put_pair(FILE *f, const char *key, uint64_t value)
{
    put_text(f, key);
    put(f, 4, 4);
    put(f, value, 4);
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(file, sizeof file, "%s/m.gguf", dir);
    (void)snprintf(plain, sizeof plain, "%s/plain.gguf", dir);
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    (void)fputs("GGUF", f);
    put(f, 3, 4);
    put(f, 0, 8);
    put(f, 6, 8);
    put_text(f, "general.architecture");
    put(f, 8, 4);
    put_text(f, "llama");
    put_pair(f, "llama.block_count", 40);
    put_pair(f, "llama.context_length", 32768);
    put_pair(f, "llama.embedding_length", 4096);
    put_pair(f, "llama.attention.head_count", 32);
    put_pair(f, "llama.attention.head_count_kv", 8);
    (void)fclose(f);
    f = fopen(plain, "wb");
    (void)fputs("no head", f);
    (void)fclose(f);
    char library[64];
    (void)snprintf(library, sizeof library, "%s/libggml-cuda.so", dir);
    f = fopen(library, "wb");
    (void)fclose(f);
    return 0;
}

static void run(const char *path, const char *lib_dir, const char *set, const char *to,
                struct model_devices *d, struct model_sizes *out)
{
    struct conf_source source = {.no_file = true, .n_settings = set == NULL ? 0 : 1};
    const struct conf *conf = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct model_place *place = sf_alloc(sizeof *place);
    source.settings[0] = (struct conf_setting){set, to};
    (void)snprintf(place->path, sizeof place->path, "%s", path);
    (void)snprintf(place->lib_dir, sizeof place->lib_dir, "%s", lib_dir);
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
    assert_int_equal(model_sizes_make(conf, place, d, out), SF_OK);
    conf_unref(conf);
    free(place);
}

static struct model_devices machine(int64_t a, int64_t b)
{
    struct model_devices d = {.n = 0};
    const int64_t gpus[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        if (gpus[i] > 0) {
            d.v[d.n++] = (struct plan_device){
                .name = "card", .gpu = true, .free_bytes = gpus[i] << 20, .total_bytes = 1 << 30};
        }
    }
    d.v[d.n++] = (struct plan_device){
        .name = "memory", .free_bytes = INT64_C(14000) << 20, .total_bytes = INT64_C(16) << 30};
    return d;
}

static void cpu_and_gpus(void **state)
{
    struct model_sizes s;
    (void)state;
    struct model_devices d = machine(0, 0);
    run(file, dir, NULL, NULL, &d, &s);
    assert_true(s.fits);
    assert_int_equal(s.n_copies, 1);
    assert_string_equal(s.copies[0].sizes[0].device, "cpu");
    assert_int_equal(s.copies[0].sizes[0].n_gpu_layers, 0);
    assert_true(s.copies[0].n_sizes > 3);
    model_sizes_fini(&s);

    d = machine(24000, 12000);
    run(file, dir, NULL, NULL, &d, &s);
    assert_int_equal(s.n_copies, 2);
    assert_string_equal(s.copies[0].sizes[0].device, "cuda:0");
    assert_string_equal(s.copies[1].sizes[0].device, "cuda:1");
    assert_int_equal(s.copies[0].sizes[0].n_gpu_layers, -1);
    /* only the first goes on to the CPU */
    assert_string_equal(s.copies[0].sizes[s.copies[0].n_sizes - 1].device, "cpu");
    assert_string_equal(s.copies[1].sizes[s.copies[1].n_sizes - 1].device, "cuda:1");
    model_sizes_fini(&s);
}

static void layers_over_gpus(void **state)
{
    struct model_sizes s;
    struct model_devices d = machine(3000, 1900);
    (void)state;
    /* 160 KiB of keys and values a token: 6.6 GB at 40000 */
    run(file, dir, "generator.local.context", "40000", &d, &s);
    assert_int_equal(s.n_copies, 1);
    const struct engine_size *first = &s.copies[0].sizes[0];
    assert_string_equal(first->device, "auto");
    assert_true(first->split[0] > first->split[1]);
    assert_int_equal(first->split[0] + first->split[1], 40);
    model_sizes_fini(&s);
    run(file, dir, "generator.local.n_gpu_layers", "7", &d, &s);
    assert_int_equal(s.copies[0].sizes[0].n_gpu_layers, 7);
    model_sizes_fini(&s);
}

static void what_cannot_be_planned(void **state)
{
    struct model_sizes s;
    struct model_devices d = machine(24000, 0);
    (void)state;
    run(plain, dir, "generator.local.sequences", "9", &d, &s); /* no head: the engine decides */
    assert_true(s.fits);
    assert_int_equal(s.copies[0].sizes[0].sequences, 9);
    assert_string_equal(s.copies[0].sizes[0].device, "auto");
    model_sizes_fini(&s);
    run(plain, dir, "generator.local.max_memory", "3", &d, &s);
    assert_false(s.fits);
    model_sizes_fini(&s);
    run(file, "/nowhere", NULL, NULL, &d, &s); /* a GPU that no library can use */
    assert_string_equal(s.copies[0].sizes[0].device, "cpu");
    assert_non_null(strstr(s.note, "make setup BACKEND=cuda"));
    model_sizes_fini(&s);
    run(file, "/nowhere", "generator.local.device", "cuda", &d, &s);
    assert_false(s.fits);
    assert_non_null(strstr(s.text, "no such GPU"));
    model_sizes_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_and_gpus),
        cmocka_unit_test(layers_over_gpus),
        cmocka_unit_test(what_cannot_be_planned),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}

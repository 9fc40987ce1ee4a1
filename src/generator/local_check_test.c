/* SPDX-License-Identifier: MIT */
#include "generator/local_check.h"

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MB (INT64_C(1000000))

static char dir[] = "/tmp/storyfi-local-XXXXXX";
static char model[64], engine[64], libs[64], cuda_libs[64];

static void put(const char *path, const char *content, unsigned mode)
{
    assert_int_equal(sf_file_write(path, sf_str(content), mode, NULL), SF_OK);
}

static int make_files(void **state)
{
    (void)state;
    char path[128];
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(model, sizeof model, "%s/m.gguf", dir);
    (void)snprintf(engine, sizeof engine, "%s/engine", dir);
    (void)snprintf(libs, sizeof libs, "%s/lib", dir);
    (void)snprintf(cuda_libs, sizeof cuda_libs, "%s/cuda", dir);
    put(model, "GGUF and the rest", 0600);
    put(engine, "#!/bin/sh\n", 0700);
    assert_int_equal(sf_dir_make(libs, 0700, NULL), SF_OK);
    assert_int_equal(sf_dir_make(cuda_libs, 0700, NULL), SF_OK);
    (void)snprintf(path, sizeof path, "%s/libllama.so", libs);
    put(path, "", 0600);
    (void)snprintf(path, sizeof path, "%s/libllama.so", cuda_libs);
    put(path, "", 0600);
    (void)snprintf(path, sizeof path, "%s/libggml-cuda.so", cuda_libs);
    put(path, "", 0600);
    return 0;
}

static const struct gen_check *line(const struct gen_checks *c, const char *what)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->list[i].what, what) == 0) {
            return &c->list[i];
        }
    }
    return NULL;
}

struct check_case {
    const char *what, *text; /* part of text or remedy */
    enum gen_verdict verdict;
    bool cuda;
    const char *device;
    struct machine m;
};

static const struct machine plain = {.memory_bytes = 8000 * MB, .memory_room_bytes = -1};

static void check_one(const struct check_case *t)
{
    struct gen_checks *out = sf_alloc(sizeof *out);
    struct local_place p = {engine, t->cuda ? cuda_libs : libs, model, t->device, false};
    local_check_place(&p, &t->m, out);
    const struct gen_check *c = line(out, t->what);
    if (c == NULL || c->verdict != t->verdict ||
        (strstr(c->text, t->text) == NULL && strstr(c->remedy, t->text) == NULL)) {
        fail_msg("%s on %s: \"%s\" in \"%s\" (%s)", t->what, t->device, t->text,
                 c == NULL ? "(nothing)" : c->text, c == NULL ? "" : c->remedy);
    }
    if (t->verdict == GEN_CHECK_FAIL && c != NULL) {
        assert_string_not_equal(c->remedy, "");
    }
    free(out);
}

static void figures_are_judged(void **state)
{
    (void)state;
#define NVIDIA(count)                                                                              \
    {                                                                                              \
        8000 * MB, -1, "535.129.03", count                                                         \
    }
    const struct check_case cases[] = {
        {"engine helper", engine, GEN_CHECK_OK, false, "auto", plain},
        {"llama libraries", libs, GEN_CHECK_OK, false, "auto", plain},
        {"model file", model, GEN_CHECK_OK, false, "auto", plain},
        {"memory for the model", "8.0 GB free", GEN_CHECK_OK, false, "auto", plain},
        {"memory for the model",
         "smaller model",
         GEN_CHECK_WARN,
         false,
         "auto",
         {100 * MB, -1, "", 0}},
        {"memory for the model", "smaller model", GEN_CHECK_FAIL, false, "auto", {5, -1, "", 0}},
        {"memory for the model", "cgroup", GEN_CHECK_FAIL, false, "auto", {8000 * MB, 5, "", 0}},
        {"memory for the model", "with a GPU", GEN_CHECK_WARN, true, "auto", {5, -1, "535.1", 1}},
        {"GPU", "none here", GEN_CHECK_OK, false, "auto", plain},
        {"GPU", "not asked for", GEN_CHECK_OK, true, "cpu", NVIDIA(1)},
        {"GPU", "no /dev/nvidia0", GEN_CHECK_FAIL, true, "cuda", plain},
        {"GPU", "driver is not loaded", GEN_CHECK_FAIL, true, "cuda", {8000 * MB, -1, "", 1}},
        {"GPU", "driver is not loaded", GEN_CHECK_WARN, true, "auto", {8000 * MB, -1, "", 1}},
        {"GPU", "no CUDA part", GEN_CHECK_FAIL, false, "cuda", NVIDIA(1)},
        {"GPU", "no CUDA part", GEN_CHECK_WARN, false, "auto", NVIDIA(1)},
        {"GPU", "cuda:2 is asked for, 2 seen", GEN_CHECK_FAIL, true, "cuda:2", NVIDIA(2)},
        {"GPU", "driver 535.129.03", GEN_CHECK_OK, true, "cuda:1", NVIDIA(2)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_one(&cases[i]);
    }
    check_one(&(struct check_case){
        "memory for the model", "not checked", GEN_CHECK_WARN, false, "auto", {-1, -1, "", 0}});
}

static void a_model_in_memory_needs_none_again(void **state)
{
    static const struct machine full = {.memory_bytes = 5, .memory_room_bytes = -1};
    struct gen_checks *out = sf_alloc(sizeof *out);
    (void)state;
    local_check_place(&(struct local_place){engine, libs, model, "auto", true}, &full, out);
    const struct gen_check *c = line(out, "memory for the model");
    assert_true(c != NULL && c->verdict == GEN_CHECK_OK);
    free(out);
}

static void files_are_judged(void **state)
{
    (void)state;
    assert_int_equal(chmod(engine, 0600), 0);
    check_one(
        &(struct check_case){"engine helper", "chmod +x", GEN_CHECK_FAIL, false, "auto", plain});
    put(model, "<html>", 0600);
    check_one(
        &(struct check_case){"model file", "half fetched", GEN_CHECK_FAIL, false, "auto", plain});
    (void)snprintf(model, sizeof model, "%s", dir);
    check_one(
        &(struct check_case){"model file", "no plain file", GEN_CHECK_FAIL, false, "auto", plain});
    (void)snprintf(model, sizeof model, "%s/absent", dir);
    check_one(
        &(struct check_case){"model file", "make setup", GEN_CHECK_FAIL, false, "auto", plain});
    (void)snprintf(libs, sizeof libs, "%s/absent", dir);
    check_one(&(struct check_case){"llama libraries", "no libllama", GEN_CHECK_WARN, false, "auto",
                                   plain});
    (void)snprintf(engine, sizeof engine, "%s/absent", dir);
    check_one(&(struct check_case){"engine helper", "make install", GEN_CHECK_FAIL, false, "auto",
                                   plain});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_judged),
        cmocka_unit_test(a_model_in_memory_needs_none_again),
        cmocka_unit_test(files_are_judged),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}

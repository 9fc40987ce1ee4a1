/* SPDX-License-Identifier: MIT */
#include "app/model_catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_built_in_catalogue_is_whole(void **state)
{
    static const char *const originals[] = {
        "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-70B-Instruct",
        "mistralai/Mixtral-8x7B-Instruct-v0.1", "Qwen/Qwen2.5-7B-Instruct"};
    struct model_catalogue c;
    (void)state;
    assert_int_equal(model_catalogue_init(NULL, &c), SF_OK);
    assert_string_equal(c.problem, "");
    for (size_t i = 0; i < c.n; i++) {
        const struct model_entry *e = &c.v[i];
        assert_true(e->layers > 0 && e->kv_heads > 0 && e->head_dim > 0 && e->context_tokens > 0);
        assert_true(e->parameters > 0 && e->license[0] != '\0' && e->template_name[0] != '\0');
        assert_true(e->repo[0] != '\0' || e->package[0] != '\0');
        assert_true(e->files[0].bytes > 0 && e->files[0].sha256[0] != '\0');
        for (size_t k = 0; k < e->n_names; k++) { /* no name twice */
            assert_ptr_equal(model_catalogue_find(&c, e->names[k]), e);
        }
        /* A weight of the 4-bit file has four to six bits: a size that was mistyped has not. */
        double bits = (double)e->files[0].bytes * 8 / (e->parameters * 1e9);
        assert_true((bits > 4.2 && bits < 6.0) || e->small);
    }
    for (size_t i = 0; i < sizeof originals / sizeof originals[0]; i++) {
        const struct model_entry *e = model_catalogue_find(&c, originals[i]);
        assert_non_null(e);
        assert_true(e->original_vram_gb > 0 && e->original_ram_gb > 0 && e->original_disk_gb > 0);
    }
    model_catalogue_fini(&c);
}

static void models_are_found_as_people_name_them(void **state)
{
    struct model_catalogue c;
    bool exact = false;
    (void)state;
    assert_int_equal(model_catalogue_init(NULL, &c), SF_OK);
    const struct model_entry *e = model_catalogue_find(&c, "META-LLAMA/llama-3.1-8b-instruct");
    assert_non_null(e);
    assert_ptr_equal(model_catalogue_find(&c, "llama-3.1-8b"), e);
    assert_ptr_equal(model_catalogue_find(&c, "/data/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf"), e);
    assert_string_equal(model_entry_alias(e), "llama-3.1-8b");
    assert_null(model_catalogue_find(&c, "lama"));
    assert_string_equal(model_catalogue_nearest(&c, "mixtrel"), "mixtral");
    assert_null(model_catalogue_nearest(&c, "something else entirely"));
    assert_int_equal(model_entry_bytes(e, "q4_k_m", &exact), 4920739232);
    assert_true(exact);
    int64_t guess = model_entry_bytes(e, "Q8_0", &exact); /* the hub says 8.54 GB */
    assert_true(!exact && guess > 8450000000 && guess < 8650000000);
    assert_int_equal(model_entry_bytes(e, "Q9_9", &exact), 0);
    assert_int_equal(model_entry_kv_bytes(e), 131072);
    model_catalogue_fini(&c);
}

static enum sf_err parse(const char *text, struct sf_errbuf *eb)
{
    struct model_catalogue c;
    *eb = (struct sf_errbuf){.code = SF_OK};
    enum sf_err err = model_catalogue_parse(sf_str(text), &c, eb);
    if (err == SF_OK) {
        model_catalogue_fini(&c);
    } else {
        assert_int_equal(c.n, 0);
        assert_null(c.v);
    }
    return err;
}

#define HEAD "models:\n  - names: [a/b]\n    repo: x/y\n"
#define FILES "    files: [{quant: Q4_K_M, file: b-Q4_K_M.gguf}]\n"
static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "models:"},
        {"models: 3\n", "models:"},
        {"models:\n  - 7\n", "names"},
        {"models:\n  - repo: x/y\n" FILES, "names"},
        {HEAD, "files"},
        {HEAD "    files: []\n", "files"},
        {HEAD "    files: [{quant: Q4_K_M, file: ../b.gguf}]\n", "files"},
        {HEAD "    files: [{quant: Q4_K_M, file: b.bin}]\n", "files"},
        {HEAD "    files: [{quant: Q4_K_M, file: b.gguf, sha256: abc}]\n", "sha256"},
        {HEAD "    files: [{quant: Q4_K_M, file: b.gguf, bytes: -1}]\n", "bytes"},
        {HEAD FILES "    colour: red\n", "colour"},
        {HEAD FILES "    layers: many\n", "layers"},
        {HEAD FILES "    languages: [xx]\n", "languages"},
        {HEAD FILES "    gated: 7\n", "gated"},
        {"models:\n  - names: [a/b]\n    repo: no-owner\n" FILES, "repo"},
        {"models:\n  - names: [\"a b\"]\n" FILES, "names"},
        {HEAD FILES FILES, "twice"},
    };
    struct sf_errbuf eb;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(parse(wrong[i].text, &eb), SF_EPARSE);
        assert_non_null(strstr(eb.text, wrong[i].says));
    }
    assert_int_equal(parse(HEAD FILES, &eb), SF_OK);
    assert_int_equal(parse("models: []\n", &eb), SF_OK);
}

static void names_that_may_become_files(void **state)
{
    static const char *const good[] = {"a.gguf", "Qwen_Qwen3-4B-Q8_0.gguf", "a b (1).gguf"};
    static const char *const bad[] = {".gguf", ".a.gguf", "a.bin", "a\n.gguf", "", "x/../y.gguf"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(model_is_file_name(good[i]));
    }
    for (size_t i = 0; i < 6; i++) {
        assert_false(model_is_file_name(bad[i]));
    }
    assert_true(model_is_repo(sf_str("bartowski/X-GGUF")));
    assert_false(model_is_repo(sf_str("a/b/c")));
    assert_false(model_is_repo(sf_str("../b")));
    assert_false(model_is_repo(sf_str("a/..")));
    assert_false(model_is_repo(sf_str("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_catalogue_is_whole),
        cmocka_unit_test(models_are_found_as_people_name_them),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(names_that_may_become_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

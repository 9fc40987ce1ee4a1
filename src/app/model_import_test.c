/* SPDX-License-Identifier: MIT */
#include "app/model_import.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-import-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static void put(const char *name, const char *text)
{
    char *path = sf_path_join(dir, name);
    assert_int_equal(sf_file_write(path, sf_str(text), 0600, NULL), SF_OK);
    free(path);
}

static void the_name_is_what_people_call_it(void **state)
{
    static const struct {
        const char *source, *stem;
    } rows[] = {{"/models/Novelist-9B", "Novelist-9B"}, {"/models/Novelist-9B//", "Novelist-9B"},
                {"mylab/Novelist-9B", "Novelist-9B"},   {"Novelist-9B-F16.gguf", "Novelist-9B"},
                {"a/Novelist.Q8_0.gguf", "Novelist"},   {"a/Novelist.gguf", "Novelist"},
                {"a/Qwen2.5-7B.gguf", "Qwen2.5-7B"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_order o = {.source = rows[i].source};
        struct import im = {.o = &o};
        size_t n = strlen(o.source);
        im.is_gguf = n > 5 && strcmp(o.source + n - 5, ".gguf") == 0;
        take_stem(&im);
        assert_string_equal(im.stem, rows[i].stem);
    }
}

static void room_is_for_what_is_written(void **state)
{
    const int64_t gb = 1000000000;
    (void)state;
    assert_int_equal(room_for(16 * gb, NULL, "F16"), 16 * gb); /* only converted */
    assert_int_equal(room_for(16 * gb, NULL, "Q8_0"), 16 * gb + 8510000000);
    assert_int_equal(room_for(16 * gb, NULL, "Q4_K_M"), 16 * gb + 4900000000);
    assert_int_equal(room_for(16 * gb, "F16", "Q4_K_M"), 4900000000); /* only quantized */
    assert_int_equal(room_for(16 * gb, "", "Q4_K_M"), 16 * gb);       /* of a type nobody knows */
    assert_int_equal(room_for(0, NULL, "Q4_K_M"), 0);
}

static void weights_are_counted_not_what_lies_beside_them(void **state)
{
    (void)state;
    put("config.json", "{}");
    put("pytorch_model.bin", "0123456789");
    assert_int_equal(bytes_in(dir), 12);
    put("model-00001-of-00002.safetensors", "12345");
    put("model-00002-of-00002.safetensors", "123");
    assert_int_equal(bytes_in(dir), 8);
    assert_int_equal(bytes_in("/nowhere"), 0);
}

/* The error of an import of the folder in this quantization; there is no converter. */
static enum sf_err try_type(const char *quantization, struct sf_errbuf *eb)
{
    struct conf_source source = {.no_file = true, .n_settings = 1};
    const struct conf *conf = NULL;
    struct import_result result;
    struct import_order o = {.source = dir,
                             .python = "/nowhere/python",
                             .converter = "/nowhere/convert.py",
                             .quantization = quantization};
    source.settings[0] = (struct conf_setting){"generator.local.models_dir", dir};
    assert_int_equal(conf_load(&source, &conf, NULL, eb), SF_OK);
    enum sf_err err = model_import(conf, &o, &result, eb);
    conf_unref(conf);
    return err;
}

static void a_wrong_type_is_told_first(void **state)
{
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    put("config.json", "{}");
    assert_int_equal(try_type("Q9", &eb), SF_EINVAL);
    assert_non_null(strstr(eb.text, "\"Q9\" is no type"));
    assert_non_null(strstr(eb.text, "Q5_K_M"));
    assert_int_equal(try_type("q5_k_m", &eb),
                     SF_ECONFIG); /* known: then the converter is missing */
    assert_non_null(strstr(eb.text, "make setup CONVERT=1"));
    assert_int_equal(try_type(NULL, &eb), SF_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_is_what_people_call_it),
        cmocka_unit_test(room_is_for_what_is_written),
        cmocka_unit_test(weights_are_counted_not_what_lies_beside_them),
        cmocka_unit_test(a_wrong_type_is_told_first),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}

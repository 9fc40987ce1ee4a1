/* SPDX-License-Identifier: MIT */
#include "app/models.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-models-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static void put(const char *name)
{
    char *path = sf_path_join(dir, name);
    assert_int_equal(sf_file_write(path, SF_STR("GGUF"), 0600, NULL), SF_OK);
    free(path);
}

/* Where the model of this name and quantization is looked for, behind the folder. */
static void expect(const char *model, const char *quantization, const char *file)
{
    struct conf_source source = {.no_file = true, .n_settings = 3};
    const struct conf *conf = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct model_place place;
    source.settings[0] = (struct conf_setting){"generator.local.model_name", model};
    source.settings[1] = (struct conf_setting){"generator.local.quantization", quantization};
    source.settings[2] = (struct conf_setting){"generator.local.models_dir", dir};
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
    model_find(conf, &place);
    assert_int_equal(strncmp(place.path, dir, strlen(dir)), 0);
    assert_string_equal(place.path + strlen(dir) + 1, file);
    conf_unref(conf);
}

static void a_quantization_chooses_the_file(void **state)
{
    static const char llama[] = "meta-llama/Llama-3.1-8B-Instruct";
    (void)state;
    /* Nothing there: what is missing is named. */
    expect(llama, "4bit", "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf");
    expect(llama, "8bit", "Meta-Llama-3.1-8B-Instruct-Q8_0.gguf");
    expect(llama, "none", "Meta-Llama-3.1-8B-Instruct-F16.gguf");
    expect(llama, "Q5_K_M", "Meta-Llama-3.1-8B-Instruct-Q5_K_M.gguf");
    expect("who/Odd-Model", "4bit", "Odd-Model-Q4_K_M.gguf");
    put("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf");
    put("Meta-Llama-3.1-8B-Instruct.q8_0.gguf");
    put("Meta-Llama-3.1-8B-Instruct-BF16.gguf");
    put("Odd-Model.gguf");
    expect(llama, "4bit", "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf");
    expect(llama, "8bit", "Meta-Llama-3.1-8B-Instruct.q8_0.gguf");
    expect(llama, "none", "Meta-Llama-3.1-8B-Instruct-BF16.gguf");
    expect("who/Odd-Model", "4bit", "Odd-Model.gguf"); /* its name tells no type */
    expect("who/Odd-Model", "Q6_K", "Odd-Model-Q6_K.gguf");
    put("Odd-Model-Q4_K_S.gguf");
    expect("who/Odd-Model", "4bit", "Odd-Model-Q4_K_S.gguf");
}

/* Nothing of 4 bits but what is left: in this order. */
static void four_bits_take_the_next_best(void **state)
{
    static const char qwen[] = "Qwen/Qwen2.5-14B-Instruct";
    (void)state;
    expect(qwen, "4bit", "Qwen2.5-14B-Instruct-Q4_K_M.gguf");
    put("Qwen2.5-14B-Instruct-IQ4_XS.gguf");
    expect(qwen, "4bit", "Qwen2.5-14B-Instruct-IQ4_XS.gguf");
    put("Qwen2.5-14B-Instruct-Q4_K_S.gguf");
    expect(qwen, "4bit", "Qwen2.5-14B-Instruct-Q4_K_S.gguf");
    put("Qwen2.5-14B-Instruct-Q4_K_M.gguf");
    expect(qwen, "4bit", "Qwen2.5-14B-Instruct-Q4_K_M.gguf");
}

static void a_model_in_parts_is_found_by_its_first(void **state)
{
    (void)state;
    put("Llama-3.3-70B-Instruct-Q8_0-00002-of-00003.gguf");
    expect("llama-3.3-70b", "8bit", "Llama-3.3-70B-Instruct-Q8_0.gguf"); /* the first is missing */
    put("Llama-3.3-70B-Instruct-Q8_0-00001-of-00003.gguf");
    expect("llama-3.3-70b", "8bit", "Llama-3.3-70B-Instruct-Q8_0-00001-of-00003.gguf");
}

/* `auto`: among those that are here, and only whole files count. */
static void auto_takes_what_is_here(void **state)
{
    (void)state;
    put("qwen2.5-1.5b-instruct-q4_k_m.gguf.part");
    put("SmolLM2-135M-Instruct.Q4_1.gguf");
    expect("auto", "4bit", "SmolLM2-135M-Instruct.Q4_1.gguf");
}

/* A name means the tuned file when that is not older; a path means the file that it names. */
static void a_tuned_file_is_taken_by_name_alone(void **state)
{
    char path[200];
    struct timeval old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    (void)state;
    put("SmolLM2-135M-Instruct.Q4_1.gguf");
    put("SmolLM2-135M-Instruct.Q4_1.tuned.gguf");
    expect("default", "4bit", "SmolLM2-135M-Instruct.Q4_1.tuned.gguf");
    expect("auto", "4bit", "SmolLM2-135M-Instruct.Q4_1.tuned.gguf");
    (void)snprintf(path, sizeof path, "%s/SmolLM2-135M-Instruct.Q4_1.gguf", dir);
    expect(path, "4bit", "SmolLM2-135M-Instruct.Q4_1.gguf");
    (void)snprintf(path, sizeof path, "%s/SmolLM2-135M-Instruct.Q4_1.tuned.gguf", dir);
    assert_int_equal(utimes(path, old), 0);
    expect("default", "4bit", "SmolLM2-135M-Instruct.Q4_1.gguf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantization_chooses_the_file),
        cmocka_unit_test(four_bits_take_the_next_best),
        cmocka_unit_test(a_model_in_parts_is_found_by_its_first),
        cmocka_unit_test(auto_takes_what_is_here),
        cmocka_unit_test(a_tuned_file_is_taken_by_name_alone),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/complete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The candidates alone, with a space behind each. */
static struct sf_buf candidates(const char *const *words, size_t n)
{
    struct sf_buf all, out;
    sf_buf_init(&all, 1U << 20);
    sf_buf_init(&out, 1U << 20);
    complete_words(words, n, &all);
    struct sf_str rest = sf_buf_str(&all), line, word;
    while (sf_str_next(&rest, '\n', &line)) {
        (void)sf_str_next(&line, '\t', &word);
        sf_buf_add_str(&out, word);
        sf_buf_putc(&out, ' ');
    }
    sf_buf_fini(&all);
    return out;
}

#define MAX_WORDS 8
struct row {
    const char *words[MAX_WORDS];
    const char *want;
};

static void expect(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < MAX_WORDS && rows[i].words[k] != NULL) {
            k++;
        }
        struct sf_buf got = candidates(rows[i].words, k);
        assert_string_equal(sf_buf_z(&got), rows[i].want);
        sf_buf_fini(&got);
    }
}

static void a_line_says_what_may_come_next(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{"gener"}, "generate generators "},
        {{"--v"}, "--version "},
        {{"nonsense", ""}, ""},
        {{"chain", ""}, "show serve metagraph "},
        {{"chain", "--timeout", "5", "me"}, "metagraph "},
        {{"chain", "show", "--hot"}, "--hotkey "},
        {{"generate", "--task", "ch"}, "characters chapters "},
        {{"generate", "--task=ch"}, "--task=characters --task=chapters "},
        {{"generate", "--task", "=", "ch"}, "characters chapters "},
        {{"generate", "--task", "="}, "blueprint characters story_arc chapters "},
        {{"generate", "--task", "blueprint", "--inp"}, "--input "},
        {{"miner", "--axon.p"}, "--axon.port "},
        {{"miner", "--deadline.ma"}, "--deadline.max --deadline.margin --deadline.margin_percent "},
        {{"miner", "--logging.format", ""}, "logfmt json "},
        {{"miner", "--generator.mode", "a"}, "api auto "},
        {{"miner", "--offline", "=", "t"}, "true "},
        {{"miner", "--offline=f"}, "--offline=false "},
        {{"miner", "--config", ""}, ":files "},
        {{"miner", "--config=/et"}, ":files "},
        {{"score", "x"}, ":files "},
        {{"score", "--", "--task"}, ":files "},
        {{"story", "--out", ""}, ":dirs "},
        {{"history", "--status", "f"}, "failed "},
        {{"completion", "b"}, "bash "},
        {{"man", "generator"}, "generator_config.yaml.5 "},
    };
    expect(rows, sizeof rows / sizeof rows[0]);
}

static void models_are_completed_from_the_catalogue(void **state)
{
    (void)state;
    static const char *const words[] = {"models", "pull", ""};
    static const char *const setting[] = {"miner", "--generator.local.model_name", ""};
    struct sf_buf pull = candidates(words, 3), name = candidates(setting, 3);
    assert_non_null(strstr(sf_buf_z(&pull), "auto "));
    assert_non_null(strstr(sf_buf_z(&pull), "gemma-3-270m "));
    assert_non_null(strstr(sf_buf_z(&name), "gemma-3-270m "));
    sf_buf_fini(&pull);
    sf_buf_fini(&name);
}

static void whatever_is_typed_is_no_danger(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{"", ""}, ""},
        {{"miner", "="}, ""},
        {{"miner", "--=x"}, ""},
        {{"miner", "--config", "=", "/nowhere.yaml", "--axon.po"}, "--axon.port "},
        {{"models", "--config=/nowhere.yaml", "nothing", "x"}, ""},
    };
    expect(rows, sizeof rows / sizeof rows[0]);
    complete_words(NULL, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_what_may_come_next),
        cmocka_unit_test(models_are_completed_from_the_catalogue),
        cmocka_unit_test(whatever_is_typed_is_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

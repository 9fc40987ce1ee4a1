/* SPDX-License-Identifier: MIT */
#include "app/speeds.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-speeds-XXXXXX";
static const struct conf *conf;
static struct model_catalogue catalogue;

static void open_in(const char *state_dir)
{
    struct conf_source source = {.no_file = true, .n_settings = 1};
    struct sf_errbuf eb = {.code = SF_OK};
    conf_unref(conf);
    source.settings[0] = (struct conf_setting){"state_dir", state_dir};
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
}

static struct speed measured(const char *file, enum speed_place place, int64_t bytes, double rate)
{
    struct speed s = {.place = place, .bytes = bytes, .tokens_per_second = rate, .answers = 1};
    (void)snprintf(s.file, sizeof s.file, "%s", file);
    return s;
}

static void add(const char *file, enum speed_place place, int64_t bytes, double rate)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct speed s = measured(file, place, bytes, rate);
    assert_int_equal(speeds_add(conf, &s, &eb), SF_OK);
}

static void expect(const char *file, enum speed_place place, int64_t bytes,
                   enum speed_source source, double rate)
{
    struct speeds s;
    struct speed wanted = measured(file, place, bytes, 0);
    speeds_read(conf, &s);
    struct speed_expected e = speeds_expect(&s, &catalogue, &wanted);
    assert_int_equal(e.source, source);
    assert_true(e.tokens_per_second > rate * 0.999 - 1e-9 &&
                e.tokens_per_second < rate * 1.001 + 1e-9);
}

static void nothing_is_told_before_something_ran(void **state)
{
    (void)state;
    open_in(dir);
    expect("a-Q4_K_M.gguf", SPEED_CPU, 1000, SPEED_UNKNOWN, 0);
}

static void what_ran_is_measured_what_did_not_goes_by_its_bytes(void **state)
{
    (void)state;
    open_in(dir);
    add("small.tuned.gguf", SPEED_CPU, 100000000, 150);
    expect("small.gguf", SPEED_CPU, 120000000, SPEED_MEASURED, 150);
    expect("large.gguf", SPEED_CPU, 5000000000, SPEED_ESTIMATED, 3);
    expect("large.gguf", SPEED_GPU, 5000000000, SPEED_UNKNOWN, 0); /* another place */
    expect("large.gguf", SPEED_NOWHERE, 5000000000, SPEED_UNKNOWN, 0);
    expect("unknown.gguf", SPEED_CPU, 0, SPEED_UNKNOWN, 0);
    add("middle.gguf", SPEED_CPU, 2000000000, 10); /* nearer in size: it counts */
    expect("large.gguf", SPEED_CPU, 5000000000, SPEED_ESTIMATED, 4);
    /* of a mixture a token reads a share: 12.9 of 46.7 billions */
    expect("Mixtral-8x7B-Instruct-v0.1.Q4_K_M.gguf", SPEED_CPU, 2000000000 * 467LL / 129,
           SPEED_ESTIMATED, 10);
}

static void a_gpu_is_judged_by_models_of_like_size(void **state)
{
    (void)state;
    open_in(dir);
    add("tiny-on-gpu.gguf", SPEED_GPU, 100000000, 900);
    expect("eight.gguf", SPEED_GPU, 4900000000, SPEED_UNKNOWN, 0);
    add("seven.gguf", SPEED_GPU, 4700000000, 400);
    expect("eight.gguf", SPEED_GPU, 9400000000, SPEED_ESTIMATED, 200);
}

static void the_newest_answers_count_most(void **state)
{
    (void)state;
    open_in(dir);
    for (int i = 0; i < 30; i++) {
        add("mean.gguf", SPEED_CPU, 1000, 10);
    }
    for (int i = 0; i < 200; i++) {
        add("mean.gguf", SPEED_CPU, 1000, 20);
    }
    struct speeds s;
    speeds_read(conf, &s);
    assert_true(s.v[s.n - 1].tokens_per_second > 19.9);
    assert_int_equal(s.v[s.n - 1].answers, 21);
}

static void it_never_grows_and_bears_what_is_no_list(void **state)
{
    char name[32], path[1000];
    struct speeds s;
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    open_in(dir);
    for (int i = 0; i < SPEEDS_MAX + 5; i++) {
        (void)snprintf(name, sizeof name, "m%d.gguf", i);
        add(name, SPEED_CPU, 1000, 10);
    }
    speeds_read(conf, &s);
    assert_int_equal(s.n, SPEEDS_MAX);
    assert_string_equal(s.v[SPEEDS_MAX - 1].file, name);
    struct speed nonsense[] = {measured("", SPEED_CPU, 1, 1), measured("a", SPEED_CPU, 1, 0),
                               measured("a", SPEED_NOWHERE, 1, 1), measured("a", SPEED_CPU, 0, 1)};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(speeds_add(conf, &nonsense[i], &eb), SF_EINVAL);
    }
    static const char moon[] = "{\"speeds\":[{\"file\":\"a\",\"place\":\"moon\",\"bytes\":1,"
                               "\"answers\":1,\"tokens_per_second\":1}]}";
    static const char *const texts[] = {"", "[]", "{\"speeds\":3}", "{\"speeds\":[1,{}]}", moon};
    path_of(conf, path, sizeof path);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(sf_file_write(path, sf_str(texts[i]), 0600, &eb), SF_OK);
        speeds_read(conf, &s);
        assert_int_equal(s.n, 0);
    }
}

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    open_in(dir);
    return model_catalogue_init(conf, &catalogue) == SF_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    model_catalogue_fini(&catalogue);
    conf_unref(conf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_told_before_something_ran),
        cmocka_unit_test(what_ran_is_measured_what_did_not_goes_by_its_bytes),
        cmocka_unit_test(a_gpu_is_judged_by_models_of_like_size),
        cmocka_unit_test(the_newest_answers_count_most),
        cmocka_unit_test(it_never_grows_and_bears_what_is_no_list),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

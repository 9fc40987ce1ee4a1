/* SPDX-License-Identifier: MIT */
#include "app/model_tune_check.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The default model on two cores: everything speaks for it. */
static struct tune_facts facts(void)
{
    return (struct tune_facts){.bytes = 98362432,
                               .written_bytes = 491812160,
                               .room_bytes = -1,
                               .limit_bytes = -1,
                               .layouts = 4,
                               .cpus = 2,
                               .fits = true,
                               .can_write = true,
                               .has_engine = true};
}

static const char *why_not(const struct tune_facts *f)
{
    static char why[300];
    why[0] = '\0';
    return tune_is_sensible(f, why, sizeof why) ? "" : why;
}

static void each_reason_is_said(void **state)
{
    struct tune_facts f = facts();
    (void)state;
    assert_string_equal(why_not(&f), "");
    f.bytes = 0;
    assert_non_null(strstr(why_not(&f), "storyfi models pull"));
    f = facts(), f.has_engine = false;
    assert_non_null(strstr(why_not(&f), "no storyfi-engine here"));
    f = facts(), f.is_split = true;
    assert_non_null(strstr(why_not(&f), "several files"));
    f = facts(), f.layouts = 0;
    assert_non_null(strstr(why_not(&f), "no other layout"));
    f = facts(), f.fits = false;
    (void)snprintf(f.plan, sizeof f.plan, "does not fit: 40 GB");
    assert_string_equal(why_not(&f), "does not fit: 40 GB");
    f = facts(), f.on_gpu = true;
    assert_non_null(strstr(why_not(&f), "runs on a GPU"));
    f = facts(), f.can_write = false;
    assert_non_null(strstr(why_not(&f), "models_dir"));
}

static void nobody_measures_twice(void **state)
{
    struct tune_facts f = facts();
    (void)state;
    (void)snprintf(f.known, sizeof f.known, "as it is");
    assert_non_null(strstr(why_not(&f), "fastest as it is"));
    (void)snprintf(f.known, sizeof f.known, "Q4_0");
    assert_non_null(strstr(why_not(&f), "the file was removed"));
    f.known_here = true;
    assert_string_equal(why_not(&f), "tuned already");
}

/* As large as a CPU is quick with: 245 MB a core, of eight at most. */
static void what_would_take_minutes_is_left(void **state)
{
    struct tune_facts f = facts();
    (void)state;
    f.bytes = 490000000;
    assert_string_equal(why_not(&f), "");
    f.bytes = 500000000;
    assert_non_null(strstr(why_not(&f), "it takes minutes (storyfi models tune does it"));
    f.cpus = 8;
    assert_string_equal(why_not(&f), "");
    f.bytes = 4920739232;
    f.cpus = 128;
    assert_non_null(strstr(why_not(&f), "4.9 GB on 128 processors"));
}

static void room_is_looked_at_first(void **state)
{
    struct tune_facts f = facts();
    (void)state;
    f.room_bytes = f.written_bytes;
    assert_non_null(strstr(why_not(&f), "the disk of the models' folder has 492 MB"));
    f.room_bytes += SPARE_BYTES;
    assert_string_equal(why_not(&f), "");
    f.limit_bytes = f.written_bytes - 1;
    assert_non_null(strstr(why_not(&f), "models_max_size leaves"));
    f.limit_bytes++;
    assert_string_equal(why_not(&f), "");
}

static void what_it_takes_is_said_before(void **state)
{
    struct tune_facts f = facts();
    char text[160];
    (void)state;
    tune_cost_text(&f, text, sizeof text);
    assert_string_equal(text, "writes up to 492 MB, keeps one file at most; about 33 s");
}

/* "Q8_0 Q4_0 Q4_0+ …" for a file's name. */
static const char *layouts_of(const char *file)
{
    static char text[200];
    struct tune_layout v[TUNE_ROWS];
    size_t n = tune_layouts(file, v), at = 0;
    assert_string_equal(v[0].shown, "as it is");
    text[0] = '\0';
    for (size_t i = 1; i < n; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s", i > 1 ? " " : "", v[i].type,
                               v[i].output_type != NULL ? "+" : "");
    }
    return text;
}

static void no_layout_has_fewer_bits_than_the_file(void **state)
{
    (void)state;
    assert_string_equal(layouts_of("/m/SmolLM2-135M-Instruct.Q4_1.gguf"), "Q8_0 Q4_0 Q4_0+ Q4_K_M");
    assert_string_equal(layouts_of("x-Q4_K_M.gguf"), "Q8_0 Q4_0 Q4_0+");
    assert_string_equal(layouts_of("x-q4_0.gguf"), "Q8_0 Q4_0+ Q4_K_M");
    assert_string_equal(layouts_of("x-IQ4_XS.gguf"), "Q8_0 Q4_0 Q4_0+ Q4_K_M");
    assert_string_equal(layouts_of("x-Q5_K_M.gguf"), "Q8_0");
    assert_string_equal(layouts_of("x-Q8_0.gguf"), "");
    assert_string_equal(layouts_of("x-F16.gguf"), "Q8_0");
    assert_string_equal(layouts_of("x-BF16.gguf"), "Q8_0");
    assert_string_equal(layouts_of("x-Q3_K_M.gguf"), "Q8_0 Q4_0 Q4_0+ Q4_K_M");
    assert_string_equal(layouts_of("x.gguf"), "Q8_0 Q4_0 Q4_0+ Q4_K_M");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_said),
        cmocka_unit_test(nobody_measures_twice),
        cmocka_unit_test(what_would_take_minutes_is_left),
        cmocka_unit_test(room_is_looked_at_first),
        cmocka_unit_test(what_it_takes_is_said_before),
        cmocka_unit_test(no_layout_has_fewer_bits_than_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

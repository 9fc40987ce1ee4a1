/* SPDX-License-Identifier: MIT */
#include "app/model_part.h"

#include "base/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-part-XXXXXX";
static char dest[64];
static struct sf_errbuf eb;

static int make_dir(void **state)
{
    (void)state;
    bool made = mkdtemp(dir) != NULL;
    (void)snprintf(dest, sizeof dest, "%s/m.gguf", dir);
    return made ? 0 : -1;
}

static bool is_there(const char *end)
{
    char path[128];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s%s", dest, end);
    return stat(path, &st) == 0;
}

static void a_part_goes_on_and_becomes_the_file(void **state)
{
    struct model_part p;
    struct sf_buf b;
    (void)state;
    assert_int_equal(model_part_open(dest, &p, &eb), SF_OK);
    assert_int_equal(p.total, 0);
    assert_int_equal(model_part_begin(&p, 10, "etag:x", 3, &eb), SF_OK);
    assert_int_equal(p.segments[2].end, 10); /* 3, 3 and 4 */
    assert_int_equal(model_part_write(&p, 2, SF_STR("6789"), &eb), SF_OK);
    assert_int_equal(model_part_write(&p, 2, SF_STR("!"), &eb), SF_EINVAL);
    assert_int_equal(model_part_write(&p, 0, SF_STR("01"), &eb), SF_OK);
    assert_int_equal(model_part_save(&p, &eb), SF_OK);
    assert_int_equal(model_part_write(&p, 1, SF_STR("345"), &eb), SF_OK); /* not saved */
    model_part_close(&p);
    assert_false(is_there(""));

    assert_int_equal(model_part_open(dest, &p, &eb), SF_OK);
    assert_int_equal(model_part_done(&p), 6);
    assert_string_equal(p.identity, "etag:x");
    assert_int_equal(model_part_write(&p, 1, SF_STR("345"), &eb), SF_OK);
    assert_int_equal(model_part_write(&p, 0, SF_STR("2"), &eb), SF_OK);
    assert_int_equal(model_part_finish(&p, &eb), SF_OK);
    model_part_close(&p);
    assert_false(is_there(".part") || is_there(".part.state"));
    sf_buf_init(&b, 100);
    assert_int_equal(sf_file_read(dest, &b, &eb), SF_OK);
    assert_string_equal(sf_buf_z(&b), "0123456789");
    sf_buf_fini(&b);
    (void)unlink(dest);
}

static void two_at_once_are_kept_apart(void **state)
{
    struct model_part one, two;
    (void)state;
    assert_int_equal(model_part_open(dest, &one, &eb), SF_OK);
    assert_int_equal(model_part_open(dest, &two, &eb), SF_EBUSY);
    assert_non_null(strstr(eb.text, "another storyfi"));
    model_part_close(&two);
    model_part_discard(&one);
    model_part_close(&one);
    assert_int_equal(model_part_open(dest, &two, &eb), SF_OK);
    model_part_discard(&two);
    model_part_close(&two);
    assert_false(is_there(".part"));
}

static void a_disk_that_is_too_small_says_so_at_once(void **state)
{
    struct model_part p;
    (void)state;
    assert_int_equal(model_part_open(dest, &p, &eb), SF_OK);
    assert_int_equal(model_part_begin(&p, INT64_C(1) << 43, "", 1, &eb), SF_EIO);
    assert_int_equal(p.total, 0);
    model_part_discard(&p);
    model_part_close(&p);
}

static void a_disk_that_fills_up_later_keeps_what_came(void **state)
{
    struct model_part p;
    struct rlimit all, little = {.rlim_cur = 6, .rlim_max = RLIM_INFINITY};
    (void)state;
    assert_int_equal(model_part_open(dest, &p, &eb), SF_OK);
    assert_int_equal(model_part_begin(&p, 10, "", 1, &eb), SF_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    little.rlim_max = all.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    enum sf_err err = model_part_write(&p, 0, SF_STR("0123456789"), &eb);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_int_equal(err, SF_EIO);
    assert_non_null(strstr(eb.text, "is full"));
    assert_non_null(strstr(eb.text, "models_dir"));
    assert_int_equal(model_part_done(&p), 6);
    assert_false(is_there("")); /* half of it is no model */
    assert_int_equal(model_part_write(&p, 0, SF_STR("6789"), &eb), SF_OK);
    assert_int_equal(model_part_done(&p), 10);
    model_part_discard(&p);
    model_part_close(&p);
}

static void a_link_is_not_followed(void **state)
{
    struct model_part p;
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s.part", dest);
    assert_int_equal(symlink("/tmp/storyfi-elsewhere", path), 0);
    assert_int_equal(model_part_open(dest, &p, &eb), SF_EIO);
    model_part_close(&p);
    (void)unlink(path);
}

static void a_state_that_makes_no_sense_counts_for_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "storyfi-part 2\ntotal 10\nidentity x\nsegment 0 10 5\n",
        "storyfi-part 1\nidentity x\nsegment 0 10 5\n",
        "storyfi-part 1\ntotal 10\nidentity x\n",
        "storyfi-part 1\ntotal 10\nidentity x\nsegment 0 9 5\n",
        "storyfi-part 1\ntotal 10\nidentity x\nsegment 0 5 5\nsegment 6 10 0\n",
        "storyfi-part 1\ntotal 10\nidentity x\nsegment 0 10 11\n",
        "storyfi-part 1\ntotal 10\nidentity x\nsegment 5 3 0\n",
        "storyfi-part 1\ntotal 10\nwhat x\nsegment 0 10 5\n",
        "storyfi-part 1\ntotal -10\nsegment 0 10 5\n",
    };
    struct model_part p;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(model_part_parse_state(sf_str(wrong[i]), &p));
    }
    assert_true(model_part_parse_state(
        SF_STR("storyfi-part 1\ntotal 10\nidentity x\nsegment 0 4 4\nsegment 4 10 1\n"), &p));
    assert_int_equal(model_part_done(&p), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_goes_on_and_becomes_the_file),
        cmocka_unit_test(two_at_once_are_kept_apart),
        cmocka_unit_test(a_disk_that_is_too_small_says_so_at_once),
        cmocka_unit_test(a_disk_that_fills_up_later_keeps_what_came),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(a_state_that_makes_no_sense_counts_for_nothing),
    };
    int failed = cmocka_run_group_tests(tests, make_dir, NULL);
    (void)rmdir(dir);
    return failed;
}

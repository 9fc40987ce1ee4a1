/* SPDX-License-Identifier: MIT */
#include "app/model_tune_record.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-record-XXXXXX";
static char original[200], tuned[200], record[200];

static int make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(original, sizeof original, "%s/m-Q4_1.gguf", dir);
    (void)snprintf(tuned, sizeof tuned, "%s/m-Q4_1.tuned.gguf", dir);
    (void)snprintf(record, sizeof record, "%s/m-Q4_1.tuned.json", dir);
    return sf_file_write(original, SF_STR("GGUF"), 0600, NULL) == SF_OK ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    (void)unlink(original);
    (void)unlink(record);
    return rmdir(dir);
}

static void what_was_found_is_read_again(void **state)
{
    struct tune_record r;
    char path[200];
    (void)state;
    tune_record_path(tuned, path, sizeof path);
    assert_string_equal(path, record);
    assert_false(tune_record_read(tuned, original, &r));
    assert_int_equal(tune_record_write(tuned, original, "Q4_0, output Q4_0", 2.25, NULL), SF_OK);
    assert_true(tune_record_read(tuned, original, &r));
    assert_string_equal(r.kept, "Q4_0, output Q4_0");
    assert_true(r.gain == 2.25 && r.bytes == 4);
}

static void it_is_of_that_file_alone(void **state)
{
    struct tune_record r;
    (void)state;
    assert_int_equal(tune_record_write(tuned, original, "as it is", 1, NULL), SF_OK);
    assert_int_equal(sf_file_write(original, SF_STR("GGUF, another one"), 0600, NULL), SF_OK);
    assert_false(tune_record_read(tuned, original, &r));
    assert_int_equal(tune_record_write(tuned, "/nowhere/x.gguf", "Q4_0", 2, NULL), SF_EIO);
    assert_false(tune_record_read(tuned, "/nowhere/x.gguf", &r));
}

static void nonsense_is_no_record(void **state)
{
    static const char *const texts[] = {"", "[]", "{\"kept\":\"Q4_0\"}",
                                        "{\"bytes\":4,\"mtime\":\"x\",\"kept\":1,\"gain\":2}"};
    struct tune_record r;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(sf_file_write(record, sf_str(texts[i]), 0600, NULL), SF_OK);
        assert_false(tune_record_read(tuned, original, &r));
        assert_string_equal(r.kept, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_found_is_read_again),
        cmocka_unit_test(it_is_of_that_file_alone),
        cmocka_unit_test(nonsense_is_no_record),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

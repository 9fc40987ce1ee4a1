/* SPDX-License-Identifier: MIT */
#include "app/model_devices.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void what_nvidia_smi_says(void **state)
{
    struct plan_device d[4];
    (void)state;
    size_t n = model_devices_parse_smi(SF_STR("NVIDIA GeForce RTX 4090, 24564, 24080, "
                                              "8.9\n\nNVIDIA H100 80GB HBM3, 81559, 80994, 9.0\n"
                                              "Broken, [N/A], 1, 1\nTesla, 1, 2\n, 10, 5, x\n"),
                                       d, 4);
    assert_int_equal(n, 3);
    assert_string_equal(d[0].name, "NVIDIA GeForce RTX 4090");
    assert_true(d[0].gpu && d[0].free_bytes == INT64_C(24080) << 20);
    assert_int_equal(d[1].compute_major, 9);
    assert_int_equal(d[1].compute_minor, 0);
    assert_int_equal(d[2].compute_major, 0);
    assert_int_equal(model_devices_parse_smi(SF_STR("a,1,1,1\nb,1,1,1\n"), d, 1), 1);
}

static void put(const char *dir, const char *name, const char *text)
{
    char *path = sf_path_join(dir, name);
    assert_int_equal(sf_file_write(path, sf_str(text), 0600, NULL), SF_OK);
    free(path);
}

static void what_the_kernel_says_of_amd_cards(void **state)
{
    char root[] = "/tmp/storyfi-amd-XXXXXX";
    struct plan_device d[4];
    (void)state;
    assert_non_null(mkdtemp(root));
    char *card = sf_path_join(root, "sys/class/drm/card1/device");
    assert_int_equal(sf_dir_make(card, 0700, NULL), SF_OK);
    assert_int_equal(model_devices_read_amd(root, d, 4), 0);
    put(card, "mem_info_vram_total", "17163091968\n");
    put(card, "mem_info_vram_used", "1000000000\n");
    assert_int_equal(model_devices_read_amd(root, d, 4), 1);
    assert_int_equal(d[0].free_bytes, INT64_C(16163091968));
    put(card, "mem_info_vram_used", "99999999999999\n"); /* more than there is */
    assert_int_equal(model_devices_read_amd(root, d, 4), 0);
    free(card);
}

static void cards_that_one_thinks_of(void **state)
{
    static const char *const wrong[] = {"much", "0", "-4GB", "24GB,,", "1e9", "24GB,x"};
    struct model_devices d;
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(model_devices_pretend("24GB, 8gb,0.5", &d, &eb), SF_OK);
    assert_int_equal(d.n, 4); /* and the memory */
    assert_int_equal(d.v[1].total_bytes, INT64_C(8) << 30);
    assert_true(d.v[1].free_bytes < d.v[1].total_bytes);
    assert_false(d.v[3].gpu);
    assert_true(d.cpus > 0);
    assert_int_equal(model_devices_pretend("none", &d, &eb), SF_OK);
    assert_int_equal(d.n, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(model_devices_pretend(wrong[i], &d, &eb), SF_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nvidia_smi_says),
        cmocka_unit_test(what_the_kernel_says_of_amd_cards),
        cmocka_unit_test(cards_that_one_thinks_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

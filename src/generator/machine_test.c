/* SPDX-License-Identifier: MIT */
#include "generator/machine.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char root[] = "/tmp/storyfi-machine-XXXXXX";

static void put(const char *path, const char *content)
{
    struct sf_buf whole;
    sf_buf_init(&whole, 4096);
    sf_buf_printf(&whole, "%s%s", root, path);
    char *dir = sf_path_dir(sf_buf_z(&whole));
    assert_int_equal(sf_dir_make(dir, 0700, NULL), SF_OK);
    assert_int_equal(sf_file_write(sf_buf_z(&whole), sf_str(content), 0600, NULL), SF_OK);
    free(dir);
    sf_buf_fini(&whole);
}

static int make_root(void **state)
{
    (void)state;
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static void what_is_not_told_stays_unknown(void **state)
{
    struct machine m;
    (void)state;
    machine_read(root, &m);
    assert_int_equal(m.memory_bytes, -1);
    assert_int_equal(m.memory_room_bytes, -1);
    assert_int_equal(machine_memory(&m), -1);
    assert_string_equal(m.gpu_driver, "");
    assert_int_equal(m.gpus, 0);
}

static void memory_is_what_kernel_and_groups_leave(void **state)
{
    struct machine m;
    (void)state;
    put("/proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n");
    machine_read(root, &m);
    assert_int_equal(machine_memory(&m), INT64_C(8000000) * 1024);
    put("/proc/self/cgroup", "0::/system.slice/storyfi.service\n");
    put("/sys/fs/cgroup/system.slice/storyfi.service/memory.max", "max\n");
    put("/sys/fs/cgroup/system.slice/storyfi.service/memory.current", "1000\n");
    machine_read(root, &m);
    assert_int_equal(m.memory_room_bytes, -1);
    /* The limit of a group above counts, and the cache of files in it is free. */
    put("/sys/fs/cgroup/system.slice/memory.max", "5000000000\n");
    put("/sys/fs/cgroup/system.slice/memory.current", "4000000000\n");
    put("/sys/fs/cgroup/system.slice/memory.stat", "anon 1000000000\nfile 3000000000\n");
    machine_read(root, &m);
    assert_int_equal(m.memory_room_bytes, INT64_C(4000000000));
    assert_int_equal(machine_memory(&m), INT64_C(4000000000));
    put("/sys/fs/cgroup/system.slice/storyfi.service/memory.max", "900\n");
    machine_read(root, &m);
    assert_int_equal(m.memory_room_bytes, 0);
    put("/proc/self/cgroup", "nonsense\n0::\n12:memory:/x\n");
    put("/sys/fs/cgroup/memory.max", "-5\n");
    machine_read(root, &m);
    assert_int_equal(m.memory_room_bytes, -1);
}

static void the_driver_and_its_devices_are_seen(void **state)
{
    struct machine m;
    (void)state;
    put("/proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19\nGCC\n");
    put("/dev/nvidia0", "");
    put("/dev/nvidia3", "");
    put("/dev/nvidiactl", "");
    machine_read(root, &m);
    assert_string_equal(m.gpu_driver, "535.129.03");
    assert_int_equal(m.gpus, 2);
    put("/proc/driver/nvidia/version", "something else\n");
    machine_read(root, &m);
    assert_string_equal(m.gpu_driver, "something else");
}

static void sizes_and_disks(void **state)
{
    char z[MACHINE_SIZE_MAX];
    (void)state;
    assert_string_equal(machine_size(999, z), "999 bytes");
    assert_string_equal(machine_size(98000000, z), "98 MB");
    assert_string_equal(machine_size(INT64_C(4920000000), z), "4.9 GB");
    assert_string_equal(machine_size(INT64_C(84000000000), z), "84 GB");
    assert_true(machine_disk("/tmp/not/there/at/all") > 0);
    assert_int_equal(machine_disk("not-there-without-a-folder"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_told_stays_unknown, make_root),
        cmocka_unit_test_setup(memory_is_what_kernel_and_groups_leave, make_root),
        cmocka_unit_test_setup(the_driver_and_its_devices_are_seen, make_root),
        cmocka_unit_test(sizes_and_disks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "engine/child/cpu_limit.h"

#include "base/file.h"

#include <sched.h>

/* The number in a file of one line; false: there is none. */
static bool read_number(const char *path, uint64_t *out)
{
    struct sf_buf b;
    sf_buf_init(&b, 256);
    bool ok = sf_file_read(path, &b, NULL) == SF_OK &&
              sf_scan_u64(sf_str_trim(sf_buf_str(&b)), UINT32_MAX, out);
    sf_buf_fini(&b);
    return ok;
}

static int cpus_of(uint64_t quota, uint64_t period)
{
    return period > 0 ? (int)((quota + period - 1) / period) : 0;
}

/* "max 100000" or "200000 100000" of cgroup v2: CPUs, rounded up; 0 unlimited or unknown. */
static int quota_2(const char *folder)
{
    char path[600];
    struct sf_buf b;
    sf_buf_init(&b, 256);
    int n = 0;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (sf_file_read(path, &b, NULL) == SF_OK) {
        struct sf_str s = sf_str_trim(sf_buf_str(&b)), quota;
        uint64_t q = 0, period = 0;
        if (sf_str_next(&s, ' ', &quota) && sf_scan_u64(quota, UINT32_MAX, &q) &&
            sf_scan_u64(sf_str_trim(s), UINT32_MAX, &period))
            n = cpus_of(q, period);
    }
    sf_buf_fini(&b);
    return n;
}

/* The same of cgroup v1, where no limit is -1. */
static int quota_1(const char *folder)
{
    char path[600];
    uint64_t quota = 0, period = 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_number(path, &quota))
        return 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    return read_number(path, &period) ? cpus_of(quota, period) : 0;
}

/* Whether a line of /proc/self/cgroup ("4:cpu,cpuacct:/path") is of v1's cpu controller. */
static bool is_cpu_line(struct sf_str line, struct sf_str *path)
{
    struct sf_str number, names, name;
    if (!sf_str_next(&line, ':', &number) || !sf_str_next(&line, ':', &names))
        return false;
    *path = line;
    while (sf_str_next(&names, ',', &name))
        if (sf_str_is(name, "cpu"))
            return true;
    return false;
}

/* The limit of our own group: "0::/path" in /proc/self/cgroup, or v1's. */
static int own_quota(void)
{
    struct sf_buf b;
    char folder[512];
    sf_buf_init(&b, 4096);
    int n = 0;
    if (sf_file_read("/proc/self/cgroup", &b, NULL) == SF_OK) {
        struct sf_str s = sf_buf_str(&b), line, path;
        while (n == 0 && sf_str_next(&s, '\n', &line)) {
            if (sf_str_has_prefix(line, "0::/")) {
                snprintf(folder, sizeof folder, "/sys/fs/cgroup%.*s", (int)line.n - 3, line.p + 3);
                n = quota_2(folder);
            } else if (is_cpu_line(line, &path)) {
                snprintf(folder, sizeof folder, "/sys/fs/cgroup/cpu%.*s", SF_STR_ARG(path));
                n = quota_1(folder);
            }
        }
    }
    sf_buf_fini(&b);
    return n;
}

int cpu_limit(void)
{
    cpu_set_t set;
    int n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    const int quotas[] = {quota_2("/sys/fs/cgroup"), quota_1("/sys/fs/cgroup/cpu"), own_quota()};
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++)
        if (quotas[i] > 0 && quotas[i] < n)
            n = quotas[i];
    return n < 1 ? 1 : n;
}

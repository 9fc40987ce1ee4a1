/* SPDX-License-Identifier: MIT */
#include "engine/child/cpu_limit.h"

#include "base/file.h"

#include <sched.h>

/* "max 100000" or "200000 100000" of cgroup v2: CPUs, rounded up; 0 unlimited or unknown. */
static int quota_of(const char *path)
{
    struct sf_buf b;
    sf_buf_init(&b, 256);
    int n = 0;
    if (sf_file_read(path, &b, NULL) == SF_OK) {
        struct sf_str s = sf_str_trim(sf_buf_str(&b)), quota;
        uint64_t q = 0, period = 0;
        if (sf_str_next(&s, ' ', &quota) && sf_scan_u64(quota, UINT32_MAX, &q) &&
            sf_scan_u64(sf_str_trim(s), UINT32_MAX, &period) && period > 0)
            n = (int)((q + period - 1) / period);
    }
    sf_buf_fini(&b);
    return n;
}

/* The limit file of our own group: "0::/path" in /proc/self/cgroup. */
static int own_quota(void)
{
    struct sf_buf b, path;
    sf_buf_init(&b, 4096);
    sf_buf_init(&path, 4096);
    int n = 0;
    if (sf_file_read("/proc/self/cgroup", &b, NULL) == SF_OK) {
        struct sf_str s = sf_buf_str(&b), line;
        while (n == 0 && sf_str_next(&s, '\n', &line)) {
            if (!sf_str_has_prefix(line, "0::/"))
                continue;
            sf_buf_clear(&path);
            sf_buf_printf(&path, "/sys/fs/cgroup%.*s/cpu.max", (int)line.n - 3, line.p + 3);
            n = quota_of(sf_buf_z(&path));
        }
    }
    sf_buf_fini(&b);
    sf_buf_fini(&path);
    return n;
}

int cpu_limit(void)
{
    cpu_set_t set;
    int n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    const int quotas[] = {quota_of("/sys/fs/cgroup/cpu.max"), own_quota()};
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++)
        if (quotas[i] > 0 && quotas[i] < n)
            n = quotas[i];
    return n < 1 ? 1 : n;
}

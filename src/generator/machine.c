/* SPDX-License-Identifier: MIT */
#include "generator/machine.h"

#include "base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define TEXT_CAP (256U << 10)
#define PATH_ROOM 1024

/* The content of root/path; empty when it cannot be read. */
static struct sf_str read_text(struct sf_buf *b, const char *root, const char *path)
{
    char whole[PATH_ROOM];
    sf_buf_clear(b);
    int n = snprintf(whole, sizeof whole, "%s%s", root, path);
    if (n < 0 || (size_t)n >= sizeof whole || sf_file_read(whole, b, NULL) != SF_OK) {
        return (struct sf_str){"", 0};
    }
    return sf_str_trim(sf_buf_str(b));
}

/* The number behind the line's first word `key`, whatever stands behind it. */
static int64_t number_of(struct sf_str text, const char *key)
{
    struct sf_str line, word;
    while (sf_str_next(&text, '\n', &line)) {
        if (!sf_str_next(&line, ' ', &word) || !sf_str_is(word, key)) {
            continue;
        }
        uint64_t v = 0;
        line = sf_str_trim(line);
        if (sf_str_next(&line, ' ', &word) && sf_scan_u64(word, INT64_MAX / 1024, &v)) {
            return (int64_t)v;
        }
    }
    return -1;
}

static int64_t number_in(struct sf_buf *b, const char *root, const char *path)
{
    uint64_t v = 0;
    return sf_scan_u64(read_text(b, root, path), INT64_MAX, &v) ? (int64_t)v : -1;
}

/* Room in one group; what is only the files' cache counts as free. -1: no limit. */
static int64_t group_room(struct sf_buf *b, const char *root, const char *group)
{
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%.900s/memory.max", group);
    int64_t max = number_in(b, root, path);
    (void)snprintf(path, sizeof path, "%.900s/memory.current", group);
    int64_t used = number_in(b, root, path);
    if (max < 0 || used < 0) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%.900s/memory.stat", group);
    int64_t cache = number_of(read_text(b, root, path), "file");
    used -= cache > 0 ? cache : 0;
    return used < max ? max - (used > 0 ? used : 0) : 0;
}

/* The tightest of our control group (version 2) and those above it. */
static int64_t limit_room(struct sf_buf *b, const char *root)
{
    char group[PATH_ROOM] = "/sys/fs/cgroup";
    struct sf_str text = read_text(b, root, "/proc/self/cgroup"), line;
    size_t base = strlen(group);
    while (sf_str_next(&text, '\n', &line)) {
        if (sf_str_has_prefix(line, "0::/") && line.n > 4 && line.n < sizeof group - 64) {
            (void)snprintf(group + base, sizeof group - base, "%.*s", (int)(line.n - 3),
                           line.p + 3);
        }
    }
    int64_t least = -1;
    for (;;) {
        int64_t room = group_room(b, root, group);
        if (room >= 0 && (least < 0 || room < least)) {
            least = room;
        }
        char *slash = strrchr(group, '/');
        if (strlen(group) <= base || slash == NULL) {
            return least;
        }
        *slash = '\0';
    }
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct…": the word with two dots or
 * more digits than letters; kept whole when it is not found. */
static void read_driver(struct sf_buf *b, const char *root, char *out, size_t n)
{
    struct sf_str text = read_text(b, root, "/proc/driver/nvidia/version"), line, word;
    out[0] = '\0';
    if (!sf_str_next(&text, '\n', &line)) {
        return;
    }
    (void)snprintf(out, n, "%.*s", SF_STR_ARG(line));
    while (sf_str_next(&line, ' ', &word)) {
        uint64_t major;
        struct sf_str first;
        struct sf_str rest = word;
        if (sf_str_find(word, SF_STR(".")) < word.n && sf_str_next(&rest, '.', &first) &&
            sf_scan_u64(first, 100000, &major)) {
            (void)snprintf(out, n, "%.*s", SF_STR_ARG(word));
            return;
        }
    }
}

void machine_read(const char *root, struct machine *out)
{
    struct sf_buf b;
    struct stat st;
    sf_buf_init(&b, TEXT_CAP);
    *out = (struct machine){.memory_bytes = -1, .memory_room_bytes = -1};
    int64_t kib = number_of(read_text(&b, root, "/proc/meminfo"), "MemAvailable:");
    out->memory_bytes = kib < 0 ? -1 : kib * 1024;
    out->memory_room_bytes = limit_room(&b, root);
    read_driver(&b, root, out->gpu_driver, sizeof out->gpu_driver);
    for (int i = 0; i < 64; i++) {
        char path[PATH_ROOM];
        (void)snprintf(path, sizeof path, "%.900s/dev/nvidia%d", root, i);
        out->gpus += stat(path, &st) == 0;
    }
    sf_buf_fini(&b);
}

int64_t machine_memory(const struct machine *m)
{
    bool limited = m->memory_room_bytes >= 0;
    if (m->memory_bytes < 0 || (limited && m->memory_room_bytes < m->memory_bytes)) {
        return m->memory_room_bytes;
    }
    return m->memory_bytes;
}

int64_t machine_disk(const char *path)
{
    char place[PATH_ROOM];
    struct statvfs fs;
    (void)snprintf(place, sizeof place, "%s", path);
    while (statvfs(place, &fs) != 0) {
        char *slash = strrchr(place, '/');
        if (slash == NULL || strcmp(place, "/") == 0) {
            return -1;
        }
        slash[slash == place ? 1 : 0] = '\0';
    }
    uint64_t bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

const char *machine_size(int64_t bytes, char out[static MACHINE_SIZE_MAX])
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t u = 0;
    for (; v >= 1000 && u + 1 < sizeof units / sizeof units[0]; u++) {
        v /= 1000;
    }
    (void)snprintf(out, MACHINE_SIZE_MAX, v < 10 && u > 2 ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

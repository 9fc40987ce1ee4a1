/* SPDX-License-Identifier: MIT */
/* For tests, by LD_PRELOAD: sets the clock of one process. STORYFI_CLOCK_SHIFT names a file of two
 * numbers (int64, native): nanoseconds that the wall clock is ahead by, and that the machine slept
 * (by which CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC, and the wall clock too). It may change at
 * any time. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct shift {
    _Atomic int64_t wall_ns, slept_ns;
};

static const struct shift none, *shift = &none;

__attribute__((constructor)) static void begin(int argc, char **argv, char **environment)
{
    static const char name[] = "STORYFI_CLOCK_SHIFT=";
    (void)argc;
    (void)argv;
    for (char **e = environment; *e != NULL; e++) {
        int fd = strncmp(*e, name, sizeof name - 1) == 0
                     ? open(*e + sizeof name - 1, O_RDONLY | O_CLOEXEC)
                     : -1;
        if (fd >= 0) {
            void *p = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
            shift = p == MAP_FAILED ? &none : p;
            (void)close(fd);
        }
    }
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int code = (int)syscall(SYS_clock_gettime, id, out);
    int64_t add = 0;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        add = atomic_load(&shift->wall_ns) + atomic_load(&shift->slept_ns);
    } else if (id == CLOCK_BOOTTIME) {
        add = atomic_load(&shift->slept_ns);
    }
    if (code == 0 && add != 0) {
        int64_t ns = (int64_t)out->tv_sec * 1000000000 + out->tv_nsec + add;
        *out = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = ns % 1000000000};
    }
    return code;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    int code = clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return code;
}

time_t time(time_t *out)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (out != NULL) {
        *out = t.tv_sec;
    }
    return t.tv_sec;
}

/* SPDX-License-Identifier: MIT */
#include "miner/lock_file.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void read_holder(int fd, char *out, size_t n)
{
    ssize_t got = pread(fd, out, n - 1, 0);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

enum sf_err lock_file_take(const char *state_dir, const char *hotkey, int *fd, struct sf_errbuf *eb)
{
    char pid[24];
    struct sf_buf path;
    enum sf_err err = sf_dir_make(state_dir, 0700, eb);
    sf_buf_init(&path, 4096);
    sf_buf_printf(&path, "%s/miner-%s.lock", state_dir, hotkey);
    *fd = -1;
    if (err == SF_OK) {
        *fd = open(sf_buf_z(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        err = *fd >= 0 ? SF_OK : sf_fail_errno(eb, SF_ECONFIG, "%s", sf_buf_z(&path));
    }
    if (err == SF_OK && flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        read_holder(*fd, pid, sizeof pid);
        err = sf_fail(eb, SF_ECONFIG,
                      "another miner runs with this state directory and hotkey (process %s): stop "
                      "it, or set another state_dir",
                      pid);
        (void)close(*fd);
        *fd = -1;
    }
    if (err == SF_OK) {
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        bool ok = ftruncate(*fd, 0) == 0 && pwrite(*fd, pid, (size_t)n, 0) == n;
        err = ok ? SF_OK : sf_fail_errno(eb, SF_EIO, "%s", sf_buf_z(&path));
    }
    sf_buf_fini(&path);
    return err;
}

enum sf_err lock_file_check(const char *state_dir, struct sf_errbuf *eb)
{
    char pid[24];
    enum sf_err err = SF_OK;
    DIR *d = opendir(state_dir);
    const struct dirent *e;
    while (err == SF_OK && d != NULL && (e = readdir(d)) != NULL) {
        int fd = fnmatch("miner-*.lock", e->d_name, 0) == 0
                     ? openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC)
                     : -1;
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
            read_holder(fd, pid, sizeof pid);
            err = sf_fail(eb, SF_ECONFIG, "a miner runs with %.200s (process %s): stop it first",
                          state_dir, pid);
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "base/log_file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock; /* a leaf */
    char *path;           /* NULL: no file */
    int fd;
    int64_t bytes; /* in the file, as far as we know */
    int64_t max_bytes;
    int keep;
    bool failing, torn; /* torn: it ends in half a line */
    uint64_t lost;
} file = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* ---- under the lock -------------------------------------------------------------------------- */

static void shut(void)
{
    if (file.fd >= 0) {
        (void)close(file.fd);
        file.fd = -1;
    }
}

/* A log rotation that copies and truncates works with O_APPEND. */
static bool open_path(void)
{
    struct stat st;
    int fd = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    shut();
    file.fd = fd;
    file.torn = false;
    file.bytes = fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
    return true;
}

/* Whether the path still names the open file, and how large that is now. */
static bool is_ours(void)
{
    struct stat at, open_one;
    if (stat(file.path, &at) != 0 || fstat(file.fd, &open_one) != 0) {
        return false;
    }
    file.bytes = (int64_t)open_one.st_size;
    return at.st_dev == open_one.st_dev && at.st_ino == open_one.st_ino;
}

static void shift(void)
{
    char from[4096], to[4096];
    for (int k = file.keep; k > 0; k--) {
        (void)snprintf(to, sizeof to, "%.4080s.%d", file.path, k);
        (void)snprintf(from, sizeof from, k > 1 ? "%.4080s.%d" : "%.4080s", file.path, k - 1);
        (void)rename(from, to); /* one that is not there, or a folder that is not ours to write */
    }
    if (file.keep == 0) {
        (void)unlink(file.path);
    }
}

/* Before a line of `n` bytes. What cannot be moved is written on. */
static void make_room(size_t n)
{
    if (file.max_bytes == 0 || file.bytes + (int64_t)n <= file.max_bytes || file.bytes == 0) {
        return;
    }
    if (is_ours()) {
        if (file.bytes + (int64_t)n <= file.max_bytes) {
            return; /* somebody has truncated it */
        }
        shift();
    }
    (void)open_path();
}

static bool append(struct sf_str line)
{
    bool ok = !file.torn || write(file.fd, "\n", 1) == 1;
    file.torn = file.torn && !ok;
    while (ok && line.n > 0) {
        ssize_t n = write(file.fd, line.p, line.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            ok = false;
            break;
        }
        file.bytes += n;
        line.p += n;
        line.n -= (size_t)n;
        file.torn = line.n > 0;
    }
    return ok;
}

/* ---- the rest -------------------------------------------------------------------------------- */

int log_file_open(const struct log_file_options *o)
{
    (void)pthread_mutex_lock(&file.lock);
    shut();
    free(file.path);
    file.path = sf_strdup(o->path);
    file.max_bytes = o->max_bytes;
    file.keep = o->keep;
    file.failing = false;
    file.lost = 0;
    bool ok = file.path != NULL && open_path();
    int why = errno;
    if (!ok) {
        free(file.path), file.path = NULL;
    }
    (void)pthread_mutex_unlock(&file.lock);
    errno = why;
    return ok ? 0 : -1;
}

void log_file_limit(int64_t max_bytes, int keep)
{
    (void)pthread_mutex_lock(&file.lock);
    file.max_bytes = max_bytes;
    file.keep = keep;
    (void)pthread_mutex_unlock(&file.lock);
}

void log_file_reopen(void)
{
    (void)pthread_mutex_lock(&file.lock);
    if (file.path != NULL && !open_path()) {
        shut(); /* the next line tries again, and says why it cannot */
    }
    (void)pthread_mutex_unlock(&file.lock);
}

void log_file_close(void)
{
    (void)pthread_mutex_lock(&file.lock);
    shut();
    free(file.path), file.path = NULL;
    (void)pthread_mutex_unlock(&file.lock);
}

enum log_file_state log_file_write(struct sf_str line, uint64_t *lost)
{
    enum log_file_state state = LOG_FILE_FINE;
    *lost = 0;
    (void)pthread_mutex_lock(&file.lock);
    if (file.path == NULL) {
        (void)pthread_mutex_unlock(&file.lock);
        return state;
    }
    make_room(line.n);
    bool ok = (file.fd >= 0 || open_path()) && append(line);
    int why = errno;
    if (!ok) {
        file.lost++;
        state = file.failing ? LOG_FILE_FINE : LOG_FILE_FAILS;
    } else if (file.failing) {
        *lost = file.lost;
        file.lost = 0;
        state = LOG_FILE_WORKS_AGAIN;
    }
    file.failing = !ok;
    (void)pthread_mutex_unlock(&file.lock);
    errno = why;
    return state;
}

/* SPDX-License-Identifier: MIT */
#include "engine/child/child_io.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static bool read_all(int fd, void *out, size_t n)
{
    char *p = out;
    while (n > 0) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t n)
{
    const char *p = from;
    while (n > 0) {
        ssize_t put = send(fd, p, n, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

json_t *child_read(int fd)
{
    unsigned char head[4];
    if (!read_all(fd, head, 4))
        return NULL;
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    char *text = n <= CHILD_MESSAGE_MAX ? sf_alloc(n + 1) : NULL;
    json_t *message = NULL;
    struct json_limits limits = {.max_bytes = CHILD_MESSAGE_MAX, .max_depth = 40};
    if (text && read_all(fd, text, n) &&
        json_parse((struct sf_str){text, n}, limits, &message, NULL) != SF_OK)
        message = NULL;
    free(text);
    return message;
}

bool child_write(int fd, json_t *message_own)
{
    struct sf_buf b;
    sf_buf_init(&b, CHILD_MESSAGE_MAX + 4);
    sf_buf_add(&b, "\0\0\0\0", 4);
    json_print(message_own, &b);
    json_decref(message_own);
    bool ok = b.err == SF_OK;
    if (ok) {
        size_t n = b.n - 4;
        for (int i = 0; i < 4; i++)
            b.p[i] = (char)(n >> (8 * i) & 255);
        pthread_mutex_lock(&write_lock);
        ok = write_all(fd, b.p, b.n);
        pthread_mutex_unlock(&write_lock);
    }
    sf_buf_fini(&b);
    return ok;
}

/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum sf_err sf_file_read(const char *path, struct sf_buf *out, struct sf_errbuf *eb)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sf_fail_errno(eb, errno == ENOENT ? SF_ENOTFOUND : SF_EIO, "%s", path);
    }
    enum sf_err err = SF_OK;
    char chunk[16384];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            err = sf_fail_errno(eb, SF_EIO, "%s", path);
            break;
        }
        sf_buf_add(out, chunk, (size_t)n);
        if (out->err != SF_OK) {
            err = sf_fail(eb, out->err, "%s: larger than %zu bytes", path, out->cap);
            break;
        }
    }
    sf_wipe(chunk, sizeof chunk);
    (void)close(fd);
    return err;
}

static enum sf_err write_all(int fd, struct sf_str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return SF_EIO;
        }
        s.p += n;
        s.n -= (size_t)n;
    }
    return fsync(fd) == 0 ? SF_OK : SF_EIO;
}

enum sf_err sf_file_write(const char *path, struct sf_str content, unsigned mode,
                          struct sf_errbuf *eb)
{
    struct sf_buf name;
    sf_buf_init(&name, 4096);
    sf_buf_printf(&name, "%s.tmp.%ld", path, (long)getpid());
    enum sf_err err = name.err;
    int fd = -1;
    if (err != SF_OK) {
        goto out;
    }
    (void)unlink(name.p);
    fd = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        err = sf_fail_errno(eb, SF_EIO, "%s", path);
        goto out;
    }
    err = write_all(fd, content);
    if (err == SF_OK && rename(name.p, path) != 0) {
        err = SF_EIO;
    }
    if (err != SF_OK) {
        err = sf_fail_errno(eb, err, "%s", path);
        (void)unlink(name.p);
    }
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    sf_buf_fini(&name);
    return err;
}

enum sf_err sf_dir_make(const char *path, unsigned mode, struct sf_errbuf *eb)
{
    char *copy = sf_strdup(path);
    if (copy == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = SF_OK;
    for (char *slash = copy + 1; err == SF_OK; slash++) {
        slash = strchrnul(slash, '/');
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(copy, (mode_t)mode) != 0 && errno != EEXIST) {
            err = sf_fail_errno(eb, SF_EIO, "%s", copy);
        }
        if (last) {
            break;
        }
        *slash = '/';
    }
    free(copy), copy = NULL;
    return err;
}

char *sf_path_join(const char *dir, const char *name)
{
    struct sf_buf b;
    sf_buf_init(&b, 8192);
    if (name[0] != '/') {
        sf_buf_puts(&b, dir);
        if (b.n > 0 && b.p[b.n - 1] != '/') {
            sf_buf_putc(&b, '/');
        }
    }
    sf_buf_puts(&b, name);
    return sf_buf_take(&b);
}

char *sf_path_expand(const char *path, const char *home)
{
    if (path[0] == '~' && home != NULL && (path[1] == '/' || path[1] == '\0')) {
        return path[1] == '\0' ? sf_strdup(home) : sf_path_join(home, path + 2);
    }
    return sf_strdup(path);
}

char *sf_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return sf_strdup(".");
    }
    return slash == path ? sf_strdup("/") : sf_strndup(path, (size_t)(slash - path));
}

void sf_random(void *out, size_t n_bytes)
{
    char *p = out;
    while (n_bytes > 0) {
        ssize_t n = getrandom(p, n_bytes, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        SF_BUG_ON(n <= 0);
        p += n;
        n_bytes -= (size_t)n;
    }
}

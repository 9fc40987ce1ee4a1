/* SPDX-License-Identifier: MIT */
#include "app/backup_files.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* From `in` to the end; to `out` when that is a descriptor. */
static enum sf_err pump(int in, int out, struct backup_file *f, struct sf_errbuf *eb)
{
    char chunk[65536];
    uint8_t digest[32];
    ssize_t n = 0;
    enum sf_err err = SF_OK;
    struct crypto_sha256_sum *sum = crypto_sha256_begin();
    if (sum == NULL) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    f->bytes = 0;
    while (err == SF_OK && (n = read(in, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 || (out >= 0 && !write_all(out, chunk, (size_t)n))) {
            err = SF_EIO;
        } else {
            crypto_sha256_add(sum, chunk, (size_t)n);
            f->bytes += n;
        }
    }
    if (err == SF_OK && out >= 0 && fsync(out) != 0) {
        err = SF_EIO;
    }
    int why = errno;
    crypto_sha256_end(sum, digest);
    sf_hex_encode(digest, sizeof digest, f->sha256);
    sf_wipe(chunk, sizeof chunk); /* it may have been a key */
    errno = why;
    return err;
}

enum sf_err backup_copy(const char *from, const char *to, const char *owner_of,
                        struct backup_file *f, struct sf_errbuf *eb)
{
    struct stat st;
    enum sf_err err = SF_EIO;
    int out = -1, in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return sf_fail_errno(eb, SF_EIO, "%.300s", from);
    }
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out >= 0) {
        err = pump(in, out, f, eb);
    }
    if (err == SF_EIO) {
        (void)sf_fail_errno(eb, err, "%.300s to %.100s", from, to);
    }
    if (err == SF_OK && owner_of != NULL && geteuid() == 0 && stat(owner_of, &st) == 0 &&
        fchown(out, st.st_uid, st.st_gid) != 0) {
        err = sf_fail_errno(eb, SF_EIO, "%.300s", to);
    }
    if (out >= 0) {
        (void)close(out);
    }
    (void)close(in);
    return err;
}

enum sf_err backup_sum(const char *path, struct backup_file *f, struct sf_errbuf *eb)
{
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return sf_fail_errno(eb, errno == ENOENT ? SF_EPARSE : SF_EIO, "%.300s", path);
    }
    enum sf_err err = pump(in, -1, f, eb);
    if (err == SF_EIO) {
        (void)sf_fail_errno(eb, err, "%.300s", path);
    }
    (void)close(in);
    return err;
}

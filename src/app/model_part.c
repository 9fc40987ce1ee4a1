/* SPDX-License-Identifier: MIT */
#include "app/model_part.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_CAP 8192
#define MAX_TOTAL (INT64_C(1) << 50)

/* ---- the state ------------------------------------------------------------------------------- */

static bool scan_segment(struct sf_str s, int64_t total, struct part_segment *out)
{
    struct sf_str begin, end;
    return sf_str_next(&s, ' ', &begin) && sf_str_next(&s, ' ', &end) &&
           sf_scan_i64(begin, 0, total, &out->begin) &&
           sf_scan_i64(end, out->begin, total, &out->end) &&
           sf_scan_i64(s, 0, out->end - out->begin, &out->done);
}

/* The segments cover the file without gap or overlap. */
static bool is_whole(const struct model_part *p)
{
    int64_t at = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->segments[i].begin != at) {
            return false;
        }
        at = p->segments[i].end;
    }
    return p->n > 0 && at == p->total;
}

bool model_part_parse_state(struct sf_str text, struct model_part *p)
{
    struct sf_str line, word;
    p->total = 0;
    p->n = 0;
    p->identity[0] = '\0';
    if (!sf_str_next(&text, '\n', &line) || !sf_str_is(line, "storyfi-part 1")) {
        return false;
    }
    while (sf_str_next(&text, '\n', &line)) {
        if (!sf_str_next(&line, ' ', &word)) {
            return false;
        }
        if (sf_str_is(word, "total")) {
            if (!sf_scan_i64(line, 1, MAX_TOTAL, &p->total)) {
                return false;
            }
        } else if (sf_str_is(word, "identity") && line.n < sizeof p->identity) {
            (void)snprintf(p->identity, sizeof p->identity, "%.*s", SF_STR_ARG(line));
        } else if (sf_str_is(word, "segment") && p->n < PART_MAX_SEGMENTS) {
            if (!scan_segment(line, p->total, &p->segments[p->n++])) {
                return false;
            }
        } else {
            return false;
        }
    }
    return is_whole(p);
}

static void forget(struct model_part *p)
{
    p->total = 0;
    p->n = 0;
    p->identity[0] = '\0';
}

static void read_state(struct model_part *p)
{
    struct sf_buf text;
    struct stat st;
    sf_buf_init(&text, STATE_CAP);
    bool good = sf_file_read(p->state, &text, NULL) == SF_OK &&
                model_part_parse_state(sf_buf_str(&text), p) && fstat(p->fd, &st) == 0 &&
                st.st_size == p->total;
    if (!good) {
        forget(p);
    }
    sf_buf_fini(&text);
}

enum sf_err model_part_save(struct model_part *p, struct sf_errbuf *eb)
{
    struct sf_buf b;
    if (p->total == 0) {
        return SF_OK;
    }
    if (fdatasync(p->fd) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%s", p->path);
    }
    sf_buf_init(&b, STATE_CAP);
    sf_buf_printf(&b, "storyfi-part 1\ntotal %lld\nidentity %s\n", (long long)p->total,
                  p->identity);
    for (size_t i = 0; i < p->n; i++) {
        const struct part_segment *s = &p->segments[i];
        sf_buf_printf(&b, "segment %lld %lld %lld\n", (long long)s->begin, (long long)s->end,
                      (long long)s->done);
    }
    enum sf_err err = b.err != SF_OK ? b.err : sf_file_write(p->state, sf_buf_str(&b), 0600, eb);
    sf_buf_fini(&b);
    p->saved = sf_now();
    return err;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Whether the file we hold the lock of is still the one under that name: the download before us may
 * have renamed it in between. */
static bool is_current(const struct model_part *p)
{
    struct stat ours, named;
    return fstat(p->fd, &ours) == 0 && stat(p->path, &named) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
}

enum sf_err model_part_open(const char *dest, struct model_part *p, struct sf_errbuf *eb)
{
    *p = (struct model_part){.fd = -1};
    int n = snprintf(p->dest, sizeof p->dest, "%s", dest);
    if (n < 0 || (size_t)n + 16 >= sizeof p->dest) {
        return sf_fail(eb, SF_ELIMIT, "%.100s…: the path is too long", dest);
    }
    (void)snprintf(p->path, sizeof p->path, "%.1080s.part", dest);
    (void)snprintf(p->state, sizeof p->state, "%.1080s.part.state", dest);
    for (int tries = 0; tries < 8; tries++) {
        p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (p->fd < 0) {
            return sf_fail_errno(eb, SF_EIO, "%s", p->path);
        }
        if (flock(p->fd, LOCK_EX | LOCK_NB) != 0) {
            model_part_close(p);
            return sf_fail(eb, SF_EBUSY,
                           "%s: another storyfi is downloading this file; wait for it, or end it",
                           p->path);
        }
        if (is_current(p)) {
            read_state(p);
            return SF_OK;
        }
        model_part_close(p);
    }
    return sf_fail(eb, SF_EBUSY, "%s: is made and renamed all the time", p->path);
}

void model_part_close(struct model_part *p)
{
    if (p->fd >= 0) {
        (void)close(p->fd);
    }
    p->fd = -1;
}

enum sf_err model_part_begin(struct model_part *p, int64_t total, const char *identity,
                             size_t n_segments, struct sf_errbuf *eb)
{
    forget(p);
    (void)unlink(p->state);
    if (ftruncate(p->fd, 0) != 0 || ftruncate(p->fd, (off_t)total) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%s", p->path);
    }
    if (fallocate(p->fd, 0, 0, (off_t)total) != 0 && errno != EOPNOTSUPP && errno != ENOSYS &&
        errno != EINVAL) {
        enum sf_err err =
            sf_fail_errno(eb, SF_EIO, "%s: no room for %lld bytes", p->path, (long long)total);
        if (ftruncate(p->fd, 0) != 0) {
            log_event(LOG_DEBUG, LOG_MAIN, "part not emptied", LOG_S("path", p->path));
        }
        return err;
    }
    p->total = total;
    (void)snprintf(p->identity, sizeof p->identity, "%s", identity);
    p->n = n_segments;
    for (size_t i = 0; i < n_segments; i++) {
        p->segments[i] = (struct part_segment){
            .begin = total / (int64_t)n_segments * (int64_t)i,
            .end = i + 1 == n_segments ? total : total / (int64_t)n_segments * (int64_t)(i + 1)};
    }
    return SF_OK;
}

enum sf_err model_part_write(struct model_part *p, size_t i, struct sf_str bytes,
                             struct sf_errbuf *eb)
{
    struct part_segment *s = &p->segments[i];
    if ((int64_t)bytes.n > s->end - s->begin - s->done) {
        return sf_fail(eb, SF_EINVAL, "the server sent more than was asked for");
    }
    while (bytes.n > 0) {
        ssize_t n = pwrite(p->fd, bytes.p, bytes.n, (off_t)(s->begin + s->done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
            return sf_fail(eb, SF_EIO,
                           "the disk of %.300s is full (%s): free some, or set "
                           "generator.local.models_dir to a larger disk; what came stays, and the "
                           "next pull goes on",
                           p->path, strerrordesc_np(errno));
        }
        if (n <= 0) {
            return sf_fail_errno(eb, SF_EIO, "%s", p->path);
        }
        bytes.p += n;
        bytes.n -= (size_t)n;
        s->done += n;
    }
    return SF_OK;
}

int64_t model_part_done(const struct model_part *p)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        sum += p->segments[i].done;
    }
    return sum;
}

static void sync_folder(const char *path)
{
    char *dir = sf_path_dir(path);
    int fd = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(dir);
}

enum sf_err model_part_finish(struct model_part *p, struct sf_errbuf *eb)
{
    if (fsync(p->fd) != 0 || rename(p->path, p->dest) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%s", p->dest);
    }
    (void)unlink(p->state);
    sync_folder(p->dest);
    return SF_OK;
}

void model_part_discard(struct model_part *p)
{
    forget(p);
    (void)unlink(p->state);
    (void)unlink(p->path);
}

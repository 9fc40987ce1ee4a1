/* SPDX-License-Identifier: MIT */
#include "app/model_fetch_internal.h"

#include "app/gguf_head.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "generator/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SHOW_MS 100
#define HASH_BLOCK ((size_t)1 << 20)
#define WAIT_STEP_MS 20
/* The least that stays free on the disk. */
#define DISK_SPARE (INT64_C(64) << 20)
#define RETRY_AFTER_MAX_MS 600000

struct fetch_want fetch_want_default(void)
{
    return (struct fetch_want){.what = "",
                               .sha256 = "",
                               .connections = 4,
                               .segment_bytes = INT64_C(32) << 20,
                               .stall_ms = 30000,
                               .pause_ms = 1000,
                               .pause_max_ms = 30000,
                               .attempts = 6};
}

void fetch_show(struct fetch *f, enum fetch_phase phase, int64_t done, const char *why)
{
    if (f->want->on_progress == NULL ||
        (phase == FETCH_LOADING && sf_between(f->shown, sf_now()) < SHOW_MS)) {
        return;
    }
    f->shown = sf_now();
    sf_ms took = sf_between(f->started, f->shown);
    int64_t came = done - f->first_done;
    struct fetch_progress p = {.phase = phase,
                               .done = done,
                               .total = f->part.total > 0 ? f->part.total : f->info.total,
                               .why = why};
    if (phase == FETCH_LOADING && took > 500 && came > 0) {
        p.bytes_per_second = (double)came / sf_seconds(took);
    }
    f->want->on_progress(f->want->arg, &p);
}

static bool is_canceled(const struct fetch *f)
{
    return f->want->cancel != NULL && atomic_load(f->want->cancel);
}

/* ---- the checksum ---------------------------------------------------------------------------- */

enum sf_err model_hash_file(const char *path, char out[static 65],
                            bool (*on_bytes)(void *arg, int64_t done), void *arg,
                            struct sf_errbuf *eb)
{
    uint8_t sum[32];
    char *block = sf_alloc(HASH_BLOCK);
    struct crypto_sha256_sum *d = crypto_sha256_begin();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum sf_err err = SF_OK;
    ssize_t n = 0;
    if (block == NULL || d == NULL) {
        err = sf_fail(eb, SF_ENOMEM, "out of memory");
    } else if (fd < 0) {
        err = sf_fail_errno(eb, errno == ENOENT ? SF_ENOTFOUND : SF_EIO, "%s", path);
    }
    for (int64_t done = 0; err == SF_OK && (n = read(fd, block, HASH_BLOCK)) != 0;) {
        if (n < 0 && errno != EINTR) {
            err = sf_fail_errno(eb, SF_EIO, "%s", path);
        } else if (n > 0) {
            crypto_sha256_add(d, block, (size_t)n);
            done += n;
            if (on_bytes != NULL && !on_bytes(arg, done)) {
                err = sf_fail(eb, SF_ECANCELED, "%s: given up", path);
            }
        }
    }
    crypto_sha256_end(d, sum);
    sf_hex_encode(sum, sizeof sum, out);
    if (fd >= 0) {
        (void)close(fd);
    }
    free(block);
    return err;
}

static bool on_hashed(void *arg, int64_t done)
{
    struct fetch *f = arg;
    if (sf_between(f->shown, sf_now()) >= SHOW_MS) {
        fetch_show(f, FETCH_CHECKING, done, NULL);
    }
    return !is_canceled(f);
}

/* Whole and right, or deleted. */
static enum sf_err check(struct fetch *f, struct fetch_got *got, struct sf_errbuf *eb)
{
    struct gguf_head head;
    const char *want = f->want->sha256[0] != '\0' ? f->want->sha256 : f->info.sha256;
    enum sf_err err = model_hash_file(f->part.path, got->sha256, on_hashed, f, eb);
    if (err != SF_OK) {
        return err;
    }
    if (want[0] != '\0' && strcmp(want, got->sha256) != 0) {
        err = sf_fail(
            eb, SF_EINCOMPLETE,
            "%s: wrong checksum: SHA-256 is %s, not %s%s. What came is deleted: pull again; "
            "if it stays so, the host or a proxy on the way changed the file",
            f->want->what, got->sha256, want,
            f->want->sha256[0] != '\0' ? "" : " as the host said");
        model_part_discard(&f->part);
        return err;
    }
    struct sf_errbuf why = {.code = SF_OK};
    err = gguf_head_read(f->part.path, &head, &why);
    if (err == SF_EPARSE || err == SF_EINCOMPLETE || err == SF_ELIMIT) {
        model_part_discard(&f->part);
        return sf_fail(eb, SF_EINCOMPLETE, "%s: what came is no model and is deleted: %.300s",
                       f->want->what, why.text);
    }
    if (err != SF_OK) {
        *eb = why;
    }
    got->bytes = f->part.total;
    got->host_knew = want[0] != '\0';
    return err;
}

/* ---- one host -------------------------------------------------------------------------------- */

static enum sf_err check_room(const struct fetch *f, int64_t bytes, struct sf_errbuf *eb)
{
    char need[MACHINE_SIZE_MAX], have[MACHINE_SIZE_MAX];
    char *dir = sf_path_dir(f->part.dest);
    int64_t room = dir == NULL ? -1 : machine_disk(dir);
    enum sf_err err = SF_OK;
    if (room >= 0 && room < bytes + DISK_SPARE) {
        err = sf_fail(eb, SF_EIO,
                      "not enough room in %.200s: %s needed, %s free. Free some, or set "
                      "generator.local.models_dir to a larger disk",
                      dir, machine_size(bytes + DISK_SPARE, need), machine_size(room, have));
    }
    free(dir);
    return err;
}

/* The part as the host's answer wants it: what is there is kept when it is of the same content. */
static enum sf_err prepare(struct fetch *f, struct sf_errbuf *eb)
{
    const struct fetch_info *info = &f->info;
    struct model_part *p = &f->part;
    bool ranges = info->ranges && !f->no_ranges;
    if (f->want->bytes > 0 && info->total != f->want->bytes) {
        return sf_fail(
            eb, SF_EINCOMPLETE,
            "%s: the host has %lld bytes, %lld are expected: another version of the file",
            f->want->what, (long long)info->total, (long long)f->want->bytes);
    }
    if (f->want->sha256[0] != '\0' && info->sha256[0] != '\0' &&
        strcmp(f->want->sha256, info->sha256) != 0) {
        return sf_fail(eb, SF_EINCOMPLETE,
                       "%s: the host has another version of the file (SHA-256 %.12s…, expected "
                       "%.12s…); nothing was loaded. If that is what you want: --any-version",
                       f->want->what, info->sha256, f->want->sha256);
    }
    bool same = p->total == info->total && info->identity[0] != '\0' &&
                strcmp(p->identity, info->identity) == 0;
    if (same && (ranges || model_part_done(p) == p->total)) {
        return SF_OK;
    }
    int64_t n = !ranges || f->want->segment_bytes <= 0 ? 1 : info->total / f->want->segment_bytes;
    int64_t most = f->want->connections < PART_MAX_SEGMENTS ? (int64_t)f->want->connections
                                                            : PART_MAX_SEGMENTS;
    n = n > most ? most : n;
    enum sf_err err = check_room(f, info->total, eb);
    return err != SF_OK
               ? err
               : model_part_begin(p, info->total, info->identity, n < 1 ? 1 : (size_t)n, eb);
}

/* Waits before trying again, and says why. */
static bool pause_for(struct fetch *f, sf_ms ms, const char *why)
{
    struct sf_time end = sf_after(sf_now(), ms);
    while (sf_until(end) > 0 && !is_canceled(f)) {
        if (sf_between(f->shown, sf_now()) >= SHOW_MS) {
            fetch_show(f, FETCH_WAITING, model_part_done(&f->part), why);
        }
        (void)poll(NULL, 0, WAIT_STEP_MS);
    }
    return !is_canceled(f);
}

static bool again(enum sf_err err)
{
    return err == SF_ETRANSIENT || err == SF_ERATE || err == SF_EDEADLINE;
}

static enum sf_err try_once(struct fetch *f, struct sf_errbuf *eb)
{
    fetch_show(f, FETCH_ASKING, model_part_done(&f->part), NULL);
    enum sf_err err = fetch_ask(f, eb);
    if (err == SF_OK) {
        err = prepare(f, eb);
    }
    if (err != SF_OK) {
        return err;
    }
    f->started = f->shown = sf_now();
    f->first_done = model_part_done(&f->part);
    err = fetch_transfer(f, eb);
    struct sf_errbuf unused;
    enum sf_err saved = model_part_save(&f->part, err == SF_OK ? eb : &unused);
    return err != SF_OK ? err : saved;
}

static enum sf_err from_host(struct fetch *f, struct sf_errbuf *eb)
{
    enum sf_err err = SF_ETRANSIENT;
    sf_ms pause = f->want->pause_ms;
    for (int left = f->want->attempts; left > 0 && again(err);) {
        struct sf_errbuf one = {.code = SF_OK};
        int64_t before = model_part_done(&f->part);
        err = try_once(f, &one);
        if (err == SF_OK) {
            return SF_OK;
        }
        *eb = one;
        bool moved = model_part_done(&f->part) > before;
        left = moved ? f->want->attempts : left - 1;
        pause = moved ? f->want->pause_ms : pause;
        sf_ms wait = one.retry_after_ms > pause ? one.retry_after_ms : pause;
        wait = wait > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait;
        if (again(err) && left > 0 && !pause_for(f, wait, one.text)) {
            return sf_fail(eb, SF_ECANCELED, "%s: given up; what came is kept", f->want->what);
        }
        pause = pause * 2 > f->want->pause_max_ms ? f->want->pause_max_ms : pause * 2;
    }
    return err;
}

/* ---- all hosts ------------------------------------------------------------------------------- */

static enum sf_err from_any_host(struct fetch *f, struct sf_errbuf *eb)
{
    enum sf_err err = SF_ETRANSIENT;
    for (size_t i = 0; i < f->want->n_urls && (i == 0 || hub_try_next(err)); i++) {
        struct sf_errbuf one = {.code = SF_OK};
        f->host = i;
        f->no_ranges = false;
        enum sf_err now = from_host(f, &one);
        if (i == 0 || now == SF_OK || !hub_try_next(now)) {
            err = now;
            *eb = one;
        }
    }
    return err;
}

static void name_host(const struct fetch *f, struct fetch_got *got)
{
    const char *url = f->want->urls[f->host];
    const char *start = strstr(url, "://");
    start = start == NULL ? url : start + 3;
    (void)snprintf(got->from, sizeof got->from, "%.*s", (int)strcspn(start, "/?#"), start);
}

enum sf_err model_fetch(const struct fetch_want *w, struct fetch_got *got, struct sf_errbuf *eb)
{
    struct fetch *f = sf_alloc(sizeof *f);
    char *dir = sf_path_dir(w->dest);
    *got = (struct fetch_got){.bytes = 0};
    if (f == NULL || dir == NULL) {
        free(f);
        free(dir);
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    f->want = w;
    f->part.fd = -1;
    f->started = f->shown = sf_now();
    enum sf_err err = sf_dir_make(dir, 0755, eb);
    if (err == SF_OK) {
        err = http_client_open(&f->client);
    }
    if (err == SF_OK) {
        err = model_part_open(w->dest, &f->part, eb);
    }
    if (err == SF_OK) {
        err = from_any_host(f, eb);
        if (err == SF_OK) {
            err = check(f, got, eb);
        }
        if (err == SF_OK) {
            name_host(f, got);
            err = model_part_finish(&f->part, eb);
        } else if (f->part.total == 0) {
            model_part_discard(&f->part); /* nothing worth keeping */
        }
    }
    model_part_close(&f->part);
    http_client_close(f->client);
    free(f);
    free(dir);
    return err;
}

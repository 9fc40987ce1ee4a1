/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_FETCH_H
#define SF_APP_MODEL_FETCH_H

#include "app/model_hub.h"
#include "base/clock.h"

/* One file over HTTP(S) to disk: resumed, in ranges side by side, checked, and under its own name
 * only when it is whole. */
enum fetch_phase { FETCH_ASKING, FETCH_LOADING, FETCH_WAITING, FETCH_CHECKING };

struct fetch_progress {
    enum fetch_phase phase;
    int64_t done, total;     /* bytes of this file */
    double bytes_per_second; /* 0 not known yet */
    const char *why;         /* FETCH_WAITING: what went wrong */
};

struct fetch_want {
    const char *urls[HUB_MAX_HOSTS]; /* the same file, in the order tried */
    size_t n_urls;
    const char *token;  /* for urls[0]'s host alone, never for where it redirects to; NULL none */
    const char *what;   /* how messages name it: "owner/name" */
    const char *dest;   /* path of the file; its folder is made */
    const char *sha256; /* what it has to be; "" as the host says, else whatever comes */
    int64_t bytes;      /* what it has to be; 0 not known */
    /* Behaviour; fetch_want_default has the usual. */
    size_t connections;
    int64_t segment_bytes; /* a range is not smaller */
    sf_ms stall_ms;        /* no byte for so long: tried again */
    sf_ms pause_ms;        /* before trying again; doubles */
    sf_ms pause_max_ms;
    int attempts; /* in a row without a new byte */
    /* At least once a second while something goes on, on the calling thread. */
    void (*on_progress)(void *arg, const struct fetch_progress *p);
    void *arg;
    const atomic_bool *cancel; /* may be NULL */
};
struct fetch_want fetch_want_default(void);

struct fetch_got {
    int64_t bytes;
    char sha256[65];
    bool host_knew; /* the checksum was known before the bytes came, if only from the host */
    char from[256]; /* host that it came from */
};

/* Downloads; blocks until it is there. What came so far stays for the next time, but after a wrong
 * checksum. SF_ECONFIG (gated: the text has the steps), SF_ENOTFOUND, SF_ERATE, SF_ETRANSIENT,
 * SF_EBUSY (another process is at it), SF_EIO (disk full, or not writable), SF_EINCOMPLETE (wrong
 * checksum or size: what came is deleted), SF_ECANCELED, SF_ENOMEM. */
SF_MUST_USE enum sf_err model_fetch(const struct fetch_want *w, struct fetch_got *got,
                                    struct sf_errbuf *eb);

/* SHA-256 of a file as hex. `on_bytes` (may be NULL) hears how far it is; false ends it with
 * SF_ECANCELED. SF_EIO, SF_ENOTFOUND, SF_ENOMEM. */
SF_MUST_USE enum sf_err model_hash_file(const char *path, char out[static 65],
                                        bool (*on_bytes)(void *arg, int64_t done), void *arg,
                                        struct sf_errbuf *eb);

#endif

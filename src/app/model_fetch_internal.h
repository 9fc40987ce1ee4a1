/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_FETCH_INTERNAL_H
#define SF_APP_MODEL_FETCH_INTERNAL_H

/* Shared by model_fetch.c and model_transfer.c. */
#include "app/model_fetch.h"
#include "app/model_part.h"

#define FETCH_URL_MAX 4096

/* What one host says of the file, without its bytes. */
struct fetch_info {
    char url[FETCH_URL_MAX]; /* where the bytes are, after redirects */
    bool redirected;         /* another origin than asked: gets no token */
    bool ranges;
    int64_t total;
    char etag[128];     /* strong validator of that address; "" none */
    char identity[160]; /* what the content is called; "" not known */
    char sha256[65];    /* as the host says; "" not known */
};

struct fetch {
    const struct fetch_want *want;
    struct http_client *client;
    struct model_part part;
    struct fetch_info info;
    size_t host;    /* index of urls */
    bool no_ranges; /* seen: the server sends the whole file whatever is asked */
    int64_t first_done, saved_done;
    struct sf_time started;
    struct sf_time shown;
};

/* Asks the host; follows redirects by hand. */
SF_MUST_USE enum sf_err fetch_ask(struct fetch *f, struct sf_errbuf *eb);
/* Loads what is missing of the part's segments, side by side, once. What came is in the part. */
SF_MUST_USE enum sf_err fetch_transfer(struct fetch *f, struct sf_errbuf *eb);
void fetch_show(struct fetch *f, enum fetch_phase phase, int64_t done, const char *why);

#endif

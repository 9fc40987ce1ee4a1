/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CLOUD_INTERNAL_H
#define SF_GENERATOR_CLOUD_INTERNAL_H

#include "generator/cloud.h"
#include "generator/prices.h"
#include "http/client.h"
#include "http/sse.h"
#include "story/ask.h"

#include <pthread.h>

#define CLOUD_BODY_MAX ((size_t)8 << 20)
#define CLOUD_TEXT_MAX ((size_t)1 << 20)
#define CLOUD_EVENT_MAX ((size_t)1 << 20)

struct cloud {
    const struct provider *provider;
    char *name, *endpoint, *key, *key_variable, *configured_model;
    double temperature, top_p, price_input, price_output;
    int64_t max_tokens, concurrency;
    struct http_client *client;
    atomic_bool closing;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    char model[128]; /* "" not known yet */
    struct provider_ability ability;
    struct sf_time vain; /* when the ladder was last walked in vain; ms 0 never */
    int64_t under_way;   /* requests */
    int calls;
};

/* ---- parts of a call (cloud_parts.c) ----------------------------------------------------------
 */

/* One request of a call: the whole of it, or one chapter. */
struct cloud_part {
    struct story_request request; /* borrows from the call's */
    const char *wanted[64];       /* of `paths` or the call's own */
    char (*paths)[96];            /* owned; NULL when not translated */
    size_t n_wanted;              /* 0: all of it */
    json_t *partial;              /* owned or NULL */
    uint64_t seed;
    size_t index; /* of the chapter in the answer */

    /* filled by the call */
    json_t *output; /* owned */
    struct sf_errbuf eb;
    enum sf_err err;

    bool asked; /* something of it is wanted */
};

/* Takes a call apart. Several chapters are parts of their own unless the owner's template asks for
 * them together; of a repair only those that lack something. Caller frees with the counterpart. */
SF_MUST_USE enum sf_err cloud_parts_make(const struct gen_call *call,
                                         struct cloud_part parts[static STORY_CHAPTERS], size_t *n);
void cloud_parts_free(struct cloud_part *parts, size_t n);
/* Puts the outputs together. SF_OK with *out owned by the caller when at least one part is there.
 */
SF_MUST_USE enum sf_err cloud_parts_join(const struct gen_call *call, struct cloud_part *parts,
                                         size_t n, json_t **out, struct sf_errbuf *eb);

/* ---- sending ----------------------------------------------------------------------------------
 */

#define CLOUD_HEADERS_MAX 4
/* The headers of a request; `key_line` is to be wiped after use. Returns their number. */
size_t cloud_headers(const struct cloud *c, struct http_header list[static CLOUD_HEADERS_MAX],
                     struct sf_buf *key_line);
/* A free request to one of the provider's routes or, with `root`, to a path of the host. */
SF_MUST_USE enum sf_err cloud_get(struct cloud *c, const char *root, sf_ms within,
                                  struct http_answer *answer, struct sf_errbuf *eb);
/* Fills `eb` for a fault, with cause and remedy; returns its class. */
enum sf_err cloud_fail(const struct cloud *c, const struct provider_fault *f, struct sf_errbuf *eb);
/* The fault of an answer with a status that is no success. */
void cloud_read_fault(const struct cloud *c, const struct http_answer *a,
                      struct provider_fault *out);

/* ---- a call and its requests (cloud_call.c, cloud_send.c) ---------------------------------------
 */

enum cloud_mode { CLOUD_MODE_UNKNOWN, CLOUD_MODE_EVENTS, CLOUD_MODE_WHOLE };

/* One request under way. */
struct cloud_sending {
    struct cloud_call *of;
    struct cloud_part *part;
    struct http_transfer *transfer;
    struct provider_reply reply;
    struct sse sse;
    enum cloud_mode mode;
    struct sf_buf system, user, body, url;
    struct provider_ask ask;
    int64_t prompt_estimate;
    struct story_ask told;
    struct sf_time ended_at;
    bool pending; /* to be sent in this round */
    bool counted; /* among the requests of the usage */
    bool over;    /* the transfer has ended: what is not known now never will be */
};

struct cloud_call {
    struct cloud *c;
    const struct gen_call *call;
    const struct cloud_progress *progress;
    struct provider_ability ability;
    bool vain;   /* the ladder led nowhere a moment ago */
    bool walked; /* the ability is not the one that was known */
    char model[128];
    const struct model_price *price;
    struct cloud_sending sends[STORY_CHAPTERS];
    size_t n;
    struct gen_usage spent; /* by requests of earlier rounds */
    struct sf_time first_text;
    int64_t last_tokens;
};

void cloud_emit(const struct cloud_call *k, struct gen_event event);
/* Adds what a request costs, by what is known of it now. */
void cloud_add_usage(const struct cloud_sending *s, struct gen_usage *u);
void cloud_total_usage(const struct cloud_call *k, struct gen_usage *u);
void cloud_tell_usage(const struct cloud_call *k);

/* Writes the request by the abilities of now; what was there of an earlier one goes. */
SF_MUST_USE enum sf_err cloud_sending_write(const struct cloud_call *k, struct cloud_sending *s);
/* Makes it a transfer; everything is borrowed from the sending. */
void cloud_sending_aim(struct cloud_sending *s, const struct http_header *headers, size_t n_headers,
                       struct http_transfer *transfer);
/* Fills the part's result after the transfer. True when the request was refused for its shape
 * (`fault` says how). */
bool cloud_sending_judge(struct cloud_sending *s, struct provider_fault *fault);
void cloud_sending_clear(struct cloud_sending *s);

#endif

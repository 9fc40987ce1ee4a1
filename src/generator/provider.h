/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_PROVIDER_H
#define SF_GENERATOR_PROVIDER_H

#include "base/clock.h"
#include "http/message.h"
#include "story/schema.h"

/* What one provider's wire looks like: how a story is asked for, and how its answers, streams and
 * errors are read. Pure functions over bytes and JSON; sending is cloud.c's. */

/* How the form of the answer is made sure of, from strict to not at all. */
enum provider_format {
    PROVIDER_FORMAT_SCHEMA,  /* the schema, in the provider's own way */
    PROVIDER_FORMAT_GUIDED,  /* vLLM before structured_outputs: guided_json */
    PROVIDER_FORMAT_SIMPLER, /* the schema without all but types and names */
    PROVIDER_FORMAT_OBJECT,  /* some JSON object */
    PROVIDER_FORMAT_NONE,    /* the words of the prompt alone */
};

/* What a target has been found to take, by its 400s. Zeroed: everything. */
struct provider_ability {
    unsigned format;     /* index into the provider's list of formats */
    bool old_token_name; /* max_tokens, where the provider has a newer name */
    bool no_temperature;
    bool no_top_p;
    bool no_stream_options;
    bool no_thinking;
    int64_t output_cap;    /* most tokens of an answer; 0 unknown */
    int64_t context_bytes; /* most bytes of contexts in a prompt; 0 the catalogue's */
};

/* One request for a text. Everything is borrowed. */
struct provider_ask {
    const char *model;
    struct provider_ability ability;
    enum provider_format format; /* what ability.format means here */
    struct sf_str system, user;
    json_t *schema; /* NULL where the format takes none */
    int64_t max_tokens;
    double temperature, top_p; /* negative: not sent */
};

/* An error answer, or an error inside of a stream. Texts are "" where the answer has none. */
struct provider_fault {
    int status;     /* HTTP, or the one that an error object in a stream names; 0 none */
    char code[64];  /* the most specific structured code */
    char type[64];  /* a coarser one */
    char param[96]; /* the parameter that is not liked */
    char message[320];
    sf_ms retry_after_ms; /* 0 not named */
};

/* What has come of an answer so far. */
struct provider_reply {
    struct sf_buf text;
    int64_t prompt_tokens, cached_tokens, generated_tokens; /* 0 not told yet */
    bool ended;       /* the answer's own sign of its end was there */
    enum sf_err stop; /* why what is there is no answer: SF_ECONTENT, SF_EINCOMPLETE */
    char why[160];
    char model[96]; /* the model as the answer names it, "" not */
    bool failed;    /* `fault` came in place of an answer, or in the middle of it */
    struct provider_fault fault;
};
void provider_reply_init(struct provider_reply *r, size_t max_text_bytes);
void provider_reply_fini(struct provider_reply *r);
/* For providers: the answer is none, because `fmt`. The first reason stays. */
void provider_reply_stop(struct provider_reply *r, enum sf_err why, const char *fmt, ...)
    SF_PRINTF(3, 4);

enum provider_route { PROVIDER_ASK, PROVIDER_MODELS };

/* Parameters of ours that a target may refuse. */
enum provider_rung {
    PROVIDER_RUNG_FORMAT,
    PROVIDER_RUNG_TOKENS, /* the name of the token parameter, or the number in it */
    PROVIDER_RUNG_TEMPERATURE,
    PROVIDER_RUNG_TOP_P,
    PROVIDER_RUNG_STREAM,
    PROVIDER_RUNG_THINKING,
    PROVIDER_RUNG_CONTEXT, /* prompt and answer do not fit together */
};

struct provider_parameter {
    const char *name; /* on the wire */
    enum provider_rung rung;
};
struct provider_code {
    const char *code; /* of a fault's code or type; "*_x" is any that ends so */
    enum sf_err err;
};

struct provider {
    const char *name;     /* "openai": as configured, and model_info.provider */
    const char *base;     /* default endpoint */
    const char *key_name; /* header of the key */
    const char *key_prefix;
    const char *version_name, *version_value; /* one more header, or NULL */
    const char *models_array, *models_id;     /* members of the list of models */
    const enum provider_format *formats;
    size_t n_formats;
    enum story_schema_shape shape;               /* of PROVIDER_FORMAT_SCHEMA */
    const struct provider_code *codes;           /* ends with a NULL code */
    const struct provider_parameter *parameters; /* ends with a NULL name */
    bool has_new_token_name;                     /* max_completion_tokens before max_tokens */
    int64_t min_output_tokens;                   /* thinking counts as output */
    /* Appends the address of a route. */
    void (*url)(const char *base, const char *model, enum provider_route route, struct sf_buf *out);
    json_t *(*body)(const struct provider_ask *ask); /* NULL: out of memory. Caller owns. */
    /* One streamed event (`event` its name or ""), or a whole answer of this shape. */
    void (*read)(struct provider_reply *r, const char *event, const json_t *data);
    /* The error object of an answer or event; false when there is none in it. */
    bool (*read_fault)(const json_t *answer, struct provider_fault *out);
};

extern const struct provider provider_openai, provider_vllm, provider_gemini, provider_anthropic;
/* "openai", "gemini", "anthropic", "custom"; NULL unknown. */
const struct provider *provider_find(const char *name);

/* ---- reading answers (provider.c) -------------------------------------------------------------
 */

/* A piece of a stream: the data of one event. Data that is no JSON stops the reply. */
void provider_read_event(const struct provider *p, struct provider_reply *r, const char *event,
                         struct sf_str data);
/* The body of an answer with status 200 that is no stream. */
void provider_read_whole(const struct provider *p, struct provider_reply *r, struct sf_str body);
/* The body and the delays of an answer with another status. `headers` finds a header's value. */
void provider_read_error(const struct provider *p, int status, struct sf_str body,
                         struct provider_fault *out);
/* Takes the delay from a header: the value of retry-after-ms, what retry-after says (-1 nothing),
 * or the value of x-ratelimit-reset-requests; a more exact one wins. */
void provider_read_delay(struct provider_fault *f, struct sf_str after_ms, sf_ms after,
                         struct sf_str reset);
/* "6s" "12ms" "1m30.5s" "45.8s" in milliseconds; false: not a span. */
bool provider_scan_span(struct sf_str s, sf_ms *out);

/* The class of a fault, by its structured codes, then its status. */
enum sf_err provider_class(const struct provider *p, const struct provider_fault *f);

/* ---- the ladder (provider_ladder.c) -----------------------------------------------------------
 */

/* One step down for a fault with status 400 or 422: false when there is none left. `ask` is what
 * was refused; `ability` (ask's at first) is changed. */
bool provider_step_down(const struct provider *p, const struct provider_ask *ask,
                        const struct provider_fault *f, struct provider_ability *ability);

#endif

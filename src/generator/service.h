/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_SERVICE_H
#define SF_GENERATOR_SERVICE_H

#include "generator/check.h"
#include "generator/generator.h"

/* Another process that speaks the documented contract over HTTP: POST …/generate takes a request as
 * JSON and gives {"content": …}. What endpoint.c (kind custom) and remote.c (kind local) share. */
struct service_options {
    const char *what;  /* for people: "custom endpoint" */
    const char *key;   /* "generator.custom.endpoint": where to put it right */
    const char *url;   /* of …/generate */
    const char *token; /* sent as a bearer token; NULL or "" none */
    const char *mode;  /* sent as X-Storyfi-Mode: what may answer there; NULL anybody */
    sf_ms timeout_ms;  /* of one answer */
    size_t max_output_bytes;
    int64_t concurrency;
};

struct service;

/* Takes a first look in a thread of its own and waits 250 ms for it; until it is done the health is
 * GEN_STARTING. SF_ECONFIG: the address or token cannot be used. */
SF_MUST_USE enum sf_err service_open(const struct service_options *o, struct service **out,
                                     struct sf_errbuf *eb);
void service_close(struct service *s); /* no call may be under way */

/* Asks once, for the whole answer, whatever is wanted. `output` is the story, `answer` the whole
 * object around it; both owned by the caller on SF_OK. Errors by the table of providers: see
 * service_judge. Thread-safe; blocks. */
SF_MUST_USE enum sf_err service_ask(struct service *s, const struct gen_call *call, json_t **output,
                                    json_t **answer, struct sf_errbuf *eb);

/* GET of the address with /generate replaced by /health: 2xx is well, 404, 405 and 501 reachable
 * without a health route. At most 2 s. */
SF_MUST_USE enum sf_err service_look(struct service *s, struct sf_errbuf *eb);
void service_health(struct service *s, struct gen_health *out);
void service_check(struct service *s, struct gen_checks *out);

/* The error of a status that is not 200, with what the body says about it. */
struct http_answer;
enum sf_err service_judge(const char *what, const struct http_answer *answer, struct sf_errbuf *eb);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_RECORDING_H
#define SF_APP_RECORDING_H

#include "app/app.h"
#include "app/origin.h"

/* What became of one request, whoever asked, as the journal keeps it. Everything is borrowed; NULL
 * where there is nothing. */
struct recording {
    int64_t id; /* from app_next_id */
    enum request_origin origin;
    const char *story_id, *hotkey, *peer;
    const struct story_request *request; /* NULL: refused before it was understood */
    struct sf_time received, deadline, answered;
    int status;          /* as in HTTP */
    const char *message; /* why it is not 200 */
    uint64_t seed;
    const struct gen_trail *trail;
    struct sf_time walked;           /* when the walk of the trail began */
    const struct gen_result *result; /* of an answer that went out or would have */
};

/* Scores the answer and queues a row; nothing when the app keeps no journal. Never blocks on I/O,
 * never fails: what cannot be kept is counted by the journal. Any thread. */
void recording_put(struct app *a, const struct recording *r);

#endif

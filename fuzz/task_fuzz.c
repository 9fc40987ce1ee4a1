/* SPDX-License-Identifier: MIT */
/* A request's body, read as a task: what is none is named, what is one is right and comes back. */
#include "fuzz.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct json_limits limits = {.max_bytes = 65536, .max_depth = 32};
    struct sf_errbuf eb = {0};
    struct story_request r;
    json_t *body = NULL;
    if (json_parse(fuzz_text(data, n, 0), limits, &body, &eb) != SF_OK) {
        return 0;
    }
    if (story_request_init(&r, body, &eb) == SF_OK) {
        json_t *again = story_request_to_json(&r);
        SF_BUG_ON(!json_is_object(again));
        SF_BUG_ON((r.task == STORY_CHAPTERS_TASK) != (r.n_chapter_ids > 0));
        for (size_t i = 0; i < r.n_chapter_ids; i++) {
            SF_BUG_ON(r.chapter_ids[i] < 1 || r.chapter_ids[i] > STORY_CHAPTERS);
        }
        json_decref(again);
        story_request_fini(&r);
    } else {
        SF_BUG_ON(eb.text[0] == '\0');
    }
    json_decref(body);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A request's body: read as a task, its answer's body built; what is no task is named. */
#include "bittensor/synapse_body.h"
#include "story/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_answer(const json_t *body)
{
    struct synapse s = {.timeout_seconds = SYNAPSE_TIMEOUT_DEFAULT};
    struct synapse_status status = {.code = 200,
                                    .message = "Success",
                                    .axon_hotkey = "",
                                    .axon_uuid = "",
                                    .peer_ip = "127.0.0.1",
                                    .peer_port = 1};
    json_t *output = json_object();
    json_t *info = json_object();
    struct synapse_answer a = {.output_data = output, .model_info = info, .miner_version = "1"};
    json_t *answer = synapse_body_answer(body, &s, "StoryGenerationSynapse", &status, &a);
    SF_BUG_ON(!json_is_number(json_object_get(answer, "timeout")));
    SF_BUG_ON(!json_is_object(json_object_get(answer, "dendrite")));
    SF_BUG_ON(!json_is_object(json_object_get(answer, "axon")));
    SF_BUG_ON(!json_is_string(json_object_get(answer, "miner_version")));
    json_decref(answer);
    json_decref(output);
    json_decref(info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct json_limits limits = {.max_bytes = 65536, .max_depth = 32};
    struct sf_errbuf eb = {0};
    struct story_request r;
    json_t *body = NULL;
    if (json_parse((struct sf_str){(const char *)data, n}, limits, &body, &eb) != SF_OK) {
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
        check_answer(body);
    } else {
        SF_BUG_ON(eb.text[0] == '\0');
    }
    json_decref(body);
    return 0;
}

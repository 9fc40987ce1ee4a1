/* SPDX-License-Identifier: MIT */
/* A request's body as the body of its answer: the members that a validator reads are always right.
 */
#include "bittensor/synapse_body.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct json_limits limits = {.max_bytes = 65536, .max_depth = 32};
    struct synapse s = {.timeout_seconds = SYNAPSE_TIMEOUT_DEFAULT};
    struct synapse_status status = {.code = 200,
                                    .message = "Success",
                                    .axon_hotkey = "",
                                    .axon_uuid = "",
                                    .peer_ip = "127.0.0.1",
                                    .peer_port = 1};
    json_t *body = NULL, *output = json_object(), *info = json_object();
    if (json_parse(fuzz_text(data, n, 0), limits, &body, NULL) == SF_OK && json_is_object(body)) {
        struct synapse_answer a = {.output_data = output, .model_info = info, .miner_version = "1"};
        json_t *answer = synapse_body_answer(body, &s, "StoryGenerationSynapse", &status, &a);
        SF_BUG_ON(!json_is_number(json_object_get(answer, "timeout")));
        SF_BUG_ON(!json_is_object(json_object_get(answer, "dendrite")));
        SF_BUG_ON(!json_is_object(json_object_get(answer, "axon")));
        SF_BUG_ON(!json_is_string(json_object_get(answer, "miner_version")));
        json_decref(answer);
    }
    json_decref(body);
    json_decref(output);
    json_decref(info);
    return 0;
}

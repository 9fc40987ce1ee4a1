/* SPDX-License-Identifier: MIT */
/* Headers of a request, one "name: value" a line: parsed, verified, answered, never signed for us.
 */
#include "base/mem.h"
#include "bittensor/verify.h"
#include "fuzz.h"

static const char own[] = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct http_header list[64];
    struct sf_errbuf eb = {0};
    struct sf_buf message;
    struct synapse s;
    enum sf_err err = synapse_parse(list, fuzz_headers(fuzz_text(data, n, 0), list, 64), &s, &eb);
    SF_BUG_ON(err != SF_OK && err != SF_EPARSE);
    SF_BUG_ON(err == SF_OK && !(s.timeout_seconds >= 0.0));
    sf_buf_init(&message, 4096);
    if (err == SF_OK) {
        synapse_signed_message(&s, own, &message);
    }
    SF_BUG_ON(message.err != SF_OK);
    sf_buf_fini(&message);
    struct synapse_headers *out = sf_xalloc(sizeof *out);
    struct synapse_status status = {.code = 401,
                                    .message = eb.text,
                                    .axon_hotkey = own,
                                    .axon_uuid = "00000000-0000-4000-8000-000000000000",
                                    .peer_ip = "127.0.0.1"};
    synapse_response_headers(&s, "StoryGenerationSynapse", &status, out);
    for (size_t i = 0; i < out->n; i++) {
        SF_BUG_ON(!fuzz_is_printable(out->list[i].value));
    }
    free(out);
    return 0;
}

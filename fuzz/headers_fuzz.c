/* SPDX-License-Identifier: MIT */
/* Headers of a request, one "name: value" a line: parsed, answered, verified, never signed for us.
 */
#include "base/mem.h"
#include "bittensor/verify.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HEADERS_MAX 64

static size_t split(struct sf_str text, struct http_header list[static HEADERS_MAX])
{
    struct sf_str line;
    size_t n = 0;
    while (n < HEADERS_MAX && sf_str_next(&text, '\n', &line)) {
        size_t colon = sf_str_find(line, SF_STR(":"));
        if (colon < line.n) {
            list[n++] = (struct http_header){
                sf_str_trim((struct sf_str){line.p, colon}),
                sf_str_trim((struct sf_str){line.p + colon + 1, line.n - colon - 1})};
        }
    }
    return n;
}

static void check_printable(const struct synapse_headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->list[i].value.n; k++) {
            char c = h->list[i].value.p[k];
            SF_BUG_ON(c < ' ' || c > '~');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char own[] = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    struct http_header list[HEADERS_MAX];
    struct sf_errbuf eb = {0};
    struct synapse s;
    size_t n_headers = split((struct sf_str){(const char *)data, n}, list);
    enum sf_err err = synapse_parse(list, n_headers, &s, &eb);
    SF_BUG_ON(err != SF_OK && err != SF_EPARSE);
    SF_BUG_ON(err == SF_OK && !(s.timeout_seconds >= 0.0));
    if (err == SF_OK) {
        struct sf_buf message;
        sf_buf_init(&message, 4096);
        synapse_signed_message(&s, own, &message);
        SF_BUG_ON(message.err != SF_OK);
        sf_buf_fini(&message);
    }
    struct synapse_headers *out = sf_xalloc(sizeof *out);
    struct synapse_status status = {.code = 401,
                                    .message = eb.text,
                                    .axon_hotkey = own,
                                    .axon_uuid = "00000000-0000-4000-8000-000000000000",
                                    .peer_ip = "127.0.0.1",
                                    .peer_port = 1};
    synapse_response_headers(&s, "StoryGenerationSynapse", &status, out);
    check_printable(out);
    free(out);
    return 0;
}

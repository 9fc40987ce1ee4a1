/* SPDX-License-Identifier: MIT */
#include "miner/answer.h"

#include <string.h>

#define BODY_CAP (16U << 20)

static void reply(const struct answer_identity *me, const struct answer_to *to, int status,
                  const char *message, struct sf_str body)
{
    struct synapse_headers h;
    struct http_header list[SYNAPSE_HEADERS_MAX + 1];
    struct synapse_status s = {.code = status,
                               .message = message,
                               .process_seconds = sf_seconds(sf_between(to->received, sf_now())),
                               .axon_hotkey = me->hotkey,
                               .axon_uuid = me->uuid,
                               .peer_ip = to->peer_ip,
                               .peer_port = to->peer_port};
    synapse_response_headers(to->synapse, to->route, &s, &h);
    list[0] = (struct http_header){SF_STR("content-type"), SF_STR("application/json")};
    memcpy(list + 1, h.list, h.n * sizeof h.list[0]);
    http_reply(to->exchange, status, list, h.n + 1, body);
}

void answer_error(const struct answer_identity *me, const struct answer_to *to, int status,
                  const char *message)
{
    json_t *body = json_pack("{s:s}", "message", message);
    struct sf_buf text;
    sf_buf_init(&text, 65536);
    if (body != NULL) {
        json_print(body, &text);
    }
    if (body == NULL || text.err != SF_OK) {
        sf_buf_clear(&text);
        sf_buf_puts(&text, "{\"message\":\"error\"}");
    }
    reply(me, to, status, message, sf_buf_str(&text));
    json_decref(body);
    sf_buf_fini(&text);
}

void answer_success(const struct answer_identity *me, const struct answer_to *to,
                    const json_t *request, const struct synapse_answer *a)
{
    struct synapse_status s = {.code = 200,
                               .message = "Success",
                               .process_seconds = sf_seconds(sf_between(to->received, sf_now())),
                               .axon_hotkey = me->hotkey,
                               .axon_uuid = me->uuid,
                               .peer_ip = to->peer_ip,
                               .peer_port = to->peer_port};
    json_t *body = a == NULL ? synapse_body_ping(request, to->synapse, &s)
                             : synapse_body_answer(request, to->synapse, to->route, &s, a);
    struct sf_buf text;
    sf_buf_init(&text, BODY_CAP);
    if (body != NULL) {
        json_print(body, &text);
    }
    if (body == NULL || text.err != SF_OK) {
        answer_error(me, to, 503, "out of memory");
    } else {
        reply(me, to, 200, "Success", sf_buf_str(&text));
    }
    json_decref(body);
    sf_buf_fini(&text);
}

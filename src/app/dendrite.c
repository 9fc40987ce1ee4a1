/* SPDX-License-Identifier: MIT */
#include "app/dendrite.h"

#include "bittensor/synapse_body.h"

#include <string.h>

static void sign(const struct dendrite_request *q, struct synapse *s)
{
    *s = (struct synapse){.timeout_seconds = q->timeout_seconds,
                          .dendrite_nonce = (uint64_t)sf_wall_ns(),
                          .dendrite_version = SYNAPSE_VERSION,
                          .axon_port = q->port,
                          .body_hash = SYNAPSE_EMPTY_BODY_HASH};
    (void)snprintf(s->name, sizeof s->name, "%s", q->name);
    (void)snprintf(s->axon_ip, sizeof s->axon_ip, "%s", q->ip);
    (void)snprintf(s->axon_hotkey, sizeof s->axon_hotkey, "%s", q->axon_hotkey);
    ss58_encode(q->key->public_key, s->dendrite_hotkey);
    synapse_uuid(s->dendrite_uuid);
    synapse_sign(s, q->key);
}

enum sf_err dendrite_call(const struct dendrite_request *q, struct http_answer *answer,
                          struct sf_errbuf *eb)
{
    char url[192];
    struct synapse s;
    struct synapse_headers h;
    struct http_header list[SYNAPSE_HEADERS_MAX + 1];
    struct sf_buf body;
    bool six = strchr(q->ip, ':') != NULL;
    sign(q, &s);
    json_t *request =
        synapse_body_request(&s, q->fields_own != NULL ? q->fields_own : json_object());
    (void)snprintf(url, sizeof url, "http://%s%s%s:%u/%s", six ? "[" : "", s.axon_ip,
                   six ? "]" : "", (unsigned)q->port, s.name);
    synapse_request_headers(&s, "127.0.0.1", &h);
    list[0] = (struct http_header){SF_STR("Content-Type"), SF_STR("application/json")};
    memcpy(list + 1, h.list, h.n * sizeof h.list[0]);
    sf_buf_init(&body, 8U << 20);
    json_print(request, &body);
    json_decref(request);
    struct http_call call = {.url = url,
                             .headers = list,
                             .n_headers = h.n + 1,
                             .body = sf_buf_str(&body),
                             .post = true,
                             .deadline = sf_after(sf_now(), (sf_ms)(q->timeout_seconds * 1000)),
                             .max_body_bytes = 16U << 20};
    enum sf_err err = http_client_call(&call, answer, eb);
    sf_buf_fini(&body);
    return err;
}

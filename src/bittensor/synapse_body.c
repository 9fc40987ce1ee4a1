/* SPDX-License-Identifier: MIT */
#include "bittensor/synapse_body.h"

#include "base/hex.h"

static json_t *text_or_null(const char *z)
{
    return z == NULL || z[0] == '\0' ? json_null() : json_string(z);
}

static json_t *int_or_null(uint64_t v)
{
    return v == 0 ? json_null() : json_integer((json_int_t)v);
}

static json_t *signature_or_null(const struct synapse *s)
{
    char hex[3 + 2 * SR25519_SIG_LEN] = "0x";
    if (!s->has_signature) {
        return json_null();
    }
    sf_hex_encode(s->signature, sizeof s->signature, hex + 2);
    return json_string(hex);
}

static json_t *dendrite_info(const struct synapse *s, const char *ip, unsigned port)
{
    return json_pack("{s:n, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "status_code",
                     "status_message", "process_time", "ip", text_or_null(ip), "port",
                     int_or_null(port), "version", int_or_null(s->dendrite_version), "nonce",
                     int_or_null(s->dendrite_nonce), "uuid", text_or_null(s->dendrite_uuid),
                     "hotkey", text_or_null(s->dendrite_hotkey), "signature", signature_or_null(s));
}

static json_t *axon_info(const struct synapse *s, const struct synapse_status *st)
{
    json_t *status = st == NULL ? json_null() : json_integer(st->code);
    json_t *message = st == NULL ? json_null() : json_string(st->message);
    json_t *seconds = st == NULL ? json_null() : json_real(st->process_seconds);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:n, s:o, s:o, s:n}", "status_code", status,
                     "status_message", message, "process_time", seconds, "ip",
                     text_or_null(s->axon_ip), "port", int_or_null(s->axon_port), "version",
                     st == NULL ? json_null() : json_integer(SYNAPSE_VERSION), "nonce", "uuid",
                     text_or_null(st == NULL ? NULL : st->axon_uuid), "hotkey",
                     text_or_null(st == NULL ? s->axon_hotkey : st->axon_hotkey), "signature");
}

/* The base fields over whatever the request had; order is that of the SDK for new objects. */
static int set_base(json_t *body, const struct synapse *s, const char *name, json_t *dendrite,
                    json_t *axon)
{
    int failed = json_object_set_new(body, "name", json_string(name));
    failed |= json_object_set_new(body, "timeout", json_real(s->timeout_seconds));
    failed |= json_object_set_new(body, "total_size", json_integer(0));
    failed |= json_object_set_new(body, "header_size", json_integer(0));
    failed |= json_object_set_new(body, "dendrite", dendrite);
    failed |= json_object_set_new(body, "axon", axon);
    failed |= json_object_set_new(body, "computed_body_hash", json_string(""));
    return failed;
}

/* Their places, for what comes with the request to stand behind. */
static int set_places(json_t *body)
{
    static const char *const names[] = {"name",     "timeout", "total_size",        "header_size",
                                        "dendrite", "axon",    "computed_body_hash"};
    int failed = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        failed |= json_object_set_new(body, names[i], json_null());
    }
    return failed;
}

static int set_answer(json_t *body, const struct synapse_answer *a)
{
    int failed = json_object_set(body, "output_data", a->output_data);
    failed |= json_object_set(body, "model_info", a->model_info);
    failed |= json_object_set_new(body, "generation_time", json_real(a->generation_seconds));
    failed |= json_object_set_new(body, "miner_version", json_string(a->miner_version));
    if (!json_is_string(json_object_get(body, "protocol_version"))) {
        failed |= json_object_set_new(body, "protocol_version", json_string("3.2.0"));
    }
    /* Fields nobody needs, but of the wrong type the client would refuse the answer. */
    static const char *const texts[] = {"miner_hotkey", "validator_hotkey"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = json_object_get(body, texts[i]);
        if (v != NULL && !json_is_string(v)) {
            failed |= json_object_set_new(body, texts[i], json_null());
        }
    }
    return failed;
}

static json_t *answer(const json_t *request, const struct synapse *s, const char *route,
                      const struct synapse_status *status, const struct synapse_answer *a)
{
    json_t *body = json_object();
    int failed = body == NULL ? 1 : set_places(body);
    if (failed == 0 && json_is_object(request)) {
        failed = json_object_update(body, (json_t *)(uintptr_t)request);
    }
    if (failed == 0) {
        failed = set_base(body, s, route, dendrite_info(s, status->peer_ip, status->peer_port),
                          axon_info(s, status));
    }
    if (failed == 0 && a != NULL) {
        failed = set_answer(body, a);
    }
    if (failed != 0) {
        json_decref(body);
        return NULL;
    }
    return body;
}

json_t *synapse_body_answer(const json_t *request, const struct synapse *s, const char *route,
                            const struct synapse_status *status, const struct synapse_answer *a)
{
    return answer(request, s, route, status, a);
}

json_t *synapse_body_ping(const json_t *request, const struct synapse *s,
                          const struct synapse_status *status)
{
    return answer(request, s, "Synapse", status, NULL);
}

json_t *synapse_body_request(const struct synapse *s, json_t *fields_own)
{
    json_t *body = json_object();
    int failed = body == NULL
                     ? 1
                     : set_base(body, s, s->name, dendrite_info(s, NULL, 0), axon_info(s, NULL));
    if (failed == 0) {
        failed = json_object_update(body, fields_own);
    }
    json_decref(fields_own);
    if (failed != 0) {
        json_decref(body);
        return NULL;
    }
    return body;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/synapse.h"

#include "base/file.h"
#include "base/hex.h"

#include <string.h>

/* How the value of a header is read into the struct. */
enum value_kind { VALUE_TEXT, VALUE_U64, VALUE_SECONDS, VALUE_SIGNATURE };

static const struct known {
    const char *name;
    enum value_kind kind;
    size_t offset, size;
} known[] = {
#define TEXT(header, field)                                                                        \
    {                                                                                              \
        header, VALUE_TEXT, offsetof(struct synapse, field), sizeof(((struct synapse *)0)->field)  \
    }
    TEXT("name", name),
    TEXT("bt_header_dendrite_hotkey", dendrite_hotkey),
    TEXT("bt_header_dendrite_uuid", dendrite_uuid),
    TEXT("bt_header_axon_hotkey", axon_hotkey),
    TEXT("bt_header_axon_ip", axon_ip),
    TEXT("computed_body_hash", body_hash),
#undef TEXT
    {"timeout", VALUE_SECONDS, offsetof(struct synapse, timeout_seconds), 0},
    {"bt_header_dendrite_nonce", VALUE_U64, offsetof(struct synapse, dendrite_nonce), 0},
    {"bt_header_dendrite_version", VALUE_U64, offsetof(struct synapse, dendrite_version), 0},
    {"bt_header_axon_port", VALUE_U64, offsetof(struct synapse, axon_port), 0},
    {"bt_header_dendrite_signature", VALUE_SIGNATURE, 0, 0},
};
#define N_KNOWN (sizeof known / sizeof known[0])

static bool read_text(struct sf_str v, char *out, size_t size)
{
    if (v.n >= size) {
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= ' ' || v.p[i] > '~') {
            return false;
        }
    }
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return true;
}

static bool read_signature(struct sf_str v, struct synapse *s)
{
    if (!sf_str_has_prefix(v, "0x")) {
        return v.n == 0; /* an empty header counts as none */
    }
    s->has_signature =
        sf_hex_decode((struct sf_str){v.p + 2, v.n - 2}, s->signature, sizeof s->signature);
    return s->has_signature;
}

static bool read_value(const struct known *k, struct sf_str v, struct synapse *s)
{
    char *at = (char *)s + k->offset;
    double seconds;
    switch (k->kind) {
    case VALUE_TEXT:
        return read_text(v, at, k->size);
    case VALUE_U64: {
        uint64_t number;
        if (!sf_scan_u64(v, INT64_MAX, &number)) {
            return false;
        }
        memcpy(at, &number, sizeof number);
        return true;
    }
    case VALUE_SECONDS:
        if (!sf_scan_double(v, &seconds) || seconds < 0) {
            return false;
        }
        s->timeout_seconds = seconds;
        return true;
    case VALUE_SIGNATURE:
        return read_signature(v, s);
    }
    return false;
}

enum sf_err synapse_parse(const struct http_header *headers, size_t n, struct synapse *s,
                          struct sf_errbuf *eb)
{
    bool seen[N_KNOWN] = {false};
    enum sf_err err = SF_OK;
    *s = (struct synapse){.timeout_seconds = SYNAPSE_TIMEOUT_DEFAULT};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_KNOWN; k++) {
            if (!sf_str_is_nocase(headers[i].name, known[k].name)) {
                continue;
            }
            if (seen[k]) {
                err = sf_fail(eb, SF_EPARSE, "header %s given twice", known[k].name);
            } else if (!read_value(&known[k], sf_str_trim(headers[i].value), s)) {
                err = sf_fail(eb, SF_EPARSE, "header %s does not parse", known[k].name);
            }
            seen[k] = true;
        }
    }
    return err;
}

void synapse_signed_message(const struct synapse *s, const char *axon_hotkey, struct sf_buf *out)
{
    sf_buf_printf(out, "%llu.%s.%s.%s.%s", (unsigned long long)s->dendrite_nonce,
                  s->dendrite_hotkey, axon_hotkey, s->dendrite_uuid, s->body_hash);
}

void synapse_sign(struct synapse *s, const struct sr25519_keypair *key)
{
    struct sf_buf message;
    sf_buf_init(&message, 1024);
    synapse_signed_message(s, s->axon_hotkey, &message);
    SF_BUG_ON(message.err == SF_ELIMIT);
    sr25519_sign(key, sf_buf_str(&message), s->signature);
    s->has_signature = message.err == SF_OK;
    sf_buf_fini(&message);
}

static void put(struct synapse_headers *h, const char *name, const char *fmt, ...) SF_PRINTF(3, 4);
static void put(struct synapse_headers *h, const char *name, const char *fmt, ...)
{
    SF_BUG_ON(h->n == SYNAPSE_HEADERS_MAX);
    char *value = h->values[h->n];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(value, sizeof h->values[0], fmt, ap);
    va_end(ap);
    for (char *c = value; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            *c = '?';
        }
    }
    if (value[0] != '\0') {
        h->list[h->n++] = (struct http_header){sf_str(name), sf_str(value)};
    }
}

/* As Python prints a float: always with a point. */
static void put_seconds(struct synapse_headers *h, const char *name, double v)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", v);
    put(h, name, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void put_dendrite(struct synapse_headers *h, const struct synapse *s, const char *ip)
{
    char hex[2 * SR25519_SIG_LEN + 1];
    put(h, "bt_header_dendrite_ip", "%s", ip == NULL ? "" : ip);
    if (s->dendrite_version != 0) {
        put(h, "bt_header_dendrite_version", "%llu", (unsigned long long)s->dendrite_version);
    }
    if (s->dendrite_nonce != 0) {
        put(h, "bt_header_dendrite_nonce", "%llu", (unsigned long long)s->dendrite_nonce);
    }
    put(h, "bt_header_dendrite_uuid", "%s", s->dendrite_uuid);
    put(h, "bt_header_dendrite_hotkey", "%s", s->dendrite_hotkey);
    if (s->has_signature) {
        sf_hex_encode(s->signature, sizeof s->signature, hex);
        put(h, "bt_header_dendrite_signature", "0x%s", hex);
    }
}

void synapse_request_headers(const struct synapse *s, const char *dendrite_ip,
                             struct synapse_headers *out)
{
    out->n = 0;
    put(out, "name", "%s", s->name);
    put_seconds(out, "timeout", s->timeout_seconds);
    put(out, "bt_header_axon_ip", "%s", s->axon_ip);
    put(out, "bt_header_axon_port", "%llu", (unsigned long long)s->axon_port);
    put(out, "bt_header_axon_hotkey", "%s", s->axon_hotkey);
    put_dendrite(out, s, dendrite_ip);
    put(out, "header_size", "0");
    put(out, "total_size", "0");
    put(out, "computed_body_hash", "%s", s->body_hash);
}

void synapse_response_headers(const struct synapse *s, const char *route,
                              const struct synapse_status *status, struct synapse_headers *out)
{
    out->n = 0;
    put(out, "name", "%s", route);
    put_seconds(out, "timeout", s->timeout_seconds);
    put(out, "bt_header_axon_status_code", "%d", status->code);
    put(out, "bt_header_axon_status_message", "%.200s", status->message);
    put_seconds(out, "bt_header_axon_process_time", status->process_seconds);
    put(out, "bt_header_axon_ip", "%s", s->axon_ip);
    if (s->axon_port != 0) {
        put(out, "bt_header_axon_port", "%llu", (unsigned long long)s->axon_port);
    }
    put(out, "bt_header_axon_version", "%d", SYNAPSE_VERSION);
    put(out, "bt_header_axon_uuid", "%s", status->axon_uuid);
    put(out, "bt_header_axon_hotkey", "%s", status->axon_hotkey);
    put_dendrite(out, s, status->peer_ip);
    if (status->peer_port != 0) {
        put(out, "bt_header_dendrite_port", "%u", status->peer_port);
    }
    put(out, "header_size", "0");
    put(out, "total_size", "0");
    put(out, "computed_body_hash", "%s", SYNAPSE_EMPTY_BODY_HASH);
}

void synapse_uuid(char out[static 37])
{
    uint8_t b[16];
    char hex[33];
    sf_random(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0fU) | 0x40U);
    b[8] = (uint8_t)((b[8] & 0x3fU) | 0x80U);
    sf_hex_encode(b, sizeof b, hex);
    (void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
}

/* SPDX-License-Identifier: MIT */
#include "miner/reply.h"

#include <string.h>

#define BODY_CAP (16U << 20)

static void send(struct http_exchange *x, int status, bool again, json_t *body_own)
{
    static const struct http_header headers[] = {
        {{"Content-Type", 12}, {"application/json", 16}},
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"Retry-After", 11}, {"1", 1}},
    };
    struct sf_buf text;
    sf_buf_init(&text, BODY_CAP);
    if (body_own != NULL) {
        json_print(body_own, &text);
    }
    bool ok = body_own != NULL && text.err == SF_OK;
    http_reply(x, ok ? status : 503, headers, again || !ok ? 3 : 2,
               ok ? sf_buf_str(&text) : SF_STR("{\"message\":\"out of memory\"}"));
    json_decref(body_own);
    sf_buf_fini(&text);
}

void reply_json(struct http_exchange *x, int status, json_t *body_own)
{
    send(x, status, false, body_own);
}

void reply_message(struct http_exchange *x, int status, const char *message)
{
    send(x, status, false, json_pack("{s:s}", "message", message));
}

void reply_busy(struct http_exchange *x, const char *message)
{
    send(x, 503, true, json_pack("{s:s}", "message", message));
}

struct sf_str request_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (sf_str_is_nocase(r->headers[i].name, name)) {
            return r->headers[i].value;
        }
    }
    return (struct sf_str){"", 0};
}

static bool is_local_host(struct sf_str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (sf_str_has_prefix(host, names[i]) && (host.n == n || host.p[n] == ':')) {
            return true;
        }
    }
    return false;
}

bool request_is_local(const struct http_request *r)
{
    struct sf_str origin = request_header(r, "origin");
    size_t scheme = sf_str_find(origin, SF_STR("://"));
    bool same = origin.n == 0 ||
                (scheme < origin.n &&
                 is_local_host((struct sf_str){origin.p + scheme + 3, origin.n - scheme - 3}));
    return same && is_local_host(request_header(r, "host"));
}

bool request_is_json(const struct http_request *r)
{
    struct sf_str rest = request_header(r, "content-type"), type = rest;
    (void)sf_str_next(&rest, ';', &type);
    return sf_str_is_nocase(sf_str_trim(type), "application/json");
}

bool address_is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

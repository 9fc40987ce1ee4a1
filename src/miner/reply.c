/* SPDX-License-Identifier: MIT */
#include "miner/reply.h"

#include <string.h>

#define BODY_CAP (16U << 20)

void reply_to_request(struct http_exchange *x, int64_t id, int status, bool again, json_t *body_own)
{
    char number[24];
    struct http_header headers[4] = {{SF_STR("Content-Type"), SF_STR("application/json")},
                                     {SF_STR("Cache-Control"), SF_STR("no-store")}};
    size_t n = 2;
    struct sf_buf text;
    sf_buf_init(&text, BODY_CAP);
    if (body_own != NULL) {
        json_print(body_own, &text);
    }
    bool ok = body_own != NULL && text.err == SF_OK;
    if (again || !ok) {
        headers[n++] = (struct http_header){SF_STR("Retry-After"), SF_STR("1")};
    }
    if (id > 0) {
        (void)snprintf(number, sizeof number, "%lld", (long long)id);
        headers[n++] = (struct http_header){SF_STR("X-Storyfi-Request"), sf_str(number)};
    }
    http_reply(x, ok ? status : 503, headers, n,
               ok ? sf_buf_str(&text) : SF_STR("{\"message\":\"out of memory\"}"));
    json_decref(body_own);
    sf_buf_fini(&text);
}

void reply_json(struct http_exchange *x, int status, json_t *body_own)
{
    reply_to_request(x, 0, status, false, body_own);
}

void reply_message(struct http_exchange *x, int status, const char *message)
{
    reply_json(x, status, json_pack("{s:s}", "message", message));
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

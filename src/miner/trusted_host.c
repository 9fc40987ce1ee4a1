/* SPDX-License-Identifier: MIT */
#include "miner/trusted_host.h"

#include "miner/reply.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

struct sf_str url_authority(struct sf_str url)
{
    size_t scheme = sf_str_find(url, SF_STR("://"));
    struct sf_str rest = {url.p, 0}, authority = {"", 0};
    if (scheme < url.n) {
        rest = (struct sf_str){url.p + scheme + 3, url.n - scheme - 3};
        (void)sf_str_next(&rest, '/', &authority);
    }
    return authority;
}

/* "[::1]:80" and "host:80" without the port. */
static struct sf_str without_port(struct sf_str a)
{
    const char *colon;
    if (a.n > 0 && a.p[0] == '[') {
        size_t end = sf_str_find(a, SF_STR("]"));
        return (struct sf_str){a.p, end < a.n ? end + 1 : a.n};
    }
    colon = a.n == 0 ? NULL : memchr(a.p, ':', a.n);
    return (struct sf_str){a.p, colon == NULL ? a.n : (size_t)(colon - a.p)};
}

static bool same(struct sf_str a, struct sf_str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool is_address(struct sf_str host)
{
    char text[64];
    uint8_t bytes[16];
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = (struct sf_str){host.p + 1, host.n - 2};
    }
    if (host.n >= sizeof text) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.*s", SF_STR_ARG(host));
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

bool trusted_host(const struct trusted_hosts *t, struct sf_str authority)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    struct sf_str host = without_port(authority);
    struct sf_str public = without_port(url_authority(sf_str(t->public_url)));
    bool known = (public.n > 0 && same(host, public)) || (t->any_address && is_address(host));
    for (size_t i = 0; !known && i < sizeof own / sizeof own[0]; i++) {
        known = same(host, sf_str(own[i]));
    }
    for (size_t i = 0; !known && i < t->n_names; i++) {
        known = same(host, sf_str(t->names[i]));
    }
    return known && host.n > 0;
}

bool trusted_request(const struct trusted_hosts *t, const struct http_request *r)
{
    struct sf_str host = request_header(r, "host"), origin = request_header(r, "origin");
    if (!trusted_host(t, host)) {
        return false;
    }
    struct sf_str from = url_authority(origin), public = url_authority(sf_str(t->public_url));
    return origin.n == 0 ||
           (from.n > 0 && (same(from, host) || (public.n > 0 && same(from, public))));
}

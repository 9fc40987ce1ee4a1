/* SPDX-License-Identifier: MIT */
#include "miner/admin_static.h"

#include <inttypes.h>
#include <string.h>

#define ASSETS "/assets/"

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *content_type(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(ending, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* The content's hash (FNV-1a, 64 bits) in quotes: says the same for the same bytes only, and needs
 * to withstand nobody. */
static void make_etag(struct sf_str s, char out[static 20])
{
    uint64_t h = 14695981039346656037U;
    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211U;
    }
    (void)snprintf(out, 20, "\"%016" PRIx64 "\"", h);
}

static const struct web_asset *find(const char *name)
{
    for (size_t i = 0; i < n_web_assets; i++) {
        if (strcmp(web_assets[i].name, name) == 0) {
            return &web_assets[i];
        }
    }
    return NULL;
}

void admin_static_reply(struct http_exchange *x, const struct http_request *r, const char *name)
{
    const struct web_asset *asset = find(name);
    char etag[20];
    if (asset == NULL) {
        reply_message(x, 404, "Not found: there is no such file in this program");
        return;
    }
    make_etag(*asset->content, etag);
    struct http_header headers[] = {{SF_STR("Content-Type"), sf_str(content_type(name))},
                                    {SF_STR("Cache-Control"), SF_STR("no-cache")},
                                    {SF_STR("ETag"), sf_str(etag)}};
    struct sf_str known = request_header(r, "if-none-match");
    if (known.n > 0 && sf_str_find(known, sf_str(etag)) < known.n) {
        http_reply(x, 304, headers + 1, 2, (struct sf_str){"", 0});
    } else {
        http_reply(x, 200, headers, 3, *asset->content);
    }
}

static void handle_page(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a;
    admin_static_reply(x, r, "index.html");
}

static void handle_asset(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a;
    admin_static_reply(x, r, r->path + strlen(ASSETS));
}

/* Browsers ask for it whatever a page says. */
static void handle_icon(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)a;
    admin_static_reply(x, r, "icon.svg");
}

/* Files hold nothing of this miner's: the login page needs some of them. */
static const struct admin_route rows[] = {
    {"GET", "/", handle_page, 0},
    {"GET", ASSETS "*", handle_asset, ADMIN_OPEN},
    {"GET", "/favicon.ico", handle_icon, ADMIN_OPEN},
};
const struct admin_routes admin_static_routes = {rows, sizeof rows / sizeof rows[0]};

/* SPDX-License-Identifier: MIT */
#include "app/miner_address.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>

void miner_address(const struct conf *conf, const char *path, char out[static MINER_ADDRESS_MAX])
{
    const char *ip = conf->admin.ip;
    if (strcmp(ip, "0.0.0.0") == 0) {
        ip = "127.0.0.1";
    } else if (strcmp(ip, "::") == 0) {
        ip = "::1";
    }
    bool six = strchr(ip, ':') != NULL && ip[0] != '[';
    (void)snprintf(out, MINER_ADDRESS_MAX, "%s://%s%.80s%s:%lld%.60s",
                   conf->admin.tls_certificate[0] == '\0' ? "http" : "https", six ? "[" : "", ip,
                   six ? "]" : "", (long long)conf->admin.port, path);
}

/* Keeps the first certificate of the file: the server's own. */
static enum sf_err read_certificate(const char *path, struct sf_buf *out, struct sf_errbuf *eb)
{
    enum sf_err err = sf_file_read(path, out, eb);
    if (err == SF_OK) {
        static const struct sf_str last = {"-----END CERTIFICATE-----", 25};
        size_t end = sf_str_find(sf_buf_str(out), last);
        if (end == out->n) {
            return sf_fail(eb, SF_ECONFIG, "admin.tls_certificate: %s is no PEM file", path);
        }
        out->n = end + last.n;
    }
    return err == SF_OK ? err : sf_fail_prefix(eb, "admin.tls_certificate");
}

enum sf_err miner_door_open(const struct conf *conf, const char *path, struct miner_door *door,
                            struct http_call *call, struct sf_errbuf *eb)
{
    const struct conf_admin *c = &conf->admin;
    const char *token = c->token_env[0] == '\0' ? NULL : conf_secret(conf, c->token_env);
    enum sf_err err = SF_OK;
    miner_address(conf, path, door->url);
    sf_buf_init(&door->certificate, (size_t)256 << 10);
    door->bearer[0] = '\0';
    call->url = door->url;
    if (token != NULL && strlen(token) > 500) {
        return sf_fail(eb, SF_ECONFIG, "the token in %s is longer than 500 bytes", c->token_env);
    }
    if (token != NULL) {
        (void)snprintf(door->bearer, sizeof door->bearer, "Bearer %s", token);
    }
    if (c->tls_certificate[0] != '\0') {
        err = read_certificate(c->tls_certificate, &door->certificate, eb);
        call->trust_only = sf_buf_str(&door->certificate);
    }
    return err;
}

size_t miner_door_header(const struct miner_door *door, struct http_header *out)
{
    *out = (struct http_header){SF_STR("Authorization"), sf_str(door->bearer)};
    return door->bearer[0] == '\0' ? 0 : 1;
}

void miner_door_fini(struct miner_door *door)
{
    sf_wipe(door->bearer, sizeof door->bearer);
    sf_buf_fini(&door->certificate);
}

enum sf_err miner_get(const struct conf *conf, const char *path, sf_ms patience,
                      struct http_answer *answer, struct sf_errbuf *eb)
{
    struct miner_door door;
    struct http_header header;
    struct http_call call = {
        .deadline = sf_after(sf_now(), patience), .max_body_bytes = 1U << 20, .headers = &header};
    enum sf_err err = miner_door_open(conf, path, &door, &call, eb);
    *answer = (struct http_answer){.status = 0};
    if (err == SF_OK) {
        call.n_headers = miner_door_header(&door, &header);
        err = http_client_call(&call, answer, eb);
    }
    miner_door_fini(&door);
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/external_ip.h"

#include "http/client.h"

#include <string.h>

#define SERVICE_MS 5000
#define ANSWER_MAX 1024
#define VOTES_MAX 16

const char *const external_ip_services[] = {
    "https://checkip.amazonaws.com", "https://api.ipify.org", "https://icanhazip.com",
    "https://ifconfig.me/ip",        "https://ipinfo.io/ip",
};
const size_t external_ip_n_services = sizeof external_ip_services / sizeof external_ip_services[0];

/* ---------------------------------------------------------------- kinds */

/* Blocks of IPv4; what is in none is public. source: IANA's special-purpose address registry. */
static const struct {
    uint32_t first;
    unsigned bits;
    enum ip_kind kind;
} blocks[] = {
    {0x00000000, 8, IP_UNSPECIFIED}, /* 0/8: "this network" */
    {0x0a000000, 8, IP_PRIVATE},     {0x64400000, 10, IP_PRIVATE},  {0x7f000000, 8, IP_LOOPBACK},
    {0xa9fe0000, 16, IP_LINK_LOCAL}, {0xac100000, 12, IP_PRIVATE},  {0xc0000000, 24, IP_RESERVED},
    {0xc0000200, 24, IP_RESERVED},   {0xc0a80000, 16, IP_PRIVATE},  {0xc6120000, 15, IP_RESERVED},
    {0xc6336400, 24, IP_RESERVED},   {0xcb007100, 24, IP_RESERVED}, {0xe0000000, 4, IP_RESERVED},
    {0xf0000000, 4, IP_RESERVED},
};

static enum ip_kind kind_of_4(uint32_t ip)
{
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if ((ip ^ blocks[i].first) >> (32 - blocks[i].bits) == 0) {
            return blocks[i].kind;
        }
    }
    return IP_PUBLIC;
}

static enum ip_kind kind_of_6(const struct scale_u128 *ip)
{
    if (ip->high == 0 && ip->low <= 1) {
        return ip->low == 0 ? IP_UNSPECIFIED : IP_LOOPBACK;
    }
    if (ip->high == 0 && ip->low >> 32U == 0xffff) {
        return kind_of_4((uint32_t)ip->low); /* an IPv4 address in disguise */
    }
    if (ip->high >> 57U == 0xfc >> 1U) {
        return IP_PRIVATE;
    }
    if (ip->high >> 54U == 0xfe80 >> 6U) {
        return IP_LINK_LOCAL;
    }
    bool global = ip->high >> 61U == 1; /* 2000::/3 */
    return global && ip->high >> 32U != 0x20010db8 ? IP_PUBLIC : IP_RESERVED;
}

enum ip_kind external_ip_kind(const struct axon_info *a)
{
    if (a->ip_type == 6) {
        return kind_of_6(&a->ip);
    }
    return a->ip.high != 0 || a->ip.low > UINT32_MAX ? IP_RESERVED : kind_of_4((uint32_t)a->ip.low);
}

const char *ip_kind_name(enum ip_kind kind)
{
    static const char *const names[] = {
        [IP_PUBLIC] = "public",   [IP_UNSPECIFIED] = "unspecified", [IP_LOOPBACK] = "loopback",
        [IP_PRIVATE] = "private", [IP_LINK_LOCAL] = "link-local",   [IP_RESERVED] = "reserved",
    };
    return names[kind];
}

enum sf_err external_ip_check(const struct axon_info *a, struct sf_errbuf *eb)
{
    char ip[AXON_IP_MAX];
    enum ip_kind kind = external_ip_kind(a);
    if (kind == IP_PUBLIC) {
        return SF_OK;
    }
    axon_ip_print(a, ip);
    return sf_fail(eb, SF_EINVAL,
                   "%s is a %s address, which validators cannot reach: set --axon.external_ip to "
                   "the public one (behind a router: its own, with the port forwarded)",
                   ip, ip_kind_name(kind));
}

/* ---------------------------------------------------------------- asking */

struct vote {
    struct sf_str host;
    uint64_t ip;
};

static struct sf_str host_of(const char *url)
{
    struct sf_str s = sf_str(url);
    size_t at = sf_str_find(s, SF_STR("://"));
    at = at < s.n ? at + 3 : 0;
    s.p += at;
    s.n -= at;
    s.n = sf_str_find(s, SF_STR("/"));
    return s;
}

/* False when the service said nothing of use; what it said is added to `said`. */
static bool ask(struct http_client *client, const struct external_ip_question *q, const char *url,
                struct vote *out, struct sf_buf *said)
{
    struct axon_info axon = {.ip_type = 0};
    char text[AXON_IP_MAX] = "";
    struct http_transfer t = {
        .call = {.url = url,
                 .deadline = sf_earlier(q->deadline, sf_after(sf_now(), SERVICE_MS)),
                 .max_body_bytes = ANSWER_MAX}};
    http_client_perform(client, &t, 1, 0, q->cancel);
    struct sf_str body = sf_str_trim(sf_buf_str(&t.answer.body));
    if (t.err == SF_OK && t.answer.status == 200 && body.n < sizeof text) {
        memcpy(text, body.p == NULL ? "" : body.p, body.n);
        text[body.n] = '\0';
    }
    bool ok = axon_ip_parse(text, &axon, NULL) == SF_OK && axon.ip_type == 4;
    out->host = host_of(url);
    out->ip = axon.ip.low;
    sf_buf_printf(said, "%s%.*s: %s", said->n == 0 ? "" : ", ", SF_STR_ARG(out->host),
                  ok               ? text
                  : t.err == SF_OK ? "no IPv4 address"
                                   : "no answer");
    http_answer_fini(&t.answer);
    return ok;
}

static size_t agreeing(const struct vote *votes, size_t n, const struct vote *with)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        bool other_host = votes[i].host.n != with->host.n ||
                          memcmp(votes[i].host.p, with->host.p, with->host.n) != 0;
        same += votes[i].ip == with->ip && other_host;
    }
    return same;
}

static bool is_given_up(const struct external_ip_question *q)
{
    return q->cancel != NULL && atomic_load(q->cancel);
}

/* SF_OK, or SF_ENOTFOUND when no two agree; *n_votes are those that said something. */
static enum sf_err vote_on(struct http_client *client, const struct external_ip_question *q,
                           uint64_t *ip, size_t *n_votes, struct sf_buf *said)
{
    struct vote votes[VOTES_MAX];
    size_t needed = q->n > 1 ? 1 : 0; /* others that say the same */
    for (size_t i = 0; i < q->n && *n_votes < VOTES_MAX && sf_until(q->deadline) > 0; i++) {
        struct vote *v = &votes[*n_votes];
        if (is_given_up(q)) {
            return SF_ECANCELED;
        }
        if (!ask(client, q, q->services[i], v, said)) {
            continue;
        }
        if (agreeing(votes, *n_votes, v) >= needed) {
            *ip = v->ip;
            return SF_OK;
        }
        (*n_votes)++;
    }
    return is_given_up(q) ? SF_ECANCELED : SF_ENOTFOUND;
}

enum sf_err external_ip_find(const struct external_ip_question *q, struct axon_info *out,
                             struct sf_errbuf *eb)
{
    struct http_client *client = NULL;
    struct sf_buf said;
    uint64_t ip = 0;
    size_t n_votes = 0;
    enum sf_err err = http_client_open(&client);
    if (err != SF_OK) {
        return err;
    }
    sf_buf_init(&said, 4096);
    err = vote_on(client, q, &ip, &n_votes, &said);
    if (err == SF_OK) {
        out->ip = (struct scale_u128){.low = ip};
        out->ip_type = 4;
        err = external_ip_check(out, eb);
    } else if (err == SF_ECANCELED) {
        err = sf_fail(eb, err, "given up");
    } else {
        err = sf_fail(eb, n_votes > 1 ? SF_EINVAL : SF_ETRANSIENT,
                      "the address that the world reaches this machine by is not known (%.300s): "
                      "set --axon.external_ip",
                      q->n == 0 ? "no service is set" : sf_buf_z(&said));
    }
    sf_buf_fini(&said);
    http_client_close(client);
    return err;
}

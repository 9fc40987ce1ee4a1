/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_EXTERNAL_IP_H
#define SF_BITTENSOR_EXTERNAL_IP_H

#include "base/clock.h"
#include "bittensor/extrinsic.h"

#include <stdatomic.h>

/* What kind of address it is, to the world outside. */
enum ip_kind {
    IP_PUBLIC,
    IP_UNSPECIFIED, /* 0.0.0.0, :: */
    IP_LOOPBACK,
    IP_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10 (carriers), fc00::/7 */
    IP_LINK_LOCAL, /* 169.254/16, fe80::/10 */
    IP_RESERVED,   /* documentation, multicast, broadcast, future use */
};
enum ip_kind external_ip_kind(const struct axon_info *a);
const char *ip_kind_name(enum ip_kind kind); /* "public", "private", … */

/* SF_OK for a public address, else SF_EINVAL with the reason and what to set. */
SF_MUST_USE enum sf_err external_ip_check(const struct axon_info *a, struct sf_errbuf *eb);

/* Services that answer with the caller's address as text (and nothing else). */
extern const char *const external_ip_services[];
extern const size_t external_ip_n_services;

/* Asks the services (each http:// or https://, GET) until two of different hosts agree on one
 * public IPv4 address; fills ip and ip_type of `out`. With one service its word is taken. Blocks;
 * each service gets at most five seconds. SF_ETRANSIENT: too few answered; SF_EINVAL: they
 * disagree, or agree on an address that is not public; SF_ECANCELED. The text names what each said.
 */
struct external_ip_question {
    const char *const *services;
    size_t n;
    struct sf_time deadline;
    const atomic_bool *cancel; /* looked at every 20 ms; may be NULL */
};
SF_MUST_USE enum sf_err external_ip_find(const struct external_ip_question *q,
                                         struct axon_info *out, struct sf_errbuf *eb);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_H
#define SF_MINER_ADMIN_H

#include "conf/conf.h"
#include "miner/axon.h"
#include "miner/miner.h"
#include "miner/trusted_host.h"

struct admin_auth;
struct admin_slow;
struct admin_events;
struct admin_doctor;

/* The owner's side: pages, /health, /ready, /status, /metrics, POST /generate, and the routes of
 * the tables in admin.c. */
struct admin {
    struct axon *axon;
    struct network *network; /* NULL offline */
    struct model_desk *models;
    struct miner_reload reload;         /* what the configuration is read anew with */
    const struct wallet_unlock *unlock; /* NULL: none */
    struct sf_time started;
    const char *axon_ip;
    _Atomic uint16_t axon_port; /* 0 until the axon's listener is open */
    atomic_bool serving;        /* the axon's listener is open */
    /* its own, from admin_open to admin_close: */
    const struct conf *conf; /* of the start */
    struct http_server *server;
    struct admin_slow *slow;
    struct admin_auth *auth;
    struct trusted_hosts hosts;
    int64_t netuid, started_wall_ns;
    int64_t certificate_ends; /* seconds since 1970; 0 no TLS */
    struct admin_events *events;
    struct admin_doctor *doctor;
};

/* Whether the listener may be opened as the configuration has it, before anything else is: reads
 * token, certificate and key. SF_ECONFIG, SF_ENOTFOUND, SF_EIO: cause and remedy in `eb`. */
SF_MUST_USE enum sf_err admin_check(const struct conf *conf, struct sf_errbuf *eb);
/* Opens the listener that the configuration names. As admin_check, and SF_ENOMEM. After an error
 * admin_close is still due. */
SF_MUST_USE enum sf_err admin_open(struct admin *a, const struct conf *conf, struct sf_errbuf *eb);
/* Answers what waits, ends streams, closes. All jobs must have been answered. */
void admin_close(struct admin *a);

void admin_handle(void *arg, struct http_exchange *x, const struct http_request *request);

/* The state of the miner as /status shows it. NULL: out of memory. Caller owns. */
json_t *admin_status(struct admin *a);
/* In two steps: the generators' figures of the last day, which read the journal (NULL: there is
 * none), and the state with figures that may be older. Caller owns. */
json_t *admin_figures(struct admin *a);
json_t *admin_status_by(struct admin *a, const json_t *figures);

#endif

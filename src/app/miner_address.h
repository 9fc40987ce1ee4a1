/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MINER_ADDRESS_H
#define SF_APP_MINER_ADDRESS_H

#include "conf/conf.h"
#include "http/client.h"

#define MINER_ADDRESS_MAX 192
/* Where the miner of this configuration answers its owner: "http://127.0.0.1:8099/status". A miner
 * that listens on all addresses is asked on loopback, by the only names that it trusts. */
void miner_address(const struct conf *conf, const char *path, char out[static MINER_ADDRESS_MAX]);

/* What it takes to ask it: the address, the owner's token, and with TLS its certificate, the only
 * one that is trusted there. */
struct miner_door {
    char url[MINER_ADDRESS_MAX];
    char bearer[512];          /* "" none */
    struct sf_buf certificate; /* the server's own, PEM; empty without TLS */
};
/* Fills `door` and the call's url and trust. SF_ECONFIG, SF_ENOTFOUND, SF_EIO: the certificate
 * cannot be read, or the token is longer than 500 bytes; cause and remedy in `eb`. The door is to
 * outlive the call, and to be fini'd in any case. */
SF_MUST_USE enum sf_err miner_door_open(const struct conf *conf, const char *path,
                                        struct miner_door *door, struct http_call *call,
                                        struct sf_errbuf *eb);
/* The Authorization header: n is 0 when there is no token. */
size_t miner_door_header(const struct miner_door *door, struct http_header *out);
void miner_door_fini(struct miner_door *door); /* wipes */

/* One GET of a path with all that. As http_client_call; SF_EAUTH never: see the status. */
SF_MUST_USE enum sf_err miner_get(const struct conf *conf, const char *path, sf_ms patience,
                                  struct http_answer *answer, struct sf_errbuf *eb);

#endif

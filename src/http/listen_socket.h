/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_LISTEN_SOCKET_H
#define SF_HTTP_LISTEN_SOCKET_H

#include "base/err.h"

/* A listening TCP socket on an IPv4 or IPv6 address, that does not block; port 0 is any free one.
 * SF_ECONFIG: not an address; SF_EIO: taken, or not this machine's. The caller closes *out. */
SF_MUST_USE enum sf_err listen_socket_open(const char *ip, uint16_t port, int *out,
                                           uint16_t *bound_port, struct sf_errbuf *eb);

#endif

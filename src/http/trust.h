/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_TRUST_H
#define SF_HTTP_TRUST_H

/* Whom all connections to other servers trust, https:// and wss:// alike: a PEM file of
 * certificates instead of the system's; "" the system's. Once, before the first connection; the
 * text is copied. */
void http_trust(const char *ca_file);
const char *http_trusted(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_TLS_H
#define SF_MINER_ADMIN_TLS_H

#include "conf/conf.h"

/* The texts of admin.tls_certificate and admin.tls_key; NULL both without TLS. */
struct admin_tls {
    char *certificate, *key;
    int64_t ends; /* the certificate, in seconds since 1970 */
};

/* SF_ECONFIG, SF_ENOTFOUND, SF_EIO: cause and remedy in `eb`. To be fini'd in any case. */
SF_MUST_USE enum sf_err admin_tls_read(const struct conf *conf, struct admin_tls *out,
                                       struct sf_errbuf *eb);
/* Says it in the log when the key's file can be read by others than its owner and group, and when
 * the certificate has ended or will within a week. */
void admin_tls_warn(const struct conf *conf, const struct admin_tls *t);
void admin_tls_fini(struct admin_tls *t); /* wipes the key */

#endif

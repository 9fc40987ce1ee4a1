/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_TRUSTED_HOST_H
#define SF_MINER_TRUSTED_HOST_H

#include "http/server.h"

/* By which names the admin listener may be asked: a page elsewhere must not reach it by a name that
 * its owner points here (DNS rebinding), nor from its own origin. */
struct trusted_hosts {
    bool any_address;       /* IP addresses are fine too: nobody can point one somewhere else */
    const char *public_url; /* "https://miner.example.org" of a proxy in front; "" none */
    const char *const *names;
    size_t n_names;
};

/* "rig.lan:8099", "[::1]:8099": this machine's own names, an address where they are allowed, the
 * names, and the public URL's. */
bool trusted_host(const struct trusted_hosts *t, struct sf_str authority);
/* Host is trusted, and Origin, if any, is the same place or the public URL. */
bool trusted_request(const struct trusted_hosts *t, const struct http_request *r);
/* The authority of "https://HOST:PORT/…"; empty when it is no URL. */
struct sf_str url_authority(struct sf_str url);

#endif

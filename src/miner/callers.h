/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_CALLERS_H
#define SF_MINER_CALLERS_H

#include "bittensor/metagraph.h"
#include "conf/conf.h"

/* Who may ask: the subnet's registered hotkeys as the last metagraph had them, the operator's
 * lists, and how often each address and each hotkey may ask. Hotkeys travel in clear, so before the
 * signature nothing is counted or remembered of a hotkey; what is counted sits in tables of fixed
 * size. All calls are thread-safe and block on nothing but a short lock. */
struct callers;

/* Keeps a reference of `conf`. SF_ENOMEM. */
SF_MUST_USE enum sf_err callers_open(const struct conf *conf, sf_ms max_stale_ms,
                                     struct callers **out);
void callers_close(struct callers *c);

/* Another configuration from here on: lists, limits, options. Counters stay. Out of memory keeps
 * the old one, said in the log. */
void callers_configure(struct callers *c, const struct conf *conf);

/* A metagraph takes over: what is in *graph_own becomes the callers', *graph_own is left empty.
 * `read_at` is when the chain was asked, on the monotonic clock (of one from disk: now less its
 * age); beyond max_stale_ms from then it is stale. Out of memory keeps the old one. */
void callers_update(struct callers *c, struct metagraph *graph_own, struct sf_time read_at);

/* ---- the gates, in the order in which a request meets them -------------------------------------
 * SF_OK, SF_ETOOMANY (429) or SF_EFORBIDDEN (403) with the reason in words. */

/* Whether a new connection is taken in, which is counted like a request of that address; `crowded`
 * leaves the rest to addresses that a verified request came from lately. */
bool callers_may_connect(struct callers *c, const char *ip, bool crowded);
/* Says that one did. */
void callers_verified(struct callers *c, const char *ip);
/* By the peer's address alone; counts the request. */
SF_MUST_USE enum sf_err callers_check_address(struct callers *c, const char *ip,
                                              struct sf_errbuf *eb);
/* By the hotkey that the request claims, before its signature: changes nothing. */
SF_MUST_USE enum sf_err callers_check_denied(struct callers *c, const uint8_t hotkey[static 32],
                                             struct sf_errbuf *eb);
SF_MUST_USE enum sf_err callers_check_registered(struct callers *c, const uint8_t hotkey[static 32],
                                                 struct sf_errbuf *eb);
/* By the verified hotkey: counts the request. */
SF_MUST_USE enum sf_err callers_check_rate(struct callers *c, const uint8_t hotkey[static 32],
                                           struct sf_errbuf *eb);
/* Validator permit and stake; *stake_tao gets the stake, 0 when it is not known. */
SF_MUST_USE enum sf_err callers_check_standing(struct callers *c, const uint8_t hotkey[static 32],
                                               double *stake_tao, struct sf_errbuf *eb);

/* Who somebody is whose signature verified, by the last metagraph. */
enum caller_standing {
    STANDING_UNVERIFIED, /* refused before that: whoever they say they are */
    STANDING_UNKNOWN,    /* there is no metagraph */
    STANDING_UNREGISTERED,
    STANDING_REGISTERED,
    STANDING_VALIDATOR, /* with a permit */
    STANDING_GUEST,     /* never of a hotkey: came through another door (guest.h) */
};
enum caller_standing callers_standing(struct callers *c, const uint8_t hotkey[static 32]);

/* ---- for people ------------------------------------------------------------------------------ */

enum callers_state {
    CALLERS_OPEN,  /* no metagraph: whoever signs is answered; of an allow list, if any, only those
                    */
    CALLERS_FRESH, /* registered hotkeys */
    CALLERS_STALE, /* as blacklist.when_stale says */
};
struct callers_status {
    enum callers_state state;
    const char *text; /* what that means, one line; borrowed, static */
    size_t registered;
    sf_ms age_ms; /* of the metagraph; -1 none */
};
void callers_status(struct callers *c, struct callers_status *out);

#endif

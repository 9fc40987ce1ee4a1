/* SPDX-License-Identifier: MIT */
#include "app/doctor_network.h"

#include <string.h>

#define BEHIND_MS 4000
#define LAG_MS 120000
#define AHEAD_MS 600000

void doctor_judge_block_time(struct doctor_report *r, int64_t block_ms, int64_t now_ms)
{
    static const char ntp[] =
        "set the clock by NTP: timedatectl set-ntp true; validators' requests "
        "are refused with 401 when it is off by 4 s";
    int64_t age = now_ms - block_ms;
    if (block_ms == 0) {
        doctor_say(r, GEN_CHECK_WARN, "clock", "",
                   "not checked: the chain's last block has no time");
    } else if (age < -BEHIND_MS) {
        doctor_say(r, GEN_CHECK_FAIL, "clock", ntp, "skewed: at least %lld s behind the chain's",
                   (long long)-age / 1000);
    } else if (age > AHEAD_MS) {
        doctor_say(
            r, GEN_CHECK_FAIL, "clock", ntp,
            "skewed: the chain's last finalized block is %lld s old, so this clock is ahead; "
            "or the node lags (compare with another --subtensor.chain_endpoint)",
            (long long)age / 1000);
    } else if (age > LAG_MS) {
        doctor_say(r, GEN_CHECK_WARN, "clock", ntp,
                   "the chain's last finalized block is %lld s old: this clock is ahead, or the "
                   "node lags",
                   (long long)age / 1000);
    } else {
        doctor_say(r, GEN_CHECK_OK, "clock", "",
                   "agrees with the chain: its last finalized block is %lld s old",
                   (long long)age / 1000);
    }
}

/* Nothing took the connection. */
static void judge_closed(struct doctor_report *r, const struct doctor_reach *x)
{
    static const char *const how[] = {[REACH_SILENT] = "no answer within 5 s",
                                      [REACH_REFUSED] = "refused",
                                      [REACH_NO_WAY] = "no way there from here"};
    if (x->own_address && !x->miner_runs) {
        doctor_say(r, GEN_CHECK_FAIL, "reached", "start the miner: storyfi miner",
                   "%s: %s: the port is closed, nothing listens there", x->where, how[x->tcp]);
    } else if (x->own_address) {
        doctor_say(r, GEN_CHECK_FAIL, "reached",
                   "let the port in: ufw allow PORT/tcp, nft, or the provider's firewall; and see "
                   "that axon.ip is 0.0.0.0",
                   "%s: %s: the port is closed though the miner runs (a firewall, or it listens on "
                   "another address)",
                   x->where, how[x->tcp]);
    } else {
        doctor_say(r, GEN_CHECK_WARN, "reached",
                   "forward the port in the router to this machine; then look from outside: nc -vz "
                   "ADDRESS PORT",
                   "%s: %s. The address is not this machine's own: it is behind NAT, and from "
                   "inside that may fail although it works from outside",
                   x->where, how[x->tcp]);
    }
}

static void judge_stranger(struct doctor_report *r, const struct doctor_reach *x)
{
    if (x->axon_hotkey[0] == '\0') {
        doctor_say(r, GEN_CHECK_FAIL, "reached",
                   "see what listens (ss -ltnp), and where the router forwards the port to",
                   "%s: something answers that is no axon%s%.100s", x->where,
                   x->message[0] == '\0' ? "" : ": ", x->message);
    } else {
        doctor_say(
            r, GEN_CHECK_FAIL, "reached",
            "another miner has the port, or the router forwards it elsewhere: give each miner "
            "its own --axon.port",
            "%s: an axon answers, but with the hotkey %s", x->where, x->axon_hotkey);
    }
}

static const struct {
    int status;
    enum gen_verdict verdict;
    const char *text, *remedy;
} answers[] = {
    {200, GEN_CHECK_OK, "reached, and the signed ping is answered", ""},
    {401, GEN_CHECK_FAIL, "reached, but the signature is refused",
     "a skewed clock is the usual cause: timedatectl set-ntp true"},
    {403, GEN_CHECK_OK, "reached; this caller is refused by the owner's lists", ""},
    {429, GEN_CHECK_OK, "reached; this caller asked too often", ""},
};

void doctor_judge_reach(struct doctor_report *r, const struct doctor_reach *x, const char *hotkey)
{
    if (x->tcp != REACH_OPEN) {
        judge_closed(r, x);
        return;
    }
    if (strcmp(x->axon_hotkey, hotkey) != 0) {
        judge_stranger(r, x);
        return;
    }
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].status == x->status) {
            bool told = x->status != 200 && x->message[0] != '\0';
            doctor_say(r, answers[i].verdict, "reached", answers[i].remedy, "%s: %s%s%.100s",
                       x->where, answers[i].text, told ? ": " : "", told ? x->message : "");
            return;
        }
    }
    doctor_say(r, GEN_CHECK_WARN, "reached", "the miner's log says more", "%s: HTTP %d: %.120s",
               x->where, x->status, x->message);
}

/* SPDX-License-Identifier: MIT */
#include "app/doctor_network.h"

#include "app/dendrite.h"
#include "app/own_address.h"
#include "base/file.h"
#include "base/mem.h"
#include "bittensor/external_ip.h"
#include "bittensor/wallet.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHAIN_MS 20000
#define CONNECT_MS 5000
#define PING_SECONDS 10

struct look {
    struct doctor_report *r;
    const struct conf *conf;
    const struct doctor_miner *m;
    const struct wallet_unlock *unlock;
    char hotkey[SS58_MAX];
    uint8_t key[SS58_KEY_LEN];
    struct chain_registration reg;
    struct axon_info wanted; /* ip_type 0: not known */
};

/* ---- who we are ------------------------------------------------------------------------------ */

static bool find_hotkey(struct look *l)
{
    struct wallet_names w = {l->conf->wallet.path, l->conf->wallet.name, l->conf->wallet.hotkey};
    struct sf_errbuf eb = {.code = SF_OK};
    const char *running = l->m->runs ? json_get_string(l->m->status, "hotkey") : NULL;
    enum sf_err err = wallet_read_address(&w, l->hotkey, &eb);
    if (err == SF_OK) {
        err = ss58_decode(sf_str(l->hotkey), l->key, &eb);
    }
    if (err != SF_OK) {
        doctor_say(l->r, GEN_CHECK_FAIL, "hotkey",
                   "name yours: --wallet.path, --wallet.name, --wallet.hotkey", "%.250s",
                   sf_err_text(&eb, err));
        return false;
    }
    if (running != NULL && strcmp(running, l->hotkey) != 0) {
        doctor_say(l->r, GEN_CHECK_FAIL, "hotkey",
                   "ask with the miner's own configuration and --wallet flags",
                   "the miner here answers as %.60s, this configuration's hotkey is %s", running,
                   l->hotkey);
        return false;
    }
    return true;
}

/* ---- what the chain says --------------------------------------------------------------------- */

static bool ask_chain(struct look *l)
{
    struct networks_choice nodes;
    struct chain_versions versions;
    struct chain_client *chain = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_time deadline = sf_after(sf_now(), CHAIN_MS);
    const struct conf_subtensor *s = &l->conf->subtensor;
    enum sf_err err = networks_choose(s->network, s->chain_endpoint, &nodes, &eb);
    if (err == SF_OK) {
        err = chain_client_open(&(struct chain_client_options){.nodes = &nodes}, &chain, &eb);
    }
    if (err == SF_OK) {
        err = chain_client_versions(chain, deadline, &versions, &eb);
    }
    if (err == SF_OK) {
        err = chain_client_registration(chain, (uint16_t)l->conf->netuid, l->key, deadline, &l->reg,
                                        &eb);
    }
    if (err == SF_OK) {
        doctor_say(l->r, GEN_CHECK_OK, "chain", "", "%.60s at %.120s, block %llu", versions.chain,
                   chain_client_endpoint(chain), (unsigned long long)l->reg.block);
        doctor_judge_block_time(l->r, versions.block_time_ms, sf_wall_ns() / 1000000);
    } else {
        doctor_say(
            l->r, GEN_CHECK_FAIL, "chain",
            "check --subtensor.network and --subtensor.chain_endpoint, and that this machine "
            "reaches the Internet",
            "%.250s", sf_err_text(&eb, err));
    }
    chain_client_close(chain);
    return err == SF_OK;
}

static bool judge_registration(struct look *l)
{
    char command[AXON_COMMAND_MAX];
    unsigned netuid = (unsigned)l->conf->netuid;
    if (!l->reg.subnet_exists) {
        doctor_say(l->r, GEN_CHECK_FAIL, "registered", "check --netuid and --subtensor.network",
                   "the chain has no subnet %u", netuid);
    } else if (!l->reg.registered) {
        axon_register_command(l->conf, command);
        doctor_say(l->r, GEN_CHECK_FAIL, "registered", command, "%s is not registered on subnet %u",
                   l->hotkey, netuid);
    } else {
        doctor_say(l->r, GEN_CHECK_OK, "registered", "", "uid %u on subnet %u", l->reg.uid, netuid);
    }
    return l->reg.subnet_exists && l->reg.registered;
}

static bool judge_announced(struct look *l)
{
    static const char remedy[] =
        "the running miner announces it by itself (storyfi status says what "
        "is in the way); by hand: storyfi chain serve";
    char text[AXON_TEXT_MAX];
    const struct axon_info *a = &l->reg.axon;
    enum ip_kind kind = external_ip_kind(a);
    axon_text(a, text);
    if (!l->reg.served || text[0] == '\0') {
        doctor_say(l->r, GEN_CHECK_FAIL, "announced", remedy,
                   "the chain does not know where this axon listens");
        return false;
    }
    if (kind == IP_UNSPECIFIED) {
        doctor_say(l->r, GEN_CHECK_FAIL, "announced", remedy,
                   "the chain has %s, which tells validators that nobody serves", text);
        return false;
    }
    doctor_say(l->r, kind == IP_PUBLIC ? GEN_CHECK_OK : GEN_CHECK_WARN, "announced",
               kind == IP_PUBLIC ? "" : "set --axon.external_ip to the public address",
               kind == IP_PUBLIC ? "%s since block %llu"
                                 : "%s since block %llu: no public address: validators outside "
                                   "cannot reach it",
               text, (unsigned long long)a->block);
    return true;
}

/* ---- what is here ---------------------------------------------------------------------------- */

static void judge_listener(struct look *l)
{
    bool offline = json_get_object(l->m->status, "network") == NULL;
    int64_t external = l->conf->axon.external_port;
    int64_t here = external != 0 ? external : l->m->axon_port;
    if (!l->m->runs) {
        doctor_say(l->r, GEN_CHECK_FAIL, "listener",
                   "start it: storyfi miner; or name its "
                   "--admin.port",
                   "no miner of ours runs here");
        return;
    }
    if (l->reg.served && here != l->reg.axon.port) {
        doctor_say(l->r, GEN_CHECK_FAIL, "listener",
                   "wait for the miner to announce its port, or set --axon.external_port where a "
                   "router forwards another one",
                   "wrong port: the chain has %u, the miner listens on %lld", l->reg.axon.port,
                   (long long)here);
        return;
    }
    if (offline) {
        doctor_say(l->r, GEN_CHECK_WARN, "listener", "start it without --offline",
                   "the miner here runs with --offline: it announces nothing");
        return;
    }
    doctor_say(l->r, GEN_CHECK_OK, "listener", "", "our miner (process %lld) listens on port %lld",
               (long long)l->m->pid, (long long)l->m->axon_port);
}

static void judge_address(struct look *l)
{
    struct sf_errbuf eb = {.code = SF_OK};
    char here[AXON_TEXT_MAX], there[AXON_TEXT_MAX];
    struct axon_info *w = &l->wanted;
    enum sf_err err = axon_address_find(l->conf, sf_after(sf_now(), CHAIN_MS), NULL, w, &eb);
    if (err != SF_OK) {
        w->ip_type = 0;
        doctor_say(l->r, err == SF_EINVAL ? GEN_CHECK_FAIL : GEN_CHECK_WARN, "address",
                   "set --axon.external_ip", "%.250s", sf_err_text(&eb, err));
        return;
    }
    axon_ip_print(w, here);
    axon_ip_print(&l->reg.axon, there);
    if (l->reg.served && strcmp(here, there) != 0) {
        doctor_say(l->r, GEN_CHECK_FAIL, "address",
                   "the running miner announces the right one by itself; by hand: storyfi chain "
                   "serve; if the chain is right, set --axon.external_ip",
                   "wrong IP: the chain has %s, this machine is reached at %s", there, here);
    } else {
        doctor_say(l->r, GEN_CHECK_OK, "address", "", "this machine is reached at %s (%s)", here,
                   l->conf->axon.external_ip[0] != '\0' ? "axon.external_ip"
                                                        : "services agree on it");
    }
}

/* ---- the way of a validator ------------------------------------------------------------------ */

/* 0 when the connection stands within the time, else the errno. */
static int connect_within(const struct addrinfo *to, int ms)
{
    int failed = 0;
    socklen_t n = sizeof failed;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (fd < 0) {
        return errno;
    }
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        failed = errno;
        if (failed == EINPROGRESS) {
            failed = poll(&p, 1, ms) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) == 0
                         ? failed
                         : ETIMEDOUT;
        }
    }
    (void)close(fd);
    return failed;
}

static void try_tcp(const struct axon_info *a, struct doctor_reach *x)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char ip[AXON_IP_MAX], service[8];
    axon_ip_print(a, ip);
    (void)snprintf(service, sizeof service, "%u", a->port);
    x->own_address = own_address(ip);
    x->tcp = REACH_NO_WAY;
    if (getaddrinfo(ip, service, &hints, &found) != 0) {
        return;
    }
    int failed = connect_within(found, CONNECT_MS);
    freeaddrinfo(found);
    x->tcp = failed == 0              ? REACH_OPEN
             : failed == ECONNREFUSED ? REACH_REFUSED
             : failed == ETIMEDOUT    ? REACH_SILENT
                                      : REACH_NO_WAY;
}

/* The hotkey itself is a caller that is registered; where it cannot be opened without asking
 * anybody, a key of the moment gets an answer as well. */
static void choose_key(const struct look *l, struct sr25519_keypair *key)
{
    struct wallet_names w = {l->conf->wallet.path, l->conf->wallet.name, l->conf->wallet.hotkey};
    if (wallet_open_key(&w, WALLET_HOTKEY, l->unlock, key, NULL, NULL) != SF_OK) {
        uint8_t seed[SR25519_SEED_LEN];
        sf_random(seed, sizeof seed);
        sr25519_from_seed(seed, key);
        sf_wipe(seed, sizeof seed);
    }
}

static void copy_header(const struct http_answer *answer, const char *name, char *out, size_t n)
{
    struct sf_str s = http_answer_header(answer, name);
    (void)snprintf(out, n, "%.*s", (int)(s.n < n ? s.n : 0), s.p == NULL ? "" : s.p);
}

static void try_ping(const struct look *l, struct doctor_reach *x)
{
    char ip[AXON_IP_MAX];
    struct sr25519_keypair key;
    struct http_answer answer;
    struct sf_errbuf eb = {.code = SF_OK};
    axon_ip_print(&l->reg.axon, ip);
    choose_key(l, &key);
    struct dendrite_request q = {.name = "Synapse",
                                 .ip = ip,
                                 .port = l->reg.axon.port,
                                 .axon_hotkey = l->hotkey,
                                 .key = &key,
                                 .timeout_seconds = PING_SECONDS};
    enum sf_err err = dendrite_call(&q, &answer, &eb);
    wallet_forget(&key);
    x->status = err == SF_OK ? answer.status : 0;
    if (err == SF_OK) {
        copy_header(&answer, "bt_header_axon_hotkey", x->axon_hotkey, sizeof x->axon_hotkey);
        copy_header(&answer, "bt_header_axon_status_message", x->message, sizeof x->message);
    } else {
        (void)snprintf(x->message, sizeof x->message, "%.150s", sf_err_text(&eb, err));
    }
    http_answer_fini(&answer);
}

static void judge_way(struct look *l)
{
    struct doctor_reach x = {.miner_runs = l->m->runs};
    axon_text(&l->reg.axon, x.where);
    try_tcp(&l->reg.axon, &x);
    if (x.tcp == REACH_OPEN) {
        try_ping(l, &x);
    }
    doctor_judge_reach(l->r, &x, l->hotkey);
}

void doctor_network(struct doctor_report *r, const struct conf *conf, const struct doctor_miner *m,
                    const struct wallet_unlock *unlock)
{
    struct look l = {.r = r, .conf = conf, .m = m, .unlock = unlock};
    doctor_area(r, "network");
    if (conf->netuid < 0) {
        doctor_say(r, GEN_CHECK_FAIL, "subnet", "give --netuid N, or set netuid in the file",
                   "not named");
        return;
    }
    if (!find_hotkey(&l) || !ask_chain(&l)) {
        return;
    }
    bool registered = judge_registration(&l);
    bool announced = registered && judge_announced(&l);
    judge_listener(&l);
    judge_address(&l);
    if (announced) {
        judge_way(&l);
    }
}

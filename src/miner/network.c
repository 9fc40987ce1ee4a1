/* SPDX-License-Identifier: MIT */
#include "miner/network.h"

#include "app/axon_address.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/external_ip.h"
#include "journal/journal.h"

#include <string.h>
#include <time.h>

#define TICK_MS 1000       /* how soon a new configuration is noticed */
#define FIRST_LOOK_MS 5000 /* until it is said that no node answers */
#define LOOK_MS 30000
#define SYNC_MS 60000
#define SERVE_MS 180000
#define ADDRESS_MS 30000
#define RETRY_MS 2000 /* and twice that after the next failure, … */
#define RETRY_MAX_MS 60000
#define REGISTER_MS 12000 /* one block */
#define BEHIND_MS 4000    /* what validators' requests survive */
#define AHEAD_MS 600000   /* a finalized block is half a minute old; nodes lag */

struct network {
    struct network_options o;
    struct chain_client *chain;
    char *path; /* the kept metagraph */
    pthread_t thread;
    atomic_bool stop, hurry; /* hurry: whatever is due later is due now */

    pthread_mutex_t lock; /* a leaf; of everything to the next blank line */
    pthread_cond_t changed;
    struct network_facts facts;
    uint16_t port; /* 0: nothing listens yet */

    /* The keeper's alone (before it starts: the opener's). */
    const struct conf *conf;        /* of this round */
    unsigned times[NETWORK_TOPICS]; /* a trouble was met in a row */
    struct sf_time look_at, sync_at, address_at, announce_at;
    unsigned absent; /* looks in a row that did not find the hotkey */
    struct axon_info wanted;
    struct axon_info said; /* the last one that a status line told of */
    bool unkept;           /* the last metagraph could not be written, which was said */
    bool kept;             /* the metagraph came from the disk, of this chain: */
    uint8_t kept_genesis[32];
    uint8_t genesis[32];
};

/* ---- saying ---------------------------------------------------------------------------------- */

static const struct {
    const char *title, *over;
} topics[NETWORK_TOPICS] = {
    [NETWORK_CHAIN] = {"the chain does not answer; requests are answered all the same",
                       "the chain answers again"},
    [NETWORK_CLOCK] = {"the clock differs from the chain's", "the clock agrees with the chain's"},
    [NETWORK_REGISTRATION] = {"the hotkey is not registered", "the hotkey is registered"},
    [NETWORK_ADDRESS] = {"validators outside may not reach this axon",
                         "the address to announce is a public one"},
    [NETWORK_ANNOUNCE] = {"the axon is not announced", "the axon is announced"},
    [NETWORK_METAGRAPH] = {"the metagraph was not read", "the metagraph is read again"},
};

/* Kept for /status at each time, in the log at the first (unless a status line told it), second,
 * fourth, … */
static void trouble(struct network *n, enum network_topic topic, const char *text, bool told)
{
    unsigned times = ++n->times[topic];
    (void)pthread_mutex_lock(&n->lock);
    (void)snprintf(n->facts.problems[topic], sizeof n->facts.problems[topic], "%s", text);
    (void)pthread_mutex_unlock(&n->lock);
    if ((times & (times - 1)) == 0 && !told) {
        log_event(LOG_WARN, LOG_SUBTENSOR, topics[topic].title, LOG_S("err", text),
                  LOG_I("times", times));
    }
}

static void solved(struct network *n, enum network_topic topic)
{
    if (n->times[topic] == 0) {
        return;
    }
    n->times[topic] = 0;
    (void)pthread_mutex_lock(&n->lock);
    n->facts.problems[topic][0] = '\0';
    (void)pthread_mutex_unlock(&n->lock);
    log_event(LOG_INFO, LOG_SUBTENSOR, topics[topic].over, LOG_S("endpoint", n->facts.endpoint));
}

static sf_ms backoff(unsigned times, sf_ms first, sf_ms most)
{
    sf_ms pause = first << (times < 20 ? times : 20);
    return pause < most ? pause : most;
}

static sf_ms retry_after(const struct network *n, enum network_topic topic)
{
    return backoff(n->times[topic] - 1, RETRY_MS, RETRY_MAX_MS);
}

/* ---- looking: nodes, clock, registration ------------------------------------------------------
 */

static void check_clock(struct network *n, int64_t block_time_ms)
{
    char text[256];
    int64_t age = sf_wall_ns() / 1000000 - block_time_ms;
    if (block_time_ms == 0 || (age > -BEHIND_MS && age < AHEAD_MS)) {
        solved(n, NETWORK_CLOCK);
        return;
    }
    (void)snprintf(text, sizeof text,
                   age < 0
                       ? "this machine's clock is at least %lld s behind the chain's: set it by "
                         "NTP (timedatectl set-ntp true), else signed requests are refused"
                       : "the last finalized block is %lld s old: this machine's clock is "
                         "ahead (set it by NTP: timedatectl set-ntp true), or the node lags",
                   (long long)(age < 0 ? -age : age) / 1000);
    trouble(n, NETWORK_CLOCK, text, false);
}

/* What was kept belongs to another chain: its hotkeys say nothing here. */
static void check_kept(struct network *n)
{
    struct metagraph none = {.netuid = (uint16_t)n->conf->netuid};
    if (!n->kept || memcmp(n->kept_genesis, n->genesis, sizeof n->genesis) == 0) {
        return;
    }
    n->kept = false;
    log_event(LOG_WARN, LOG_SUBTENSOR, "the kept metagraph is of another chain: thrown away",
              LOG_S("path", n->path));
    n->o.on_graph(n->o.arg, &none, sf_now());
    metagraph_fini(&none);
    (void)pthread_mutex_lock(&n->lock);
    n->facts.has_graph = n->facts.has_standing = n->facts.from_disk = false;
    (void)pthread_mutex_unlock(&n->lock);
}

static void say_registration(struct network *n, const struct chain_registration *r, bool first,
                             bool before)
{
    char text[AXON_COMMAND_MAX + 128], command[AXON_COMMAND_MAX];
    unsigned netuid = (unsigned)n->conf->netuid;
    if (r->registered) {
        n->absent = 0;
        solved(n, NETWORK_REGISTRATION);
        if (first || !before) {
            log_status("✅ Registered: uid %u on subnet %u", r->uid, netuid);
        }
        return;
    }
    axon_register_command(n->conf, command);
    if (r->subnet_exists) {
        (void)snprintf(text, sizeof text, "Not registered on subnet %u: register it with: %s",
                       netuid, command);
    } else {
        (void)snprintf(text, sizeof text,
                       "The chain has no subnet %u: check --netuid and --subtensor.network",
                       netuid);
    }
    n->absent++;
    if (first || before) {
        log_status("⚠️  %s", text);
    }
    trouble(n, NETWORK_REGISTRATION, text, first || before);
}

static void note_look(struct network *n, const struct chain_versions *v,
                      const struct chain_registration *r)
{
    struct network_facts *f = &n->facts;
    (void)pthread_mutex_lock(&n->lock);
    bool first = !f->looked, before = f->registered, away = !f->reached;
    memcpy(f->chain, v->chain, sizeof f->chain);
    (void)snprintf(f->endpoint, sizeof f->endpoint, "%s", chain_client_endpoint(n->chain));
    f->reached = f->looked = true;
    f->block = r->block;
    f->looked_at = sf_now();
    f->subnet_exists = r->subnet_exists;
    f->registered = r->registered;
    f->uid = r->uid;
    f->announced = r->served ? r->axon : (struct axon_info){.ip_type = 0};
    (void)pthread_mutex_unlock(&n->lock);
    solved(n, NETWORK_CHAIN);
    if (away) {
        log_status("✅ Chain: %s at %s, block %llu", v->chain, chain_client_endpoint(n->chain),
                   (unsigned long long)r->block);
    }
    say_registration(n, r, first, before);
}

static void look(struct network *n)
{
    struct chain_versions versions;
    struct chain_registration r;
    struct sf_errbuf eb = {.code = SF_OK};
    bool first = !n->facts.looked && n->times[NETWORK_CHAIN] == 0;
    struct sf_time deadline = sf_after(sf_now(), first ? FIRST_LOOK_MS : LOOK_MS);
    enum sf_err err = chain_client_versions(n->chain, deadline, &versions, &eb);
    if (err == SF_OK) {
        err = chain_client_registration(n->chain, (uint16_t)n->conf->netuid,
                                        n->o.key_own->public_key, deadline, &r, &eb);
    }
    if (err == SF_ECANCELED) {
        return;
    }
    if (err != SF_OK) {
        (void)pthread_mutex_lock(&n->lock);
        n->facts.reached = false;
        (void)pthread_mutex_unlock(&n->lock);
        if (first) {
            log_status("⚠️  Chain: %s; requests are answered meanwhile", sf_err_text(&eb, err));
        }
        trouble(n, NETWORK_CHAIN, sf_err_text(&eb, err), first);
        n->look_at = sf_after(sf_now(), retry_after(n, NETWORK_CHAIN));
        return;
    }
    memcpy(n->genesis, versions.genesis_hash, sizeof n->genesis);
    check_kept(n);
    check_clock(n, versions.block_time_ms);
    note_look(n, &versions, &r);
    sf_ms interval = n->conf->subtensor.sync_interval_ms;
    n->look_at =
        sf_after(sf_now(), r.registered ? interval : backoff(n->absent - 1, REGISTER_MS, interval));
}

/* ---- the metagraph --------------------------------------------------------------------------- */

static void record_standing(struct network *n, const struct network_facts *f)
{
    char hotkey[SS58_MAX];
    struct app *app = axon_take_app(n->o.axon);
    const struct metagraph_standing *s = &f->standing;
    bool known = f->has_standing;
    ss58_encode(n->o.key_own->public_key, hotkey);
    if (app_journal(app) != NULL) {
        journal_put_standing(
            app_journal(app),
            &(struct journal_standing){
                .wall_ns = sf_wall_ns(),
                .netuid = f->netuid,
                .block = (int64_t)f->graph_block,
                .hotkey = hotkey,
                .uid = known ? f->uid : -1,
                .stake_rao = known ? (int64_t)f->stake_rao : -1,
                .emission_rao = known ? (int64_t)s->emission_rao : -1,
                .incentive = known ? s->incentive : -1,
                .position = known ? (int64_t)s->position : -1,
                .miners = known ? (int64_t)s->miners : -1,
                .immunity_left_blocks = known && !f->lite ? (int64_t)s->immunity_left_blocks : -1});
    }
    app_close(app);
}

/* Facts of it first, then it belongs to whoever asks who may ask. */
static void hand_over(struct network *n, struct metagraph *g, struct sf_time read_at, bool disk)
{
    (void)pthread_mutex_lock(&n->lock);
    bool first = !n->facts.has_graph || n->facts.from_disk;
    network_facts_read(&n->facts, g, n->o.key_own->public_key);
    n->facts.from_disk = disk;
    n->facts.graph_read_at = read_at;
    struct network_facts f = n->facts;
    (void)pthread_mutex_unlock(&n->lock);
    n->o.on_graph(n->o.arg, g, read_at);
    metagraph_fini(g);
    if (disk) {
        log_status("✅ Metagraph: of the last run, block %llu, %zu neurons, %lld min old",
                   (unsigned long long)f.graph_block, f.neurons,
                   (long long)sf_between(read_at, sf_now()) / 60000);
        return;
    }
    if (first) {
        log_status("✅ Metagraph: block %llu, %zu neurons%s", (unsigned long long)f.graph_block,
                   f.neurons, f.lite ? " (from the fallback query)" : "");
    }
    record_standing(n, &f);
}

/* For the next start. A disk that does not take it is said once. */
static void keep_graph(struct network *n, const struct metagraph *g,
                       const struct metagraph_stamp *stamp)
{
    struct sf_errbuf eb = {.code = SF_OK};
    bool failed = metagraph_save(n->path, g, stamp, &eb) != SF_OK;
    if (failed && !n->unkept) {
        log_event(LOG_WARN, LOG_SUBTENSOR, "the metagraph cannot be kept for the next start",
                  LOG_S("path", n->path), LOG_ERR(&eb, SF_EIO));
    } else if (!failed && n->unkept) {
        log_event(LOG_WARN, LOG_SUBTENSOR, "the metagraph is kept again", LOG_S("path", n->path));
    }
    n->unkept = failed;
}

static void sync_graph(struct network *n)
{
    struct metagraph g;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_time read_at = sf_now();
    struct metagraph_stamp stamp = {.read_at_ms = sf_wall_ns() / 1000000};
    enum sf_err err = chain_client_metagraph(n->chain, (uint16_t)n->conf->netuid,
                                             sf_after(read_at, SYNC_MS), &g, &eb);
    if (err == SF_ECANCELED) {
        return;
    }
    if (err == SF_OK) {
        memcpy(stamp.genesis_hash, n->genesis, sizeof n->genesis);
        keep_graph(n, &g, &stamp);
        n->kept = false;
        solved(n, NETWORK_METAGRAPH);
        hand_over(n, &g, read_at, false);
        n->sync_at = sf_after(read_at, n->conf->subtensor.sync_interval_ms);
    } else {
        trouble(n, NETWORK_METAGRAPH, sf_err_text(&eb, err), false);
        n->sync_at = sf_after(sf_now(), retry_after(n, NETWORK_METAGRAPH));
    }
}

/* What the last run kept; without it the miner starts all the same. */
static void load_kept(struct network *n)
{
    struct metagraph g;
    struct metagraph_stamp stamp;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = metagraph_load(n->path, (uint16_t)n->conf->netuid, &g, &stamp, &eb);
    if (err == SF_OK) {
        sf_ms age = sf_wall_ns() / 1000000 - stamp.read_at_ms;
        if (age < 0) { /* a clock went back: nobody knows how old it is */
            age = n->conf->subtensor.max_stale_ms + 1;
        }
        n->kept = true;
        memcpy(n->kept_genesis, stamp.genesis_hash, sizeof n->kept_genesis);
        hand_over(n, &g, sf_after(sf_now(), -age), true);
    } else if (err != SF_ENOTFOUND) {
        log_event(LOG_WARN, LOG_SUBTENSOR, "the metagraph of the last run is not used",
                  LOG_S("path", n->path), LOG_ERR(&eb, err));
    }
}

/* ---- announcing ------------------------------------------------------------------------------ */

static void set_wanted(struct network *n, const struct axon_info *a)
{
    char text[AXON_TEXT_MAX], before[AXON_TEXT_MAX];
    if (axon_info_same(a, &n->wanted)) {
        return;
    }
    axon_text(a, text);
    axon_text(&n->wanted, before);
    if (before[0] != '\0') {
        log_event(LOG_WARN, LOG_SUBTENSOR, "the address has changed", LOG_S("from", before),
                  LOG_S("to", text));
    }
    n->wanted = *a;
    n->announce_at = sf_now();
    (void)pthread_mutex_lock(&n->lock);
    n->facts.wanted = *a;
    (void)pthread_mutex_unlock(&n->lock);
}

/* Where validators reach us. A known address stays when it cannot be asked for again. */
static void find_address(struct network *n, uint16_t port)
{
    struct axon_info a;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = axon_address_find(n->conf, sf_after(sf_now(), ADDRESS_MS), &n->stop, &a, &eb);
    sf_ms interval = n->conf->axon.external_ip_interval_ms;
    if (err == SF_ECANCELED) {
        return;
    }
    if (err != SF_OK) {
        trouble(n, NETWORK_ADDRESS, sf_err_text(&eb, err), false);
        n->address_at =
            sf_after(sf_now(), backoff(n->times[NETWORK_ADDRESS] - 1, RETRY_MS, interval));
        return;
    }
    a.port = a.port != 0 ? a.port : port;
    n->address_at = sf_after(sf_now(), interval);
    if (external_ip_check(&a, &eb) != SF_OK) { /* given so: announced, and said */
        trouble(n, NETWORK_ADDRESS, eb.text, false);
    } else {
        solved(n, NETWORK_ADDRESS);
    }
    set_wanted(n, &a);
}

static void announced(struct network *n, const struct chain_served *done)
{
    char text[AXON_TEXT_MAX];
    axon_text(&n->wanted, text);
    (void)pthread_mutex_lock(&n->lock);
    n->facts.announced = n->wanted;
    n->facts.announced.block = done->block;
    (void)pthread_mutex_unlock(&n->lock);
    solved(n, NETWORK_ANNOUNCE);
    n->said = n->wanted;
    log_status("✅ Announced: %s, in block %llu", text, (unsigned long long)done->block);
}

static void announce(struct network *n)
{
    struct chain_served done;
    struct sf_errbuf eb = {.code = SF_OK};
    sf_ms interval = n->conf->subtensor.sync_interval_ms;
    struct chain_serve s = {.netuid = (uint16_t)n->conf->netuid,
                            .axon = n->wanted,
                            .certificate = SF_STR(""),
                            .key = n->o.key_own,
                            .deadline = sf_after(sf_now(), SERVE_MS)};
    enum sf_err err = chain_client_serve(n->chain, &s, &done, &eb);
    if (err == SF_ECANCELED) {
        return;
    }
    if (err == SF_OK) {
        announced(n, &done);
        return;
    }
    trouble(n, NETWORK_ANNOUNCE, sf_err_text(&eb, err), false);
    sf_ms pause = backoff(n->times[NETWORK_ANNOUNCE] - 1, REGISTER_MS, interval);
    if (err == SF_ERATE && eb.retry_after_ms > 0) {
        pause = eb.retry_after_ms < interval ? eb.retry_after_ms : interval;
    }
    n->announce_at = sf_after(sf_now(), pause);
    n->look_at = sf_earlier(n->look_at, n->announce_at); /* what it fails for may show there */
}

/* Sends only what the chain has not. */
static void compare_and_announce(struct network *n)
{
    char text[AXON_TEXT_MAX];
    if (!axon_info_same(&n->facts.announced, &n->wanted)) {
        if (sf_until(n->announce_at) <= 0) {
            announce(n);
        }
        return;
    }
    solved(n, NETWORK_ANNOUNCE);
    if (!axon_info_same(&n->said, &n->wanted)) {
        n->said = n->wanted;
        axon_text(&n->wanted, text);
        log_status("✅ Announced: %s, as block %llu has it already", text,
                   (unsigned long long)n->facts.announced.block);
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_due(struct sf_time t)
{
    return sf_until(t) <= 0;
}

static void take_conf(struct network *n)
{
    struct app *app = axon_take_app(n->o.axon);
    const struct conf *conf = app_conf(app);
    bool fresh = conf != n->conf;
    if (fresh) {
        conf_unref(n->conf);
        n->conf = conf_ref(conf);
    }
    if (atomic_exchange(&n->hurry, false) || fresh) {
        n->address_at = n->announce_at = n->look_at = n->sync_at = sf_now();
    }
    app_close(app);
}

static void do_what_is_due(struct network *n)
{
    take_conf(n);
    if (is_due(n->look_at)) {
        look(n);
    }
    (void)pthread_mutex_lock(&n->lock);
    bool reached = n->facts.reached, subnet = n->facts.subnet_exists;
    bool registered = n->facts.registered;
    uint16_t port = n->port;
    (void)pthread_mutex_unlock(&n->lock);
    if (reached && subnet && is_due(n->sync_at) && !atomic_load(&n->stop)) {
        sync_graph(n);
    }
    if (!registered || port == 0 || atomic_load(&n->stop)) {
        return;
    }
    if (is_due(n->address_at)) {
        find_address(n, port);
    }
    if (reached && n->wanted.ip_type != 0 && !atomic_load(&n->stop)) {
        compare_and_announce(n);
    }
}

static struct sf_time next_time(const struct network *n)
{
    struct sf_time next = sf_earlier(n->look_at, sf_after(sf_now(), TICK_MS));
    bool syncs = n->facts.reached && n->facts.subnet_exists;
    next = sf_earlier(next, syncs ? n->sync_at : SF_NEVER);
    if (n->facts.registered && n->port != 0) {
        next = sf_earlier(next, n->address_at);
    }
    return next;
}

static void wait_a_while(struct network *n)
{
    struct timespec until;
    (void)pthread_mutex_lock(&n->lock);
    sf_ms left = sf_until(next_time(n));
    left = left < 10 ? 10 : left;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + left * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    if (!atomic_load(&n->stop)) {
        (void)pthread_cond_timedwait(&n->changed, &n->lock, &until);
    }
    (void)pthread_mutex_unlock(&n->lock);
}

static void *run(void *arg)
{
    struct network *n = arg;
    while (!atomic_load(&n->stop)) {
        do_what_is_due(n);
        wait_a_while(n);
    }
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum sf_err open_chain(struct network *n, struct sf_errbuf *eb)
{
    struct networks_choice nodes;
    const struct conf_subtensor *s = &n->conf->subtensor;
    enum sf_err err = networks_choose(s->network, s->chain_endpoint, &nodes, eb);
    if (err != SF_OK) {
        return err;
    }
    (void)snprintf(n->facts.endpoint, sizeof n->facts.endpoint, "%s", nodes.endpoints[0]);
    struct chain_client_options o = {.nodes = &nodes, .cancel = &n->stop};
    return chain_client_open(&o, &n->chain, eb);
}

static enum sf_err open_file(struct network *n)
{
    char name[64];
    (void)snprintf(name, sizeof name, "metagraph-%lld.scale", (long long)n->conf->netuid);
    n->path = sf_path_join(n->conf->state_dir, name);
    return n->path == NULL ? SF_ENOMEM : SF_OK;
}

static void destroy(struct network *n)
{
    chain_client_close(n->chain);
    crypto_secret_free(n->o.key_own), n->o.key_own = NULL;
    conf_unref(n->conf);
    free(n->path);
    (void)pthread_cond_destroy(&n->changed);
    (void)pthread_mutex_destroy(&n->lock);
    free(n);
}

static struct network *make(const struct network_options *o)
{
    pthread_condattr_t monotonic;
    struct network *n = sf_alloc(sizeof *n);
    if (n == NULL) {
        crypto_secret_free(o->key_own);
        return NULL;
    }
    n->o = *o;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&n->lock, NULL);
    (void)pthread_cond_init(&n->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    take_conf(n);
    n->facts.netuid = n->conf->netuid;
    return n;
}

enum sf_err network_open(const struct network_options *o, struct network **out,
                         struct sf_errbuf *eb)
{
    struct network *n = make(o);
    if (n == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = open_chain(n, eb);
    if (err == SF_OK) {
        err = open_file(n);
    }
    if (err == SF_OK) {
        load_kept(n);
        err = pthread_create(&n->thread, NULL, run, n) == 0 ? SF_OK : SF_ENOMEM;
    }
    if (err != SF_OK) {
        destroy(n);
        return err;
    }
    *out = n;
    return SF_OK;
}

void network_listening(struct network *n, uint16_t port)
{
    (void)pthread_mutex_lock(&n->lock);
    n->port = port;
    (void)pthread_cond_signal(&n->changed);
    (void)pthread_mutex_unlock(&n->lock);
}

void network_read(struct network *n, struct network_facts *out)
{
    (void)pthread_mutex_lock(&n->lock);
    *out = n->facts;
    (void)pthread_mutex_unlock(&n->lock);
}

void network_hurry(struct network *n)
{
    atomic_store(&n->hurry, true);
}

json_t *network_json(struct network *n)
{
    struct network_facts f;
    struct app *app = axon_take_app(n->o.axon);
    sf_ms max_stale_ms = app_conf(app)->subtensor.max_stale_ms;
    app_close(app);
    network_read(n, &f);
    return network_facts_json(&f, max_stale_ms);
}

void network_close(struct network *n)
{
    if (n == NULL) {
        return;
    }
    atomic_store(&n->stop, true);
    (void)pthread_mutex_lock(&n->lock);
    (void)pthread_cond_signal(&n->changed);
    (void)pthread_mutex_unlock(&n->lock);
    (void)pthread_join(n->thread, NULL);
    destroy(n);
}

/* SPDX-License-Identifier: MIT */
#include "miner/miner.h"

#include "app/ledger.h"
#include "app/own_address.h"
#include "base/log.h"
#include "bittensor/crypto.h"
#include "bittensor/wallet.h"
#include "miner/admin.h"
#include "miner/gates.h"
#include "miner/lifecycle.h"
#include "miner/lock_file.h"
#include "miner/network.h"
#include "miner/workers.h"

#include <string.h>
#include <unistd.h>

#define GUESTS_AT_WORK 2 /* of those that are no validators (guest.h) */

struct miner {
    struct axon axon;
    struct admin admin;
    struct http_server *axon_server;
    struct workers *workers;
    struct lifecycle life;
    struct sr25519_keypair *key; /* NULL offline, and once it is the network's */
    struct network *network;     /* NULL offline */
    struct model_desk *models;
    int lock_fd;
    char axon_ip[64];
};

/* ---- opening --------------------------------------------------------------------------------- */

/* Without a chain the miner signs nothing: the address is all it needs, and an encrypted keyfile
 * stays closed. */
static enum sf_err read_offline(const struct wallet_names *w, struct wallet_found *found,
                                struct miner *m, struct sf_errbuf *eb)
{
    struct sr25519_keypair key;
    enum sf_err err = wallet_open_key(w, WALLET_HOTKEY, NULL, &key, found, eb);
    if (err == SF_OK) {
        ss58_encode(key.public_key, m->axon.me.hotkey);
        wallet_forget(&key);
    } else if (found->kind != VAULT_PLAIN) {
        err = wallet_read_address(w, m->axon.me.hotkey, eb);
    }
    return err;
}

/* The keeper signs with it whenever the address changes. */
static enum sf_err open_key(const struct wallet_names *w, const struct wallet_unlock *unlock,
                            struct wallet_found *found, struct miner *m, struct sf_errbuf *eb)
{
    m->key = crypto_secret_alloc(sizeof *m->key);
    if (m->key == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = wallet_open_key(w, WALLET_HOTKEY, unlock, m->key, found, eb);
    if (err == SF_OK) {
        ss58_encode(m->key->public_key, m->axon.me.hotkey);
    }
    return err;
}

static enum sf_err open_identity(struct miner *m, const struct miner_options *o,
                                 struct sf_errbuf *eb)
{
    const struct conf_wallet *c = &o->conf->wallet;
    struct wallet_names w = {c->path, c->name, c->hotkey};
    struct wallet_found found = {.kind = VAULT_PLAIN};
    enum sf_err err =
        o->conf->offline ? read_offline(&w, &found, m, eb) : open_key(&w, o->unlock, &found, m, eb);
    if (err != SF_OK) {
        return err;
    }
    synapse_uuid(m->axon.me.uuid);
    if (found.readable_by_others) {
        log_event(LOG_WARN, LOG_WALLET, "hotkey file can be read by others",
                  LOG_S("hotkey", w.hotkey), LOG_S("remedy", "chmod 600 the file"));
    }
    return SF_OK;
}

static enum sf_err open_nonces(struct miner *m, const struct conf *conf)
{
    struct nonce_options o = nonce_options_default();
    o.slack_ns = conf->axon.nonce_window_ms * 1000000;
    o.future_ns = conf->axon.nonce_future_ms * 1000000;
    o.max_callers = (size_t)conf->axon.max_nonces;
    return nonce_table_open(&o, &m->axon.nonces);
}

/* Before the admin listener, which shows it, is there. */
static void choose_axon_ip(struct miner *m, const struct conf *conf)
{
    (void)snprintf(m->axon_ip, sizeof m->axon_ip, "%s",
                   strcmp(conf->axon.ip, "[::]") == 0 ? "0.0.0.0" : conf->axon.ip);
    if (!own_address(m->axon_ip)) {
        log_event(LOG_WARN, LOG_AXON, "axon.ip is no address of this machine; listening on all",
                  LOG_S("ip", m->axon_ip),
                  LOG_S("remedy", "name a public address with --axon.external_ip"));
        memcpy(m->axon_ip, "0.0.0.0", 8);
    }
    m->admin.axon_ip = m->axon_ip;
}

static enum sf_err open_axon(struct miner *m, const struct conf *conf, struct sf_errbuf *eb)
{
    struct http_server_options o = http_server_options_default();
    o.ip = m->axon_ip;
    o.port = (uint16_t)conf->axon.port;
    o.max_connections = (unsigned)conf->axon.max_connections;
    o.max_connections_per_ip = (unsigned)conf->axon.max_connections_per_ip;
    o.max_body_bytes = (size_t)conf->axon.max_body_bytes;
    o.head_timeout_ms = conf->axon.head_timeout_ms;
    o.body_timeout_ms = conf->axon.body_timeout_ms;
    o.handler = axon_handle;
    o.judge = gates_judge;
    o.accept = gates_may_connect;
    m->axon.crowded_at = o.max_connections - o.max_connections / 4;
    o.arg = &m->axon;
    enum sf_err err = http_server_open(&o, &m->axon_server, eb);
    if (err == SF_OK) {
        uint16_t port = http_server_port(m->axon_server);
        atomic_store(&m->admin.axon_port, port);
        atomic_store(&m->admin.serving, true);
        log_status("✅ Axon: %s:%u, hotkey %s", m->axon_ip, port, m->axon.me.hotkey);
        if (m->network != NULL) {
            network_listening(m->network, port);
        }
    }
    return err;
}

static void take_graph(void *arg, struct metagraph *graph, struct sf_time read_at)
{
    callers_update(arg, graph, read_at);
}

static void hurry(void *arg)
{
    network_hurry(arg);
}

static enum sf_err open_network(struct miner *m, struct sf_errbuf *eb)
{
    struct network_options o = {
        .axon = &m->axon, .key_own = m->key, .on_graph = take_graph, .arg = m->axon.callers};
    m->key = NULL;
    enum sf_err err = network_open(&o, &m->network, eb);
    m->admin.network = m->network;
    m->life.on_jump = err == SF_OK ? hurry : NULL;
    m->life.jump_arg = m->network;
    return err;
}

static enum sf_err open_all(struct miner *m, const struct conf *conf, struct sf_errbuf *eb)
{
    struct app_options o = {.probes = true, .journal = APP_JOURNAL_SERVER};
    choose_axon_ip(m, conf);
    enum sf_err err = admin_check(conf, eb);
    if (err == SF_OK) {
        err = lock_file_take(conf->state_dir, m->axon.me.hotkey, &m->lock_fd, eb);
    }
    if (err == SF_OK) {
        err = open_nonces(m, conf);
    }
    if (err == SF_OK) {
        err = callers_open(conf, conf->subtensor.max_stale_ms, &m->axon.callers);
        m->axon.door = axon_door_metric();
    }
    if (err == SF_OK) {
        err = live_open(&m->axon.live);
    }
    if (err == SF_OK) {
        err = rates_open(&m->axon.rates);
    }
    if (err == SF_OK) {
        err = queue_open((size_t)conf->axon.queue_size, &m->axon.queue);
    }
    if (err == SF_OK) {
        err = app_open(conf, &o, &m->axon.app, eb);
    }
    if (err == SF_OK) {
        queue_limit_guests(m->axon.queue, GUESTS_AT_WORK);
        err = workers_open(&m->axon, (size_t)conf->axon.max_workers, &m->workers);
    }
    if (err == SF_OK) {
        err = model_desk_open(&m->axon, &m->models);
        m->admin.models = m->life.models = m->models;
    }
    if (err == SF_OK && !conf->offline) {
        err = open_network(m, eb);
    }
    return err == SF_OK ? admin_open(&m->admin, conf, eb) : err;
}

/* ---- running --------------------------------------------------------------------------------- */

static void close_all(struct miner *m)
{
    if (m->workers != NULL) {
        queue_drain(m->axon.queue);
        workers_close(m->workers);
    }
    http_server_close(m->axon_server);
    admin_close(&m->admin);
    network_close(m->network);
    crypto_secret_free(m->key);
    lifecycle_fini(&m->life);
    model_desk_close(m->models);
    app_close(m->axon.app);
    queue_close(m->axon.queue);
    live_close(m->axon.live);
    rates_close(m->axon.rates);
    callers_close(m->axon.callers);
    nonce_table_close(m->axon.nonces);
    if (m->lock_fd >= 0) {
        (void)close(m->lock_fd);
    }
    (void)pthread_mutex_destroy(&m->axon.lock);
}

enum sf_err miner_run(const struct miner_options *o, struct sf_errbuf *eb)
{
    struct miner m = {.lock_fd = -1, .axon_ip = ""};
    enum sf_err err = open_identity(&m, o, eb); /* may ask a person: before signals are held back */
    if (err != SF_OK) {
        crypto_secret_free(m.key);
        return err;
    }
    (void)pthread_mutex_init(&m.axon.lock, NULL);
    m.life = (struct lifecycle){.axon = &m.axon, .reload = o->reload};
    lifecycle_init(&m.life, o->conf); /* every thread inherits the mask */
    m.admin = (struct admin){.axon = &m.axon,
                             .started = sf_now(),
                             .axon_ip = "",
                             .reload = o->reload,
                             .unlock = o->unlock};
    err = open_all(&m, o->conf, eb);
    if (err == SF_OK && !lifecycle_wait_ready(&m.life)) {
        err = open_axon(&m, o->conf, eb);
        if (err == SF_OK) {
            lifecycle_serve(&m.life);
        }
    }
    if (err == SF_OK) {
        atomic_store(&m.admin.serving, false);
        lifecycle_finish(&m.life, m.axon_server);
    }
    close_all(&m);
    return err;
}

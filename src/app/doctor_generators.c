/* SPDX-License-Identifier: MIT */
#include "app/doctor.h"
#include "app/hops.h"
#include "app/models.h"
#include "base/mem.h"
#include "generator/local.h"
#include "generator/local_check.h"

#include <poll.h>
#include <string.h>

#define START_MS 10000 /* for kinds without a check of their own */

static bool has_failed(const struct gen_checks *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->list[i].verdict == GEN_CHECK_FAIL) {
            return true;
        }
    }
    return false;
}

/* The same generator of a running miner: NULL when it has none of this name. */
static const json_t *running(const struct doctor_miner *m, const struct generator *g)
{
    const json_t *list = m->runs ? json_get_array(m->status, "generators") : NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (sf_str_is(json_get_str(one, "name"), g->name) &&
            sf_str_is(json_get_str(one, "kind"), g->type->kind)) {
            return one;
        }
    }
    return NULL;
}

static void check_running(const json_t *one, int64_t pid, struct gen_checks *out)
{
    const char *state = json_get_string(one, "state"), *reason = json_get_string(one, "reason");
    bool down = state != NULL && strcmp(state, "down") == 0;
    bool ready = state != NULL && strcmp(state, "ready") == 0;
    gen_checks_add(out,
                   down    ? GEN_CHECK_FAIL
                   : ready ? GEN_CHECK_OK
                           : GEN_CHECK_WARN,
                   "running", ready ? "" : "storyfi status tells more",
                   "the miner that runs (process %lld) says: %s%s%.180s; not opened a second time",
                   (long long)pid, state == NULL ? "?" : state,
                   reason == NULL || reason[0] == '\0' ? "" : ", ", reason == NULL ? "" : reason);
}

/* Whatever kind it is: it is ready, or says why not. */
static void check_health(const struct generator *g, struct gen_checks *out)
{
    struct gen_health health = {.state = GEN_READY};
    struct sf_time until = sf_after(sf_now(), START_MS);
    for (;;) {
        g->type->health(g->ctx, &health);
        if (health.state != GEN_STARTING || sf_until(until) <= 0) {
            break;
        }
        (void)poll(NULL, 0, 50);
    }
    bool ready = health.state == GEN_READY;
    gen_checks_add(out,
                   ready                      ? GEN_CHECK_OK
                   : health.state == GEN_DOWN ? GEN_CHECK_FAIL
                                              : GEN_CHECK_WARN,
                   "state", "", "%.250s",
                   health.reason[0] != '\0' ? health.reason
                   : ready                  ? "ready"
                                            : "still starting");
}

static void check_open(const struct generator *g, const char *reason, struct gen_checks *out)
{
    if (g->ctx == NULL) {
        if (!has_failed(out)) { /* else the lines above say why */
            gen_checks_add(out, GEN_CHECK_FAIL, "usable", "", "%.250s", reason);
        }
    } else if (g->type->check != NULL) {
        g->type->check(g->ctx, out);
    } else if (g->type->health != NULL) {
        check_health(g, out);
    }
}

/* Opens the hop alone, as `--mode` would, and asks its kind. */
static void check_alone(const struct conf *conf, const struct generator *wanted,
                        struct gen_checks *out)
{
    struct gen_chain_hop *hops = sf_alloc(GEN_CHAIN_MAX * sizeof *hops);
    struct sf_errbuf eb = {.code = SF_OK};
    size_t n = 0;
    enum sf_err err = hops == NULL ? SF_ENOMEM : hops_open(conf, wanted->type->kind, hops, &n, &eb);
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
        found = strcmp(hops[i].generator.name, wanted->name) == 0;
        if (found) {
            check_open(&hops[i].generator, hops[i].reason, out);
        }
    }
    if (!found) {
        gen_checks_add(out, GEN_CHECK_FAIL, "usable", "", "%.250s", sf_err_text(&eb, err));
    }
    if (err == SF_OK) {
        hops_close(hops, n);
    }
    free(hops);
}

static void check_files(const struct conf *conf, bool loaded, struct gen_checks *out)
{
    struct model_place *place = sf_alloc(sizeof *place);
    struct machine m;
    if (place == NULL) {
        return;
    }
    model_find(conf, place);
    machine_read("", &m);
    local_check_place(&(struct local_place){.engine_path = place->engine_path,
                                            .lib_dir = place->lib_dir,
                                            .model_path = place->path,
                                            .device = conf->generator.local.device,
                                            .loaded = loaded},
                      &m, out);
    free(place);
}

/* What a second copy of would be too much beside the running one: models in memory. */
static bool is_heavy(const struct conf *conf, const struct generator *g)
{
    return g->type == &generator_local ||
           (strcmp(g->type->kind, "vllm") == 0 && conf->generator.vllm.spawn);
}

static void check_hop(struct doctor_report *r, const struct conf *conf, const struct generator *g,
                      const struct doctor_miner *m)
{
    char area[80];
    struct gen_checks *out = sf_alloc(sizeof *out);
    if (out == NULL) {
        return;
    }
    const json_t *one = is_heavy(conf, g) ? running(m, g) : NULL;
    if (g->type == &generator_local) {
        check_files(conf, one != NULL, out);
    }
    if (one != NULL) {
        check_running(one, m->pid, out);
    } else if (!has_failed(out)) {
        check_alone(conf, g, out);
    }
    (void)snprintf(area, sizeof area, "generator %.68s", g->name);
    doctor_area(r, area);
    doctor_add(r, out);
    free(out);
}

enum sf_err doctor_generators(struct doctor_report *r, const struct conf *conf, const char *only,
                              const struct doctor_miner *m, struct sf_errbuf *eb)
{
    struct gen_chain_hop *hops = sf_alloc(GEN_CHAIN_MAX * sizeof *hops);
    size_t n = 0;
    enum sf_err err = hops == NULL ? SF_ENOMEM : hops_list(conf, only, hops, &n, eb);
    for (size_t i = 0; i < n && err == SF_OK && !doctor_is_canceled(r); i++) {
        check_hop(r, conf, &hops[i].generator, m);
    }
    free(hops);
    return err;
}

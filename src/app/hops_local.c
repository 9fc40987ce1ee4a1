/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "app/model_devices.h"
#include "app/model_sizes.h"
#include "app/models.h"
#include "base/log.h"
#include "conf/environment.h"
#include "generator/local.h"
#include "generator/remote.h"

#include <string.h>

/* What a child may see of our environment. */
static const char *const engine_variables[] = {"PATH",         "HOME",         "LANG",
                                               "TMPDIR",       "CUDA_*",       "GGML_*",
                                               "STUB_LLAMA_*", "ASAN_OPTIONS", "TSAN_OPTIONS"};

/* What another machine's engine gets: the longest deadline there is, since it says nothing while it
 * writes. */
#define REMOTE_MS 60000
#define REMOTE_BYTES (4U << 20)
#define REMOTE_CALLS 64

/* The engine of another machine, behind its `storyfi serve`. */
static enum sf_err add_remote(struct hops *a, const struct conf_local *l)
{
    const char *token = NULL;
    struct gen_chain_hop *hop = hops_new(a, &generator_remote, "local", l->endpoint);
    if (hop == NULL || !hops_take_token(a, l->api_key_env, hop, &token)) {
        return SF_OK;
    }
    struct remote_options o = {.url = l->endpoint,
                               .token = token,
                               .timeout_ms = REMOTE_MS,
                               .max_output_bytes = REMOTE_BYTES,
                               .concurrency = REMOTE_CALLS};
    hop->progress_ms = REMOTE_MS + HOPS_TIMEOUT_SLACK_MS;
    return hops_open_one(hop, &o);
}

/* What every copy is told. */
static struct local_options options_for(const struct conf_local *l, const struct model_place *place)
{
    struct local_options o = {.engine = engine_options_default(),
                              .model_name = place->name,
                              .model_bytes = model_bytes(place->path),
                              .n_languages = place->n_languages,
                              .instruct = place->instruct,
                              .small = place->small,
                              .sequential = strcmp(l->compose, "sequential") == 0};
    memcpy(o.languages, place->languages, sizeof o.languages);
    o.engine.engine_path = place->engine_path;
    o.engine.lib_dir = place->lib_dir;
    o.engine.model_path = place->path;
    o.engine.threads = l->threads;
    o.engine.flash_attention = l->use_flash_attention;
    o.engine.stall_ms = l->stall_timeout_ms;
    o.engine.load_ms = l->load_timeout_ms;
    o.engine.temperature = l->temperature;
    o.engine.top_p = l->top_p;
    o.engine.prefix_cache_bytes = l->prefix_cache_bytes;
    return o;
}

/* The plan is made from what the devices have free now. */
static enum sf_err open_planned(struct hops *a, const struct model_place *place,
                                struct gen_chain_hop *hop, const char *const *environment)
{
    struct model_devices devices;
    struct model_sizes sizes;
    model_devices_read(a->conf, &devices);
    enum sf_err err = model_sizes_make(a->conf, place, &devices, &sizes);
    if (err == SF_OK && sizes.note[0] != '\0') {
        log_event(LOG_WARN, LOG_GENERATOR, "a GPU is left out", LOG_S("why", sizes.note));
    }
    if (err == SF_OK && !sizes.fits) {
        (void)snprintf(hop->reason, sizeof hop->reason, "%.60s %.130s: storyfi models recommend",
                       place->name, sizes.text);
        log_event(LOG_WARN, LOG_GENERATOR, "the model does not fit", LOG_S("model", place->name),
                  LOG_S("plan", sizes.text), LOG_S("note", sizes.note));
    } else if (err == SF_OK) {
        struct local_options o = options_for(&a->conf->generator.local, place);
        o.copies = sizes.copies;
        o.n_copies = sizes.n_copies;
        o.engine.environment = environment;
        err = hops_open_one(hop, &o);
    }
    model_sizes_fini(&sizes);
    return err;
}

enum sf_err hops_add_local(struct hops *a)
{
    const struct conf_local *l = &a->conf->generator.local;
    if (l->endpoint[0] != '\0') {
        return add_remote(a, l);
    }
    struct model_place place;
    model_find(a->conf, &place);
    struct gen_chain_hop *hop = hops_new(a, &generator_local, "local", place.name);
    if (hop == NULL) {
        return SF_OK;
    }
    if (hop->generator.ctx != NULL) {
        return SF_OK; /* only named */
    }
    char **environment = conf_environment_pick(engine_variables, COUNT(engine_variables), NULL);
    if (environment == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = open_planned(a, &place, hop, (const char *const *)environment);
    conf_environment_free(environment);
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "app/models.h"
#include "conf/environment.h"
#include "generator/local.h"
#include "generator/machine.h"
#include "generator/remote.h"

#include <string.h>
#include <sys/stat.h>

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

/* The weights alone are over what the owner allows: not even tried. */
static bool is_over_limit(const struct conf_local *l, const struct model_place *place, char *reason,
                          size_t n)
{
    struct stat st;
    char have[MACHINE_SIZE_MAX], most[MACHINE_SIZE_MAX];
    if (l->max_memory_bytes == 0 || stat(place->path, &st) != 0 ||
        st.st_size <= l->max_memory_bytes) {
        return false;
    }
    (void)snprintf(reason, n,
                   "model file %.120s takes %s, generator.local.max_memory is %s: raise it, or "
                   "take a smaller model or quantization",
                   place->path, machine_size(st.st_size, have),
                   machine_size(l->max_memory_bytes, most));
    return true;
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
    if (is_over_limit(l, &place, hop->reason, sizeof hop->reason)) {
        return SF_OK;
    }
    char **environment = conf_environment_pick(engine_variables, COUNT(engine_variables), NULL);
    if (environment == NULL) {
        return SF_ENOMEM;
    }
    struct local_options o = {.engine = engine_options_default(),
                              .model_name = place.name,
                              .n_languages = place.n_languages,
                              .instruct = place.instruct,
                              .small = place.small};
    memcpy(o.languages, place.languages, sizeof o.languages);
    o.engine.engine_path = place.engine_path;
    o.engine.lib_dir = place.lib_dir;
    o.engine.model_path = place.path;
    o.engine.device = l->device;
    o.engine.n_gpu_layers = l->n_gpu_layers;
    o.engine.context_tokens = l->context_tokens;
    o.engine.sequences = l->sequences;
    o.engine.threads = l->threads;
    o.engine.flash_attention = l->use_flash_attention;
    o.engine.stall_ms = l->stall_timeout_ms;
    o.engine.load_ms = l->load_timeout_ms;
    o.engine.temperature = l->temperature;
    o.engine.top_p = l->top_p;
    o.engine.prefix_cache_bytes = l->prefix_cache_bytes;
    o.engine.environment = (const char *const *)environment;
    enum sf_err err = hops_open_one(hop, &o);
    conf_environment_free(environment);
    return err;
}

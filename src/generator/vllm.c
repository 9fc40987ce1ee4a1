/* SPDX-License-Identifier: MIT */
#include "generator/vllm.h"

#include "base/mem.h"
#include "generator/vllm_progress.h"

#include <string.h>

#define LOOK_EVERY_MS 2000 /* at most; four times within the chain's patience */
#define LOOK_LEAST_MS 50
#define CHECK_MS 5000
#define AT_ONCE 64          /* vLLM makes batches of what comes; its own queue holds the rest */
#define FORMAT_GUIDED 1     /* in provider_vllm's list */
#define FIRST_STRUCTURED 11 /* 0.11 is the first version that knows structured_outputs */

struct vllm {
    struct vllm_spawn *spawn; /* NULL: it runs without us */
    struct cloud *cloud;
    struct vllm_progress *progress;
    atomic_bool version_known;
};

static void vllm_close(void *ctx)
{
    struct vllm *v = ctx;
    if (v != NULL) {
        vllm_progress_close(v->progress);
        cloud_close(v->cloud);
        vllm_spawn_close(v->spawn);
        free(v);
    }
}

static sf_ms look_every(sf_ms patience)
{
    sf_ms every = patience > 0 ? patience / 4 : LOOK_EVERY_MS;
    return every > LOOK_EVERY_MS ? LOOK_EVERY_MS : every < LOOK_LEAST_MS ? LOOK_LEAST_MS : every;
}

static enum sf_err vllm_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct vllm_options *o = options;
    struct cloud_options mine = {.provider = &provider_vllm,
                                 .provider_name = "vllm",
                                 .endpoint = o->endpoint,
                                 .key = o->key == NULL ? "" : o->key,
                                 .key_variable = o->key_variable,
                                 .model = o->model,
                                 .temperature = o->temperature,
                                 .top_p = o->top_p,
                                 .max_tokens = o->max_tokens,
                                 .concurrency = AT_ONCE,
                                 .price_input = 0,
                                 .price_output = 0};
    if (mine.key[0] == '\0' && o->key_variable[0] != '\0') {
        return sf_fail(eb, SF_ECONFIG,
                       "%s is not set: put %s=… into .env beside the configuration, or export it",
                       o->key_variable, o->key_variable);
    }
    struct vllm *v = sf_alloc(sizeof *v);
    enum sf_err err = v == NULL ? SF_ENOMEM : SF_OK;
    if (err == SF_OK && o->spawn != NULL) {
        err = vllm_spawn_open(o->spawn, &v->spawn, eb);
        mine.endpoint = err == SF_OK ? vllm_spawn_base_url(v->spawn) : "";
    }
    if (err == SF_OK) {
        err = cloud_open(&mine, &v->cloud, eb);
    }
    if (err == SF_OK) {
        err = vllm_progress_open(v->cloud, look_every(o->patience_ms), &v->progress);
    }
    if (err != SF_OK) {
        vllm_close(v);
        return err;
    }
    *ctx = v;
    return SF_OK;
}

/* "0.10.2", "0.11.0rc1+cu128": whether it knows only guided_json. What it does not know it passes
 * over without an error, so the version has to be asked for. */
static bool is_before_structured(const json_t *answer)
{
    struct sf_str version = json_get_str(answer, "version"), major, minor;
    uint64_t first = 0, second = 0;
    return sf_str_next(&version, '.', &major) && sf_str_next(&version, '.', &minor) &&
           sf_scan_u64(major, 1000, &first) && sf_scan_u64(minor, 1000, &second) && first == 0 &&
           second < FIRST_STRUCTURED;
}

static void learn_version(struct vllm *v)
{
    struct sf_buf body;
    json_t *answer = NULL;
    if (atomic_exchange(&v->version_known, true)) {
        return;
    }
    sf_buf_init(&body, 65536);
    if (cloud_get_root(v->cloud, "/version", CHECK_MS, &body, NULL) == SF_OK &&
        json_parse(sf_buf_str(&body), JSON_LIMITS_DEFAULT, &answer, NULL) == SF_OK) {
        cloud_set_format(v->cloud, is_before_structured(answer) ? FORMAT_GUIDED : 0);
    }
    json_decref(answer);
    sf_buf_fini(&body);
}

static enum sf_err vllm_generate(void *ctx, const struct gen_call *call, struct gen_result *result,
                                 struct sf_errbuf *eb)
{
    struct vllm *v = ctx;
    struct vllm_watching watching;
    learn_version(v);
    vllm_progress_begin(v->progress, &watching);
    enum sf_err err = cloud_generate(
        v->cloud, call, &(struct cloud_progress){vllm_progress_moved, &watching}, result, eb);
    vllm_progress_end(&watching);
    return err;
}

static void vllm_health(void *ctx, struct gen_health *out)
{
    struct vllm *v = ctx;
    *out = (struct gen_health){.state = GEN_READY};
    if (v->spawn != NULL) {
        vllm_spawn_health(v->spawn, out);
    }
}

static enum sf_err vllm_probe(void *ctx, struct sf_errbuf *eb)
{
    struct vllm *v = ctx;
    struct gen_health health;
    vllm_health(v, &health);
    if (health.state == GEN_DOWN || health.state == GEN_STARTING) {
        return sf_fail(eb, SF_EUNAVAILABLE, "%s", health.reason);
    }
    atomic_store(&v->version_known, false); /* it may have been started anew as another version */
    return cloud_probe(v->cloud, eb);
}

static void vllm_check(void *ctx, struct gen_checks *out)
{
    struct vllm *v = ctx;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf body;
    double tokens = 0, waiting = 0;
    cloud_check(v->cloud, out);
    sf_buf_init(&body, (size_t)2 << 20);
    enum sf_err err = cloud_get_root(v->cloud, "/health", CHECK_MS, &body, &eb);
    if (err == SF_OK) {
        gen_checks_add(out, GEN_CHECK_OK, "server alive", "", "/health answers 200");
    } else {
        gen_checks_add(out, GEN_CHECK_FAIL, "server alive", "look at vLLM's own log", "%.240s",
                       sf_err_text(&eb, err));
    }
    sf_buf_clear(&body);
    err = cloud_get_root(v->cloud, "/metrics", CHECK_MS, &body, &eb);
    if (err == SF_OK && vllm_read_metrics(sf_buf_str(&body), &tokens, &waiting)) {
        gen_checks_add(out, GEN_CHECK_OK, "progress seen", "",
                       "/metrics: %.0f tokens so far, %.0f requests waiting", tokens, waiting);
    } else {
        gen_checks_add(out, GEN_CHECK_WARN, "progress seen",
                       "start vLLM without --disable-log-stats, so that waiting is not taken for "
                       "standing still",
                       "/metrics shows no progress of vLLM");
    }
    sf_buf_fini(&body);
}

const struct generator_type generator_vllm = {
    .kind = "vllm",
    .multiplier = 1.5,
    .open = vllm_open,
    .generate = vllm_generate,
    .health = vllm_health,
    .probe = vllm_probe,
    .check = vllm_check,
    .close = vllm_close,
};

/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include "base/file.h"

#include <string.h>

static const char *const kinds[] = {"local", "vllm", "custom", "api"};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static void say(const struct conf *conf, struct conf_report *r, enum conf_level level,
                const char *key, const char *text)
{
    conf_say(r, level, conf_origin(conf, key), key, "%s", text);
}

/* ------------------------------------------------------------------ defaults that hang together */

static const struct {
    const char *provider;
    const char *variable;
} usual[] = {
    {"openai", "OPENAI_API_KEY"}, {"gemini", "GEMINI_API_KEY"}, {"anthropic", "ANTHROPIC_API_KEY"}};
#define N_USUAL (sizeof usual / sizeof usual[0])

static void fill_api(struct conf_api *api)
{
    for (size_t i = 0; i < N_USUAL; i++) {
        if (api->api_key_env[0] == '\0' && strcmp(api->provider, usual[i].provider) == 0) {
            api->api_key_env = usual[i].variable;
        }
    }
}

/* Without an `api` section the first key that is set says whose API it is. */
static enum sf_err choose_provider(struct conf *conf)
{
    for (size_t i = 0; !conf->generator.api.present && i < N_USUAL; i++) {
        if (conf_secret(conf, usual[i].variable) != NULL) {
            conf->generator.api.provider = usual[i].provider;
            return i == 0
                       ? SF_OK
                       : conf_set_origin(conf, "generator.api.provider", "default: its key is set");
        }
    }
    return SF_OK;
}

static enum sf_err fill_state(struct conf *conf)
{
    const char *xdg = conf_env(conf, "XDG_STATE_HOME");
    const char *home = conf->internal->home;
    if (conf->state_dir[0] == '\0') {
        if (xdg != NULL && xdg[0] == '/') {
            conf->state_dir = conf_keepf(conf, "%s/storyfi", xdg);
        } else {
            conf->state_dir = conf_keepf(conf, "%s/.local/state/storyfi", home != NULL ? home : "");
        }
    }
    if (conf->state_dir != NULL && conf->journal.path[0] == '\0') {
        conf->journal.path = conf_keepf(conf, "%s/journal.db", conf->state_dir);
    }
    return conf->state_dir == NULL || conf->journal.path == NULL ? SF_ENOMEM : SF_OK;
}

static enum sf_err fill(struct conf *conf)
{
    enum sf_err err = choose_provider(conf);
    fill_api(&conf->generator.api);
    struct conf_records list = conf_records_get(&conf->generator.api.fallbacks);
    struct conf_api *fallback = NULL;
    /* The snapshot owns the array that its lists show as const. */
    memcpy(&fallback, &list.v, sizeof fallback);
    for (size_t i = 0; i < list.n; i++) {
        fill_api(&fallback[i]);
    }
    struct conf_local *local = &conf->generator.local;
    if (sf_str_is_nocase(sf_str(local->quantization), "none") || local->quantization[0] == '\0') {
        local->quantization = "none";
    }
    return err == SF_OK ? fill_state(conf) : err;
}

/* ------------------------------------------------------------------ contradictions */

static bool is_kind(const char *name)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(name, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_custom_name(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->generator.custom.n; i++) {
        if (strcmp(conf->generator.custom.v[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *nearest_kind(const char *name)
{
    const char *best = NULL;
    size_t least = 3;
    for (size_t i = 0; i < N_KINDS; i++) {
        size_t d = sf_str_distance(name, kinds[i]);
        if (d < least) {
            least = d;
            best = kinds[i];
        }
    }
    return best;
}

static void check_name(const struct conf *conf, struct conf_report *r, const char *key,
                       const char *name, bool auto_ok)
{
    if (is_kind(name) || is_custom_name(conf, name) || (auto_ok && strcmp(name, "auto") == 0)) {
        return;
    }
    const char *near = nearest_kind(name);
    conf_say(
        r, CONF_ERROR, conf_origin(conf, key), key,
        "got \"%.60s\", takes local, vllm, custom, api%s or the name of a custom generator%s%s%s",
        name, auto_ok ? ", auto" : "", near != NULL ? "; did you mean \"" : "",
        near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static void check_device(const struct conf *conf, struct conf_report *r)
{
    const char *key = "generator.local.device", *device = conf->generator.local.device;
    uint64_t n;
    bool numbered = strncmp(device, "cuda:", 5) == 0 && sf_scan_u64(sf_str(device + 5), 255, &n);
    if (strcmp(device, "auto") != 0 && strcmp(device, "cpu") != 0 && strcmp(device, "cuda") != 0 &&
        !numbered) {
        conf_say(r, CONF_ERROR, conf_origin(conf, key), key,
                 "got \"%.40s\", takes auto, cpu, cuda or cuda:N", device);
    }
}

static void check_quantization(const struct conf *conf, struct conf_report *r)
{
    const char *key = "generator.local.quantization", *q = conf->generator.local.quantization;
    bool known = strcmp(q, "4bit") == 0 || strcmp(q, "8bit") == 0 || strcmp(q, "none") == 0;
    bool gguf =
        strchr("QIFBqifb", q[0]) != NULL && strlen(q) < 16 && strpbrk(q, "0123456789") != NULL;
    for (const char *p = q; *p != '\0'; p++) {
        bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
        gguf = gguf && (letter || (*p >= '0' && *p <= '9') || *p == '_');
    }
    if (!known && !gguf) {
        conf_say(r, CONF_ERROR, conf_origin(conf, key), key,
                 "got \"%.40s\", takes 4bit, 8bit, none or a GGUF type such as Q5_K_M", q);
    }
}

static void check_custom(const struct conf *conf, struct conf_report *r)
{
    const struct conf_custom_list *list = &conf->generator.custom;
    for (size_t i = 0; i < list->n; i++) {
        const struct conf_custom *c = &list->v[i];
        char key[CONF_MAX_KEY];
        (void)snprintf(key, sizeof key, "generator.custom[%zu]", i);
        const char *where = conf_origin(conf, key);
        if (c->script_path[0] == '\0' && c->endpoint[0] == '\0' && c->plugin[0] == '\0') {
            conf_say(r, CONF_ERROR, where, key,
                     "one of script_path, endpoint or plugin must be set");
        }
        bool reserved = is_kind(c->name) && (strcmp(c->name, "custom") != 0 || list->n > 1);
        if (c->name[0] == '\0' || strcmp(c->name, "auto") == 0 || reserved) {
            conf_say(r, CONF_ERROR, where, key,
                     "the name \"%.40s\" is taken: give each generator of the list one of its own",
                     c->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list->v[j].name, c->name) == 0 && !reserved) {
                conf_say(r, CONF_ERROR, where, key, "the name \"%.40s\" is there twice", c->name);
            }
        }
    }
    if (strcmp(conf->generator.mode, "custom") == 0 && list->n == 0) {
        say(conf, r, CONF_ERROR, "generator.mode",
            "is custom, but there is no generator.custom with script_path, endpoint or plugin");
    }
}

static void check_one_api(const struct conf *conf, struct conf_report *r, const char *key,
                          const struct conf_api *api)
{
    if (strcmp(api->provider, "custom") == 0 && api->endpoint[0] == '\0') {
        conf_say(r, CONF_ERROR, conf_origin(conf, key), key,
                 "provider custom needs its address: set endpoint");
    }
}

static void check_api(const struct conf *conf, struct conf_report *r)
{
    const struct conf_api *api = &conf->generator.api;
    check_one_api(conf, r, "generator.api", api);
    for (size_t i = 0; i < api->fallbacks.n; i++) {
        char key[CONF_MAX_KEY];
        (void)snprintf(key, sizeof key, "generator.api.fallbacks[%zu]", i);
        check_one_api(conf, r, key, &api->fallbacks.v[i]);
    }
}

static void check_order(const struct conf *conf, struct conf_report *r)
{
    const struct conf_chain *c = &conf->generator.chain;
    if (c->retry_jitter_min_ms > c->retry_jitter_max_ms) {
        say(conf, r, CONF_ERROR, "generator.chain.retry_jitter_min_ms",
            "is above generator.chain.retry_jitter_max_ms");
    }
    if (c->breaker_open_ms > c->breaker_open_max_ms) {
        say(conf, r, CONF_ERROR, "generator.chain.breaker_open",
            "is above generator.chain.breaker_open_max");
    }
    if (c->breaker_min_samples > c->breaker_window) {
        say(conf, r, CONF_ERROR, "generator.chain.breaker_min_samples",
            "is above generator.chain.breaker_window");
    }
    if (conf->deadline.absent_ms > conf->deadline.max_ms) {
        say(conf, r, CONF_ERROR, "deadline.absent", "is above deadline.max");
    }
    if (conf->deadline.margin_ms >= conf->deadline.max_ms) {
        say(conf, r, CONF_ERROR, "deadline.margin", "leaves nothing of deadline.max");
    }
}

enum sf_err conf_finish(struct conf *conf, struct conf_report *r)
{
    enum sf_err err = fill(conf);
    if (err != SF_OK) {
        return err;
    }
    check_name(conf, r, "generator.mode", conf->generator.mode, true);
    for (size_t i = 0; i < conf->generator.fallback.n; i++) {
        check_name(conf, r, "generator.fallback", conf->generator.fallback.v[i], false);
    }
    check_device(conf, r);
    check_quantization(conf, r);
    check_custom(conf, r);
    check_api(conf, r);
    check_order(conf, r);
    return SF_OK;
}

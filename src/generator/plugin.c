/* SPDX-License-Identifier: MIT */
#include "generator/plugin.h"

#include "base/mem.h"
#include "generator/check.h"
#include "generator/content.h"
#include "generator/gate.h"
#include "generator/own_file.h"
#include "generator/plugin_call.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#define SYMBOL "storyfi_generator"
#define OPEN_WAIT_MS 20000 /* of the doctor */

/* State of an instance, shared with the thread that opens the plugin. */
struct opening {
    atomic_int refs;
    pthread_mutex_t lock;
    struct gen_health health;
    struct plugin_library *library;
    char *settings;
};

struct plugin {
    struct plugin_library *library;
    struct opening *opening;
    char label[200]; /* "plugin ./x.so" */
    sf_ms timeout_ms;
    size_t max_output_bytes;
    struct gate gate;
};

/* ---- loading --------------------------------------------------------------------------------- */

static enum sf_err check_api(const struct storyfi_generator *api, const char *path,
                             struct sf_errbuf *eb)
{
    if (api == NULL) {
        return sf_fail(eb, SF_ECONFIG,
                       "plugin %.120s exports no %s: define that object as include/storyfi/"
                       "generator.h shows",
                       path, SYMBOL);
    }
    if (api->abi != STORYFI_GENERATOR_ABI) {
        return sf_fail(eb, SF_ECONFIG,
                       "plugin %.120s was built for version %u of the plugin interface, this "
                       "program has version %d: build it again with this program's "
                       "storyfi/generator.h",
                       path, (unsigned)api->abi, STORYFI_GENERATOR_ABI);
    }
    if (api->struct_size < sizeof *api || api->generate == NULL || api->release == NULL) {
        return sf_fail(eb, SF_ECONFIG,
                       "plugin %.120s: its %s is not whole: set struct_size, generate and release",
                       path, SYMBOL);
    }
    return SF_OK;
}

static void unload(void *handle)
{
    (void)dlclose(handle);
}

static enum sf_err load(const struct plugin_options *o, struct plugin_library *l,
                        struct sf_errbuf *eb)
{
    char *path = own_file_find(o->path, o->dir);
    if (path == NULL) {
        return sf_fail(eb, SF_ENOTFOUND,
                       "plugin %.120s is not there (looked from the working directory and from "
                       "%.120s)",
                       o->path, o->dir);
    }
    l->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    l->unload = unload;
    enum sf_err err = SF_OK;
    if (l->handle == NULL) {
        const char *why = dlerror(); /* NOLINT: a buffer per thread in glibc */
        err = sf_fail(eb, SF_ECONFIG, "plugin does not load: %.220s", why == NULL ? path : why);
    } else {
        l->api = dlsym(l->handle, SYMBOL);
        err = check_api(l->api, path, eb);
    }
    free(path);
    return err;
}

/* ---- its open, which may take long ----------------------------------------------------------- */

static void opening_unref(struct opening *o)
{
    if (o == NULL || atomic_fetch_sub(&o->refs, 1) > 1) {
        return;
    }
    if (o->settings != NULL) {
        sf_wipe(o->settings, strlen(o->settings));
    }
    free(o->settings), o->settings = NULL;
    (void)pthread_mutex_destroy(&o->lock);
    plugin_library_unref(o->library);
    free(o);
}

static void *open_library(void *arg)
{
    struct opening *o = arg;
    struct plugin_library *l = o->library;
    char error[200] = "";
    int failed =
        l->api->open == NULL ? 0 : l->api->open(o->settings, &l->self, error, sizeof error);
    error[sizeof error - 1] = '\0';
    (void)pthread_mutex_lock(&o->lock);
    l->opened = failed == 0;
    o->health.state = failed == 0 ? GEN_READY : GEN_DOWN;
    if (failed != 0) {
        char said[200];
        content_copy_text(sf_str(error), said, sizeof said);
        (void)snprintf(o->health.reason, sizeof o->health.reason, "plugin did not open: %s",
                       said[0] == '\0' ? "it does not say why" : said);
    }
    (void)pthread_mutex_unlock(&o->lock);
    opening_unref(o);
    return NULL;
}

static char *settings_text(const struct plugin_options *o)
{
    struct sf_buf b;
    json_t *v = json_pack("{s:s, s:O}", "dir", o->dir, "settings", o->settings);
    sf_buf_init(&b, 1U << 20);
    if (v != NULL) {
        json_print(v, &b);
    }
    json_decref(v);
    return b.n == 0 ? NULL : sf_buf_take(&b);
}

static enum sf_err begin_opening(struct plugin *p, const struct plugin_options *options)
{
    pthread_t thread;
    struct opening *o = sf_alloc(sizeof *o);
    if (o == NULL) {
        return SF_ENOMEM;
    }
    atomic_init(&o->refs, 1);
    (void)pthread_mutex_init(&o->lock, NULL);
    o->health.state = GEN_STARTING;
    plugin_library_ref(p->library);
    o->library = p->library;
    o->settings = settings_text(options);
    p->opening = o;
    (void)atomic_fetch_add(&o->refs, 1);
    if (o->settings == NULL || pthread_create(&thread, NULL, open_library, o) != 0) {
        (void)atomic_fetch_sub(&o->refs, 1);
        return SF_ENOMEM;
    }
    (void)pthread_detach(thread);
    return SF_OK;
}

/* ---- the generator --------------------------------------------------------------------------- */

static void plugin_close(void *ctx)
{
    struct plugin *p = ctx;
    if (p != NULL) {
        opening_unref(p->opening);
        plugin_library_unref(p->library);
        free(p);
    }
}

static enum sf_err plugin_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct plugin_options *o = options;
    struct plugin *p = sf_alloc(sizeof *p);
    if (p == NULL) {
        return SF_ENOMEM;
    }
    (void)snprintf(p->label, sizeof p->label, "plugin %.180s", o->path);
    p->timeout_ms = o->timeout_ms;
    p->max_output_bytes = o->max_output_bytes;
    gate_init(&p->gate, o->concurrency);
    p->library = sf_alloc(sizeof *p->library);
    enum sf_err err = SF_ENOMEM;
    if (p->library != NULL) {
        plugin_library_init(p->library);
        err = load(o, p->library, eb);
    }
    if (err == SF_OK) {
        err = begin_opening(p, o);
    }
    if (err != SF_OK) {
        plugin_close(p);
        return err;
    }
    *ctx = p;
    return SF_OK;
}

static void plugin_health(void *ctx, struct gen_health *out)
{
    struct plugin *p = ctx;
    (void)pthread_mutex_lock(&p->opening->lock);
    *out = p->opening->health;
    (void)pthread_mutex_unlock(&p->opening->lock);
    if (out->state == GEN_READY && atomic_load(&p->library->wedged) > 0) {
        out->state = GEN_DOWN;
        (void)snprintf(out->reason, sizeof out->reason,
                       "a call of the plugin does not return though it was told to: it has to ask "
                       "is_canceled; restart the miner if it never does");
    }
}

static void fill(const struct plugin *p, const json_t *answer, struct gen_result *result)
{
    const struct storyfi_generator *api = p->library->api;
    content_read_info(answer, result);
    content_copy_text(sf_str(api->name == NULL ? "plugin" : api->name), result->name,
                      sizeof result->name);
    content_copy_text(sf_str(api->version), result->version, sizeof result->version);
}

static enum sf_err plugin_generate(void *ctx, const struct gen_call *call,
                                   struct gen_result *result, struct sf_errbuf *eb)
{
    struct plugin *p = ctx;
    struct sf_buf text;
    json_t *answer = NULL;
    enum sf_err err = gate_enter(&p->gate, call, eb);
    if (err != SF_OK) {
        return err;
    }
    sf_buf_init(&text, p->max_output_bytes);
    struct sf_time deadline = sf_earlier(call->deadline, sf_after(sf_now(), p->timeout_ms));
    err = plugin_call(p->library, call, deadline, &text, eb);
    gate_leave(&p->gate);
    if (err == SF_OK) {
        err = content_parse(sf_buf_str(&text), p->max_output_bytes, "its answer", &result->output,
                            &answer, eb);
    }
    if (err == SF_OK) {
        fill(p, answer, result);
    }
    json_decref(answer);
    sf_buf_fini(&text);
    return err == SF_OK || err == SF_ENOMEM ? err : sf_fail_prefix(eb, "%s", p->label);
}

static void plugin_check(void *ctx, struct gen_checks *out)
{
    struct plugin *p = ctx;
    struct gen_health health;
    struct sf_time until = sf_after(sf_now(), OPEN_WAIT_MS);
    plugin_health(p, &health);
    while (health.state == GEN_STARTING && sf_until(until) > 0) {
        (void)poll(NULL, 0, 20);
        plugin_health(p, &health);
    }
    bool ok = health.state == GEN_READY;
    gen_checks_add(out, ok ? GEN_CHECK_OK : GEN_CHECK_FAIL, "plugin loads and opens",
                   ok ? "" : "see what the plugin says, or correct generator.custom.plugin",
                   "%s: %.160s", p->label,
                   ok                         ? "interface version 1"
                   : health.reason[0] != '\0' ? health.reason
                                              : "does not come to an end with opening");
}

const struct generator_type generator_plugin = {
    .kind = "custom",
    .target_label = "Plugin",
    .multiplier = 1.0,
    .open = plugin_open,
    .generate = plugin_generate,
    .health = plugin_health,
    .check = plugin_check,
    .close = plugin_close,
};

/* SPDX-License-Identifier: MIT */
#include "app/model_puller.h"

#include "app/model_pull.h"
#include "app/model_tune_check.h"
#include "app/models.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "generator/machine.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_PAUSE_MS 15000
#define LONGEST_PAUSE_MS 600000
#define STEP_MS 20

struct model_puller {
    const struct conf *conf;
    char name[200], quantization[32]; /* "" the configured one */
    pthread_t thread;
    atomic_bool cancel;
    pthread_mutex_t lock; /* of what follows */
    struct puller_status status;
    sf_ms pause_ms, pause_max_ms;
};

static bool is_here(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool model_puller_is_needed(const struct conf *conf)
{
    const struct conf_local *l = &conf->generator.local;
    struct model_catalogue c;
    size_t n = strlen(l->model_name);
    if (l->endpoint[0] != '\0' || (n > 5 && strcmp(l->model_name + n - 5, ".gguf") == 0) ||
        model_catalogue_init(conf, &c) != SF_OK) {
        return false;
    }
    const struct model_entry *e = model_catalogue_find(&c, l->model_name);
    bool can = e != NULL ? e->repo[0] != '\0'
                         : sf_str_is_nocase(sf_str(l->model_name), "auto") ||
                               model_is_repo(sf_str(l->model_name));
    model_catalogue_fini(&c);
    struct model_place *place = can ? sf_alloc(sizeof *place) : NULL;
    if (place == NULL) {
        return false;
    }
    model_find(conf, place);
    bool here = is_here(place->path);
    free(place);
    return !here;
}

static bool is_found(const struct conf *conf)
{
    struct model_place *place = sf_alloc(sizeof *place);
    bool found = true;
    if (place != NULL) {
        model_find(conf, place);
        found = sf_str_has_prefix(sf_str(place->path), ENGINE_SYNTHETIC) || is_here(place->path);
    }
    free(place);
    return found;
}

enum model_presence model_puller_presence(const struct conf *conf, struct sf_errbuf *eb)
{
    const struct conf_local *l = &conf->generator.local;
    if (l->endpoint[0] != '\0' || is_found(conf)) {
        return MODEL_IS_HERE;
    }
    bool can = model_puller_is_needed(conf);
    if (can && l->auto_download) {
        return MODEL_COMES;
    }
    (void)sf_fail(eb, SF_ENOTFOUND,
                  can ? "no file of \"%.200s\" is here and auto_download is "
                        "false: storyfi models pull %.200s, then load the "
                        "configuration again"
                      : "no file of \"%.200s\" is here: set "
                        "generator.local.model_name to a name of `storyfi models "
                        "list` or a .gguf file that is there (make setup brings "
                        "the default model)",
                  l->model_name, l->model_name);
    return MODEL_IS_MISSING;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void on_progress(void *arg, const struct fetch_progress *progress)
{
    struct model_puller *p = arg;
    char done[MACHINE_SIZE_MAX], total[MACHINE_SIZE_MAX];
    (void)pthread_mutex_lock(&p->lock);
    struct puller_status *s = &p->status;
    s->state = progress->phase == FETCH_WAITING ? PULLER_WAITING : PULLER_WORKING;
    s->done = progress->done;
    s->total = progress->total;
    s->bytes_per_second = progress->bytes_per_second;
    (void)snprintf(
        s->text, sizeof s->text, "downloading %.200s: %s of %s%s%.200s", s->file,
        machine_size(s->done, done), machine_size(s->total, total),
        progress->why == NULL ? "" : "; waiting: ", progress->why == NULL ? "" : progress->why);
    (void)pthread_mutex_unlock(&p->lock);
}

static void on_file(void *arg, const struct pull_file *file, size_t i, size_t n)
{
    struct model_puller *p = arg;
    (void)i;
    (void)n;
    (void)pthread_mutex_lock(&p->lock);
    (void)snprintf(p->status.file, sizeof p->status.file, "%.255s", model_base_name(file->dest));
    (void)pthread_mutex_unlock(&p->lock);
}

static enum sf_err pull_once(struct model_puller *p, struct sf_errbuf *eb)
{
    struct model_catalogue c;
    struct pull_list list;
    struct pull_result *results = sf_alloc(PULL_MAX_FILES * sizeof *results);
    struct pull_options o = {.name = p->name,
                             .quantization = p->quantization[0] == '\0' ? NULL : p->quantization,
                             .behaviour = fetch_want_default(),
                             .on_file = on_file,
                             .arg = p};
    o.behaviour.cancel = &p->cancel;
    o.behaviour.on_progress = on_progress;
    o.behaviour.arg = p;
    if (results == NULL || model_catalogue_init(p->conf, &c) != SF_OK) {
        free(results);
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    enum sf_err err = pull_resolve(p->conf, &c, &o, &list, eb);
    if (err == SF_OK) {
        err = pull_run(p->conf, &list, &o, results, eb);
    }
    pull_list_fini(&list);
    model_catalogue_fini(&c);
    free(results);
    return err;
}

/* What time may mend. A full disk too: somebody may make room. */
static bool again(enum sf_err err)
{
    return err == SF_ETRANSIENT || err == SF_ERATE || err == SF_EDEADLINE || err == SF_EIO ||
           err == SF_EBUSY || err == SF_ENOMEM;
}

static void set_status(struct model_puller *p, enum puller_state state, const char *text)
{
    (void)pthread_mutex_lock(&p->lock);
    p->status.state = state;
    (void)snprintf(p->status.text, sizeof p->status.text, "%s", text);
    (void)pthread_mutex_unlock(&p->lock);
}

static void wait_for(struct model_puller *p, sf_ms pause)
{
    struct sf_time end = sf_after(sf_now(), pause);
    while (sf_until(end) > 0 && !atomic_load(&p->cancel)) {
        (void)poll(NULL, 0, STEP_MS);
    }
}

/* Not tuned here: it would take the CPU from whoever is answered meanwhile. */
static void hint_at_tuning(const struct model_puller *p)
{
    char why[240];
    struct tune_facts *f = p->conf->generator.local.auto_tune ? sf_alloc(sizeof *f) : NULL;
    if (f == NULL) {
        return;
    }
    tune_facts_read(p->conf, p->name, f);
    if (tune_is_sensible(f, why, sizeof why)) {
        log_status("⏩ %s may be faster in the layout that this CPU reads fastest: storyfi models "
                   "tune %s, when no validator has to be answered",
                   p->name, p->name);
    }
    free(f);
}

static void *run(void *arg)
{
    struct model_puller *p = arg;
    char text[600];
    (void)pthread_mutex_lock(&p->lock);
    sf_ms pause = p->pause_ms, longest = p->pause_max_ms;
    (void)pthread_mutex_unlock(&p->lock);
    while (!atomic_load(&p->cancel)) {
        struct sf_errbuf eb = {.code = SF_OK};
        enum sf_err err = pull_once(p, &eb);
        if (err == SF_OK) {
            log_event(LOG_INFO, LOG_GENERATOR, "model downloaded", LOG_S("model", p->name));
            hint_at_tuning(p);
            set_status(p, PULLER_DONE, "the model is here");
            return NULL;
        }
        if (atomic_load(&p->cancel)) {
            break;
        }
        (void)snprintf(text, sizeof text, "Model download failed: %.500s", sf_err_text(&eb, err));
        set_status(p, again(err) ? PULLER_WAITING : PULLER_FAILED, text);
        log_event(LOG_WARN, LOG_GENERATOR, "Model download failed", LOG_S("model", p->name),
                  LOG_ERR(&eb, err));
        if (!again(err)) {
            return NULL;
        }
        wait_for(p, pause);
        pause = pause * 2 > longest ? longest : pause * 2;
    }
    set_status(p, PULLER_CANCELED, "canceled; what came stays and the next download goes on");
    return NULL;
}

/* ---- from outside ---------------------------------------------------------------------------- */

struct pauses {
    sf_ms first, longest;
};

static enum sf_err start(const struct conf *conf, const char *name, const char *quantization,
                         const struct pauses *pauses, struct model_puller **out)
{
    struct model_puller *p = sf_alloc(sizeof *p);
    if (p == NULL) {
        return SF_ENOMEM;
    }
    (void)snprintf(p->name, sizeof p->name, "%.199s",
                   name == NULL ? conf->generator.local.model_name : name);
    (void)snprintf(p->quantization, sizeof p->quantization, "%.31s",
                   quantization == NULL ? "" : quantization);
    memcpy(p->status.name, p->name, sizeof p->status.name);
    (void)snprintf(p->status.text, sizeof p->status.text, "downloading %.199s", p->name);
    p->conf = conf_ref(conf);
    p->pause_ms = pauses->first;
    p->pause_max_ms = pauses->longest;
    p->status.state = PULLER_WORKING;
    atomic_init(&p->cancel, false);
    (void)pthread_mutex_init(&p->lock, NULL);
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        (void)pthread_mutex_destroy(&p->lock);
        conf_unref(p->conf);
        free(p);
        return SF_ENOMEM;
    }
    *out = p;
    return SF_OK;
}

enum sf_err model_puller_start(const struct conf *conf, const char *name, const char *quantization,
                               struct model_puller **out)
{
    static const struct pauses pauses = {FIRST_PAUSE_MS, LONGEST_PAUSE_MS};
    return start(conf, name, quantization, &pauses, out);
}

void model_puller_cancel(struct model_puller *p)
{
    atomic_store(&p->cancel, true);
}

bool model_puller_is_over(struct model_puller *p)
{
    struct puller_status s;
    model_puller_get(p, &s);
    return s.state == PULLER_DONE || s.state == PULLER_FAILED || s.state == PULLER_CANCELED;
}

void model_puller_get(struct model_puller *p, struct puller_status *out)
{
    (void)pthread_mutex_lock(&p->lock);
    *out = p->status;
    (void)pthread_mutex_unlock(&p->lock);
}

void model_puller_stop(struct model_puller *p)
{
    if (p == NULL) {
        return;
    }
    atomic_store(&p->cancel, true);
    (void)pthread_join(p->thread, NULL);
    (void)pthread_mutex_destroy(&p->lock);
    conf_unref(p->conf);
    free(p);
}

/* SPDX-License-Identifier: MIT */
#include "miner/admin_models.h"

#include "app/model_devices.h"
#include "app/model_pick.h"
#include "app/model_store.h"
#include "app/models.h"
#include "base/mem.h"
#include "generator/machine.h"
#include "miner/model_desk.h"

#include <string.h>
#include <sys/stat.h>

/* What each entry is judged by. */
struct view {
    const struct conf *conf;
    struct model_catalogue catalogue;
    struct model_devices devices;
    struct plan_wish wish;
    json_t *plan; /* of the model in use; NULL none */
};

static json_t *strings(const char *const *list, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(array, json_text(sf_str(list[i])));
    }
    return array;
}

static json_t *devices_json(const struct model_devices *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const struct plan_device *v = &d->v[i];
        (void)json_array_append_new(
            list, json_pack("{s:o, s:b, s:I, s:I, s:i, s:i}", "name", json_text(sf_str(v->name)),
                            "gpu", (int)v->gpu, "free_bytes", (json_int_t)v->free_bytes,
                            "total_bytes", (json_int_t)v->total_bytes, "compute_major",
                            v->compute_major, "compute_minor", v->compute_minor));
    }
    return list;
}

static bool is_in_use(const struct view *v, const char *name)
{
    const char *model = json_get_string(v->plan, "model");
    return model != NULL && strcmp(model, name) == 0;
}

/* The engine's own figure, of the model in use alone: nobody has measured the others here. */
static json_t *speed_of(const struct view *v, bool in_use)
{
    double speed = 0;
    return in_use && json_get_number(v->plan, "tokens_per_second", &speed) && speed > 0
               ? json_real(speed)
               : json_null();
}

static json_t *entry_json(const struct view *v, const struct model_entry *e)
{
    char path[MODEL_PATH_MAX];
    struct stat st;
    struct model_pick p;
    struct model_machine m = {v->devices.v, v->devices.n, v->devices.cpus};
    model_pick_type(e, v->conf->generator.local.quantization, &v->wish, &m, &p);
    bool here = model_find_file(v->conf, e, path, sizeof path);
    bool in_use = is_in_use(v, e->names[0]);
    int64_t bytes = here && stat(path, &st) == 0 ? st.st_size : p.bytes;
    return json_pack("{s:s, s:o, s:s, s:b, s:s, s:s, s:I, s:b, s:b, s:s, s:I, s:I, s:o, s:s, s:b, "
                     "s:o, s:b, s:I}",
                     "name", e->names[0], "aliases", strings(e->names + 1, e->n_names - 1),
                     "short_name", model_entry_alias(e), "here", (int)here, "file",
                     here ? model_base_name(path) : "", "quantization", p.quant, "file_bytes",
                     (json_int_t)bytes, "fits", (int)(p.plan.kind != PLAN_NONE && p.bytes > 0),
                     "quick", (int)p.quick, "reason",
                     p.bytes > 0 ? p.plan.text : "its size is not known", "needs_bytes",
                     (json_int_t)p.plan.needs_bytes, "context", (json_int_t)e->context_tokens,
                     "languages", strings(e->languages, e->n_languages), "licence", e->license,
                     "gated", (int)e->gated, "tokens_per_second", speed_of(v, in_use), "in_use",
                     (int)in_use, "quality", (json_int_t)e->quality);
}

/* Files of the folder that no entry of the catalogue has: pulled by repository, or put there. */
static json_t *file_json(const struct view *v, const struct model_local *f)
{
    bool in_use = is_in_use(v, f->file);
    return json_pack("{s:o, s:[], s:o, s:b, s:o, s:s, s:I, s:n, s:n, s:s, s:n, s:n, s:[], s:s, s:b,"
                     " s:o, s:b, s:n}",
                     "name", json_text(sf_str(f->file)), "aliases", "short_name",
                     json_text(sf_str(f->file)), "here", 1, "file", json_text(sf_str(f->file)),
                     "quantization", "", "file_bytes", (json_int_t)f->bytes, "fits", "quick",
                     "reason", "not in the catalogue", "needs_bytes", "context", "languages",
                     "licence", "", "gated", 0, "tokens_per_second", speed_of(v, in_use), "in_use",
                     (int)in_use, "quality");
}

static void add_files(const struct view *v, const char *dir, json_t *list)
{
    struct model_local *files = NULL;
    size_t n = 0;
    if (model_store_list(dir, &files, &n, NULL) != SF_OK) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned no = 1, count = 0;
        size_t stem;
        (void)model_split_name(files[i].file, &no, &count, &stem);
        if (!files[i].partial && no == 1 &&
            model_catalogue_find(&v->catalogue, files[i].file) == NULL) {
            (void)json_array_append_new(list, file_json(v, &files[i]));
        }
    }
    free(files);
}

static void handle_list(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    char dir[MODEL_PATH_MAX];
    (void)r;
    struct app *app = axon_take_app(a->axon);
    struct view v = {.conf = app_conf(app), .wish = model_wish(&app_conf(app)->generator.local)};
    json_t *list = json_array();
    v.plan = app_plan(app);
    model_store_dir(v.conf, dir, sizeof dir);
    model_devices_read(v.conf, &v.devices);
    if (model_catalogue_init(v.conf, &v.catalogue) == SF_OK) {
        for (size_t i = 0; i < v.catalogue.n; i++) {
            (void)json_array_append_new(list, entry_json(&v, &v.catalogue.v[i]));
        }
        add_files(&v, dir, list);
    }
    reply_json(x, 200,
               json_pack("{s:o, s:o, s:O?, s:o, s:o, s:I, s:o, s:s}", "models", list, "devices",
                         devices_json(&v.devices), "plan", v.plan, "download",
                         model_desk_download(a->models), "model_change",
                         model_desk_change(a->models), "disk_free_bytes",
                         (json_int_t)machine_disk(dir), "dir", json_text(sf_str(dir)), "problem",
                         v.devices.problem));
    model_catalogue_fini(&v.catalogue);
    json_decref(v.plan);
    app_close(app);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* The body's "name"; NULL: it has none, which was answered. */
static json_t *read_name(struct http_exchange *x, const struct http_request *r)
{
    json_t *body = NULL;
    struct json_limits limits = {.max_bytes = 4096, .max_depth = 4};
    if (json_parse(r->body, limits, &body, NULL) != SF_OK ||
        json_get_string(body, "name") == NULL) {
        reply_message(x, 400, "no name: send {\"name\": \"…\"}, as GET /api/models lists it");
        json_decref(body);
        return NULL;
    }
    return body;
}

static void answer(struct http_exchange *x, enum sf_err err, const struct sf_errbuf *eb,
                   const char *done)
{
    int status = err == SF_OK          ? 202
                 : err == SF_ENOTFOUND ? 404
                 : err == SF_EINVAL    ? 400
                 : err == SF_ENOMEM    ? 503
                                       : 409;
    reply_message(x, status, err == SF_OK ? done : sf_err_text(eb, err));
}

static void handle_pull(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *body = read_name(x, r);
    if (body != NULL) {
        enum sf_err err = model_desk_pull(a->models, json_get_string(body, "name"),
                                          json_get_string(body, "quantization"), &eb);
        answer(x, err, &eb, "downloading");
        json_decref(body);
    }
}

static void handle_cancel(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    if (model_desk_cancel(a->models)) {
        reply_message(x, 202, "canceled; what came stays");
    } else {
        reply_message(x, 409, "no download is under way");
    }
}

static void handle_use(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *body = read_name(x, r);
    if (body != NULL) {
        answer(x, model_desk_use(a->models, json_get_string(body, "name"), &eb), &eb, "loading");
        json_decref(body);
    }
}

static const struct admin_route rows[] = {
    {"GET", "/api/models", handle_list, ADMIN_SLOW},
    {"POST", "/api/models/pull", handle_pull, ADMIN_SLOW},
    {"POST", "/api/models/pull/cancel", handle_cancel, 0},
    {"POST", "/api/models/use", handle_use, ADMIN_SLOW},
};
const struct admin_routes admin_models_routes = {rows, sizeof rows / sizeof rows[0]};

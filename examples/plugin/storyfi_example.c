/* SPDX-License-Identifier: MIT */
/* A complete plugin for storyfi: it writes all four tasks by filling in patterns, tells what it
 * does through events, and gives way when it is told to. Put your model where `sentence` is. The
 * contract is in storyfi/generator.h; README.md beside this file says how to build and use it. */
#include <storyfi/generator.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A growing text; `failed` stays once memory is out, so that one look at the end is enough. */
struct text {
    char *p;
    size_t n, room;
    bool failed;
};

/* One call under way: what the writers need. */
struct writing {
    const struct storyfi_call *call;
    struct text out;
    uint64_t random; /* from the call's seed */
    int sentences;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *fmt, ...)
{
    char piece[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(piece, sizeof piece, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof piece) {
        t->failed = true;
    }
    if (!t->failed && t->n + (size_t)n + 1 > t->room) {
        char *grown = realloc(t->p, 2 * t->room + sizeof piece);
        t->failed = grown == NULL;
        t->p = grown == NULL ? t->p : grown;
        t->room = grown == NULL ? t->room : 2 * t->room + sizeof piece;
    }
    if (!t->failed) {
        memcpy(t->p + t->n, piece, (size_t)n + 1);
        t->n += (size_t)n;
    }
}

static bool must_stop(const struct writing *w)
{
    return w->call->is_canceled(w->call->host) != 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const places[] = {"harbour",      "mountain pass", "walled garden",
                                     "night market", "salt marsh",    "observatory"};
static const char *const things[] = {"letter", "lantern", "map", "bell", "key", "ledger"};
static const char *const deeds[] = {"hid", "found", "broke", "returned", "guarded", "copied"};
static const char *const names[] = {"Mara Voss", "Ilan Reed", "Petra Holm", "Jonas Bek",
                                    "Sefa Lun"};
static const char *const ids[] = {"protagonist", "ally", "rival", "mentor", "wildcard"};
#define N(list) (unsigned)(sizeof(list) / sizeof(list)[0])
#define ONE_OF(w, list) list[pick(w, N(list))]

static unsigned pick(struct writing *w, unsigned n)
{
    w->random = w->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(w->random >> 33) % n;
}

/* Here a model of yours would write. No sign in it needs escaping in JSON. */
static void sentence(struct writing *w)
{
    const char *place = ONE_OF(w, places), *name = ONE_OF(w, names);
    put(&w->out, "On day %d, in the %s, %s %s the %s that nobody else was meant to see. ",
        ++w->sentences, place, name, ONE_OF(w, deeds), ONE_OF(w, things));
}

/* `"name": "sentences"`; the miner is told when it is there. */
static void paragraph(struct writing *w, const char *path, const char *name, int n)
{
    put(&w->out, "\"%s\": \"", name);
    size_t start = w->out.n;
    for (int i = 0; i < n && !must_stop(w); i++) {
        sentence(w);
    }
    if (!w->out.failed) {
        struct storyfi_event e = {.struct_size = sizeof e,
                                  .kind = STORYFI_EVENT_SLOT_DONE,
                                  .path = path,
                                  .text = w->out.p + start,
                                  .n_text = w->out.n - start};
        w->call->event(w->call->host, &e);
    }
    put(&w->out, "\"");
}

/* ---- the four tasks -------------------------------------------------------------------------- */

static void blueprint(struct writing *w)
{
    put(&w->out, "\"title\": \"The %s and the %s\", \"genre\": \"Mystery\", ", ONE_OF(w, things),
        ONE_OF(w, places));
    paragraph(w, "/setting", "setting", 2);
    put(&w->out, ", ");
    paragraph(w, "/core_conflict", "core_conflict", 1);
    put(&w->out, ", \"themes\": [\"trust between strangers\", \"the price of silence\", \"coming "
                 "home\"], \"tone\": \"quiet and tense\", \"target_audience\": \"adults\"");
}

static void characters(struct writing *w)
{
    char path[64];
    put(&w->out, "\"characters\": [");
    for (unsigned i = 0; i < N(ids); i++) {
        put(&w->out, "%s{\"id\": \"%s\", \"name\": \"%s\", \"archetype\": \"the %s\", ",
            i == 0 ? "" : ", ", ids[i], names[i], ids[i]);
        (void)snprintf(path, sizeof path, "/characters/%u/background", i);
        paragraph(w, path, "background", 2);
        put(&w->out,
            ", \"motivation\": \"To learn who %s the %s.\", \"skills\": [\"reading maps\", "
            "\"keeping quiet\", \"mending clocks\"], \"personality_traits\": [\"patient\", "
            "\"wry\", \"stubborn\"], \"relationships\": {",
            ONE_OF(w, deeds), ONE_OF(w, things));
        for (unsigned k = 1; k < 3; k++) {
            unsigned other = (i + k) % N(ids);
            put(&w->out, "%s\"%s\": \"%s owes %s the truth about the %s.\"", k == 1 ? "" : ", ",
                ids[other], names[i], names[other], ONE_OF(w, things));
        }
        put(&w->out, "}}");
    }
    put(&w->out, "]");
}

static void story_arc(struct writing *w)
{
    static const char *const acts[] = {"act1", "act2a", "act2b", "act3"};
    static const char *const hooks[] = {"opening", "midpoint", "climax"};
    char path[64];
    put(&w->out, "\"title\": \"The %s\", ", ONE_OF(w, things));
    paragraph(w, "/description", "description", 2);
    put(&w->out, ", \"chapters\": [");
    for (int i = 1; i <= 12; i++) {
        put(&w->out, "%s{\"id\": %d, \"title\": \"Day %d: the %s\", ", i == 1 ? "" : ", ", i, i,
            ONE_OF(w, things));
        (void)snprintf(path, sizeof path, "/chapters/%d/description", i - 1);
        paragraph(w, path, "description", 1);
        put(&w->out, ", \"characterFocus\": [\"%s\", \"%s\"]}", ids[i % 5], ids[(i + 2) % 5]);
    }
    put(&w->out, "], \"arcs\": {");
    for (unsigned i = 0; i < N(acts); i++) { /* which chapters are in them, the miner fills in */
        put(&w->out, "%s\"%s\": {", i == 0 ? "" : ", ", acts[i]);
        (void)snprintf(path, sizeof path, "/arcs/%s/description", acts[i]);
        paragraph(w, path, "description", 1);
        put(&w->out, "}");
    }
    put(&w->out,
        "}, \"themes\": {\"primary\": \"trust\", \"secondary\": [\"silence\"]}, \"hooks\": {");
    for (unsigned i = 0; i < N(hooks); i++) {
        put(&w->out, "%s", i == 0 ? "" : ", ");
        (void)snprintf(path, sizeof path, "/hooks/%s", hooks[i]);
        paragraph(w, path, hooks[i], 1);
    }
    put(&w->out, "}");
}

/* The last `"name":` of the request: its own, whatever stands in the story so far. */
static const char *member(const char *json, const char *name)
{
    const char *found = NULL;
    for (const char *at = strstr(json, name); at != NULL; at = strstr(at + 1, name)) {
        found = at + strlen(name);
    }
    return found == NULL ? "" : found;
}

static void chapters(struct writing *w)
{
    const char *at = member(w->call->request_json, "\"chapter_ids\":[");
    char path[64];
    put(&w->out, "\"chapters\": [");
    for (int i = 0; *at >= '0' && *at <= '9'; i++) {
        int id = 0;
        while (*at >= '0' && *at <= '9') {
            id = id < 100 ? 10 * id + (*at++ - '0') : 0;
        }
        at += *at == ',' ? 1 : 0;
        int next = id < 12 ? id + 1 : 12;
        put(&w->out, "%s{\"id\": %d, \"title\": \"Day %d: the %s\", ", i == 0 ? "" : ", ", id, id,
            ONE_OF(w, things));
        (void)snprintf(path, sizeof path, "/chapters/%d/content", i);
        paragraph(w, path, "content", 16);
        put(&w->out,
            ", \"choices\": [{\"text\": \"Follow the %s.\", \"nextChapter\": %d, \"consequences\": "
            "{\"mood\": \"brave\", \"resource_time\": \"-1\"}}, {\"text\": \"Wait in the %s until "
            "dark.\", \"nextChapter\": "
            "%d, \"consequences\": {\"mood\": \"wary\", \"relationship_ally\": \"+5\"}}]}",
            ONE_OF(w, things), next, ONE_OF(w, places), next < 12 ? next + 1 : 12);
    }
    put(&w->out, "]");
}

static const struct {
    const char *task;
    void (*write)(struct writing *w);
} tasks[] = {
    {"blueprint\"", blueprint},
    {"characters\"", characters},
    {"story_arc\"", story_arc},
    {"chapters\"", chapters},
};

/* ---- the interface --------------------------------------------------------------------------- */

static enum storyfi_status generate(void *self, const struct storyfi_call *call,
                                    struct storyfi_answer *answer)
{
    struct writing w = {.call = call, .random = call->seed};
    const char *task = member(call->request_json, "\"task_type\":\"");
    (void)self;
    put(&w.out, "{\"content\": {");
    for (unsigned i = 0; i < N(tasks); i++) {
        if (strncmp(task, tasks[i].task, strlen(tasks[i].task)) == 0) {
            tasks[i].write(&w);
        }
    }
    put(&w.out, "}}");
    answer->json = w.out.p; /* `release` frees it, whatever is returned */
    answer->n_json = w.out.n;
    if (must_stop(&w)) {
        return STORYFI_CANCELED;
    }
    if (w.out.failed) {
        (void)snprintf(answer->error, sizeof answer->error, "out of memory");
        return STORYFI_TEMPORARY;
    }
    return STORYFI_OK;
}

static void release(void *self, struct storyfi_answer *answer)
{
    (void)self;
    free(answer->json);
}

const struct storyfi_generator storyfi_generator = {
    .abi = STORYFI_GENERATOR_ABI,
    .struct_size = sizeof storyfi_generator,
    .name = "storyfi-example",
    .version = "1.0",
    .generate = generate,
    .release = release,
};

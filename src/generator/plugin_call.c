/* SPDX-License-Identifier: MIT */
#include "generator/plugin_call.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "generator/content.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define POLL_MS 20
#define GIVE_WAY_MS 1000
#define EVENTS_MAX 4096 /* not yet taken; further ones are dropped but for their sign of life */
#define EVENT_TEXT_MAX 65536
#define PATH_MAX_BYTES 128

/* An event on its way from the plugin's thread to the caller's. */
struct note {
    struct note *next;
    struct gen_event event;
    struct gen_usage usage;
    char path[PATH_MAX_BYTES];
    char text[];
};

/* A call in two threads: the one that has it returned last frees it. */
struct run {
    atomic_int refs;
    struct plugin_library *library;
    char *request, *partial;
    char **wanted;
    size_t n_wanted, n_request;
    int64_t deadline_ms;
    struct sf_time deadline;
    uint64_t seed;
    atomic_bool canceled;
    struct sf_buf text;   /* its thread's until it is done */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct note *first, **last;
    size_t n_notes;
    bool done, left;
    enum storyfi_status status;
    int32_t retry_after_ms;
    char error[256];
};

void plugin_library_init(struct plugin_library *l)
{
    *l = (struct plugin_library){.handle = NULL};
    atomic_init(&l->refs, 1);
    plugin_hands_init(&l->hands);
}

void plugin_library_ref(struct plugin_library *l)
{
    (void)atomic_fetch_add(&l->refs, 1);
}

void plugin_library_unref(struct plugin_library *l)
{
    if (l == NULL || atomic_fetch_sub(&l->refs, 1) > 1) {
        return;
    }
    plugin_hands_fini(&l->hands);
    if (l->opened && l->api->close != NULL) {
        l->api->close(l->self);
    }
    if (l->handle != NULL) {
        l->unload(l->handle);
    }
    free(l);
}

static void run_unref(struct run *r)
{
    if (r == NULL || atomic_fetch_sub(&r->refs, 1) > 1) {
        return;
    }
    while (r->first != NULL) {
        struct note *n = r->first;
        r->first = n->next;
        free(n);
    }
    for (size_t i = 0; r->wanted != NULL && i < r->n_wanted; i++) {
        free(r->wanted[i]), r->wanted[i] = NULL;
    }
    free(r->wanted), r->wanted = NULL;
    free(r->request), r->request = NULL;
    free(r->partial), r->partial = NULL;
    sf_buf_fini(&r->text);
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_cond_destroy(&r->changed);
    plugin_library_unref(r->library);
    free(r);
}

/* ---- what the plugin calls, on its threads --------------------------------------------------- */

static const enum gen_event_kind kinds[] = {
    [STORYFI_EVENT_PROGRESS] = GEN_EVENT_HEARTBEAT,
    [STORYFI_EVENT_SLOT_STARTED] = GEN_EVENT_SLOT_STARTED,
    [STORYFI_EVENT_SLOT_TEXT] = GEN_EVENT_SLOT_TEXT,
    [STORYFI_EVENT_SLOT_DONE] = GEN_EVENT_SLOT_DONE,
    [STORYFI_EVENT_USAGE] = GEN_EVENT_USAGE,
};

static bool is_slot(enum gen_event_kind kind)
{
    return kind == GEN_EVENT_SLOT_STARTED || kind == GEN_EVENT_SLOT_TEXT ||
           kind == GEN_EVENT_SLOT_DONE;
}

static int64_t tokens(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : n;
}

/* A copy that needs nothing of the plugin's. What makes no sense becomes a sign of life. */
static struct note *note_of(const struct storyfi_event *e)
{
    bool known = e->kind >= STORYFI_EVENT_PROGRESS && e->kind <= STORYFI_EVENT_USAGE;
    enum gen_event_kind kind = known ? kinds[e->kind] : GEN_EVENT_HEARTBEAT;
    struct sf_str text = {e->text, e->text == NULL ? 0 : e->n_text};
    size_t n_path = e->path == NULL ? 0 : strnlen(e->path, PATH_MAX_BYTES);
    bool fits = n_path > 0 && n_path < PATH_MAX_BYTES && text.n <= EVENT_TEXT_MAX &&
                sf_utf8_is_valid((struct sf_str){e->path, n_path}) && sf_utf8_is_valid(text);
    if (is_slot(kind) && !fits) {
        kind = GEN_EVENT_HEARTBEAT;
    }
    text.n = is_slot(kind) ? text.n : 0;
    struct note *n = sf_alloc(sizeof *n + text.n + 1);
    if (n == NULL) {
        return NULL;
    }
    n->event = (struct gen_event){.kind = kind, .done = e->done, .total = e->total};
    if (is_slot(kind)) {
        memcpy(n->path, e->path, n_path);
        memcpy(n->text, text.n == 0 ? "" : text.p, text.n);
        n->event.path = n->path;
        n->event.text = (struct sf_str){n->text, text.n};
    } else if (kind == GEN_EVENT_USAGE) {
        n->usage.prompt_tokens = tokens(e->prompt_tokens);
        n->usage.generated_tokens = tokens(e->generated_tokens);
        n->event.usage = &n->usage;
    }
    return n;
}

static void on_event(void *host, const struct storyfi_event *e)
{
    struct run *r = host;
    if (e == NULL || e->struct_size < sizeof *e) {
        return;
    }
    struct note *n = note_of(e);
    (void)pthread_mutex_lock(&r->lock);
    if (n != NULL && !r->left && r->n_notes < EVENTS_MAX) {
        *r->last = n;
        r->last = &n->next;
        r->n_notes++;
        n = NULL;
        (void)pthread_cond_signal(&r->changed);
    }
    (void)pthread_mutex_unlock(&r->lock);
    free(n);
}

static int is_canceled(void *host)
{
    struct run *r = host;
    return atomic_load(&r->canceled) || sf_until(r->deadline) <= 0;
}

static void job(void *arg, struct plugin_hand *hand)
{
    struct run *r = arg;
    const struct storyfi_generator *api = r->library->api;
    struct storyfi_answer answer = {.struct_size = sizeof answer};
    struct storyfi_call call = {.struct_size = sizeof call,
                                .n_wanted = (uint32_t)r->n_wanted,
                                .request_json = r->request,
                                .n_request_json = r->n_request,
                                .wanted = (const char *const *)r->wanted,
                                .partial_json = r->partial,
                                .deadline_ms = r->deadline_ms,
                                .seed = r->seed,
                                .host = r,
                                .event = on_event,
                                .is_canceled = is_canceled};
    enum storyfi_status status = api->generate(r->library->self, &call, &answer);
    answer.error[sizeof answer.error - 1] = '\0';
    if (answer.json != NULL && status == STORYFI_OK) {
        sf_buf_add(&r->text, answer.json, answer.n_json);
    }
    if (answer.json != NULL) {
        api->release(r->library->self, &answer);
    }
    plugin_hand_park(hand); /* before the caller knows: its next call finds this thread */
    (void)pthread_mutex_lock(&r->lock);
    r->status = status;
    r->retry_after_ms = answer.retry_after_ms;
    content_copy_text(sf_str(answer.error), r->error, sizeof r->error);
    r->done = true;
    bool left = r->left;
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_cond_signal(&r->changed); /* whom it wakes finds the lock free */
    if (left) {
        (void)atomic_fetch_sub(&r->library->wedged, 1);
    }
    run_unref(r);
}

/* ---- the caller's side ----------------------------------------------------------------------- */

static char *text_of(const json_t *v, size_t *n)
{
    struct sf_buf b;
    sf_buf_init(&b, 16U << 20);
    json_print(v, &b);
    *n = b.n;
    return sf_buf_take(&b);
}

static enum sf_err copy_call(struct run *r, const struct gen_call *call)
{
    size_t n;
    json_t *request = story_request_to_json(call->request);
    r->request = request == NULL ? NULL : text_of(request, &r->n_request);
    json_decref(request);
    r->wanted = sf_alloc((call->n_wanted + 1) * sizeof *r->wanted);
    bool ok = r->request != NULL && r->wanted != NULL;
    for (size_t i = 0; ok && i < call->n_wanted; i++) {
        r->wanted[i] = sf_strdup(call->wanted[i]);
        ok = r->wanted[i] != NULL;
        r->n_wanted = i + 1;
    }
    if (ok && call->partial != NULL) {
        r->partial = text_of(call->partial, &n);
        ok = r->partial != NULL;
    }
    return ok ? SF_OK : SF_ENOMEM;
}

static struct run *run_open(struct plugin_library *l, const struct gen_call *call,
                            struct sf_time deadline, size_t max_bytes)
{
    pthread_condattr_t attr;
    struct run *r = sf_alloc(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    atomic_init(&r->refs, 1);
    plugin_library_ref(l);
    r->library = l;
    r->deadline = deadline;
    r->deadline_ms = sf_until(deadline);
    r->seed = call->seed;
    r->last = &r->first;
    sf_buf_init(&r->text, max_bytes);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (copy_call(r, call) != SF_OK) {
        run_unref(r);
        return NULL;
    }
    return r;
}

/* Waits a little for something to happen and hands over the events so far. True when done. */
static bool take_events(struct run *r, const struct gen_call *call)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += POLL_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&r->lock);
    if (!r->done && r->first == NULL) {
        (void)pthread_cond_timedwait(&r->changed, &r->lock, &until);
    }
    struct note *list = r->first;
    r->first = NULL;
    r->last = &r->first;
    r->n_notes = 0;
    bool done = r->done;
    (void)pthread_mutex_unlock(&r->lock);
    while (list != NULL) {
        struct note *n = list;
        list = n->next;
        if (call->on_event != NULL) {
            call->on_event(call->event_arg, &n->event);
        }
        free(n);
    }
    return done;
}

/* SF_OK when it returned. */
static enum sf_err wait_for(struct run *r, const struct gen_call *call, struct sf_errbuf *eb)
{
    enum sf_err gone = SF_OK;
    struct sf_time patience = SF_NEVER;
    while (!take_events(r, call)) {
        if (gone == SF_OK && call->cancel != NULL && atomic_load(call->cancel)) {
            gone = SF_ECANCELED;
        } else if (gone == SF_OK && sf_until(r->deadline) <= 0) {
            gone = SF_ESLOW;
        }
        if (gone != SF_OK && !atomic_exchange(&r->canceled, true)) {
            patience = sf_after(sf_now(), GIVE_WAY_MS);
        }
        if (gone != SF_OK && sf_until(patience) <= 0) {
            (void)pthread_mutex_lock(&r->lock);
            bool done = r->done;
            r->left = !done;
            if (!done) {
                (void)atomic_fetch_add(&r->library->wedged, 1);
            }
            (void)pthread_mutex_unlock(&r->lock);
            return sf_fail(eb, gone, "%s%s", gone == SF_ESLOW ? "did not end in time" : "canceled",
                           done ? "" : ", and did not give way: left behind until it returns");
        }
    }
    return gone == SF_OK
               ? SF_OK
               : sf_fail(eb, gone, "%s", gone == SF_ESLOW ? "did not end in time" : "canceled");
}

static const struct {
    enum sf_err code;
    const char *words;
} outcomes[] = {
    [STORYFI_OK] = {SF_OK, ""},
    [STORYFI_TEMPORARY] = {SF_ETRANSIENT, "failed"},
    [STORYFI_RATE_LIMITED] = {SF_ERATE, "takes no more requests for now"},
    [STORYFI_ACCOUNT] = {SF_EACCOUNT, "its account was refused"},
    [STORYFI_REFUSED] = {SF_ECONTENT, "refuses this story"},
    [STORYFI_INCOMPLETE] = {SF_EINCOMPLETE, "wrote no whole answer"},
    [STORYFI_CANCELED] = {SF_ETRANSIENT, "gave up unasked"},
    [STORYFI_UNUSABLE] = {SF_ECONFIG, "is wrongly set up"},
};

static enum sf_err judge(struct run *r, struct sf_buf *text, struct sf_errbuf *eb)
{
    size_t at = (size_t)r->status;
    if (r->status == STORYFI_CANCELED && sf_until(r->deadline) <= 0) {
        return sf_fail(eb, SF_ESLOW, "did not end in time");
    }
    if (at >= sizeof outcomes / sizeof outcomes[0]) {
        return sf_fail(eb, SF_EINTERNAL, "returned the unknown status %d", (int)r->status);
    }
    if (r->status != STORYFI_OK) {
        (void)sf_fail(eb, outcomes[at].code, "%s%s%s", outcomes[at].words,
                      r->error[0] == '\0' ? "" : ": ", r->error);
        if (eb != NULL && r->status == STORYFI_RATE_LIMITED && r->retry_after_ms > 0) {
            eb->retry_after_ms = r->retry_after_ms;
        }
        return outcomes[at].code;
    }
    if (r->text.err == SF_ELIMIT) {
        return sf_fail(eb, SF_EINCOMPLETE, "answered more than %zu bytes", r->text.cap);
    }
    sf_buf_add_str(text, sf_buf_str(&r->text));
    return r->text.err == SF_OK ? text->err : r->text.err;
}

enum sf_err plugin_call(struct plugin_library *l, const struct gen_call *call,
                        struct sf_time deadline, struct sf_buf *text, struct sf_errbuf *eb)
{
    struct run *r = run_open(l, call, deadline, text->cap);
    if (r == NULL) {
        return SF_ENOMEM;
    }
    (void)atomic_fetch_add(&r->refs, 1);
    if (plugin_hands_start(&l->hands, job, r) != SF_OK) {
        (void)atomic_fetch_sub(&r->refs, 1);
        run_unref(r);
        return sf_fail(eb, SF_ENOMEM, "no thread to be had");
    }
    enum sf_err err = wait_for(r, call, eb);
    if (err == SF_OK) {
        err = judge(r, text, eb);
    }
    run_unref(r);
    return err;
}

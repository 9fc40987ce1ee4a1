/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/engine_internal.h"
#include "engine/protocol.h"

#include <string.h>

static json_t *string_array(const char *const *list, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(array, json_string(list[i]));
    }
    return array;
}

static json_t *submit_message(const struct engine_order *o, int64_t id)
{
    json_t *partial = o->partial == NULL ? json_null() : json_deep_copy(o->partial);
    json_t *prompt = o->prompt == NULL ? json_null() : json_string(o->prompt);
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:b, s:b, s:b}", "type",
                     "submit", "id", (json_int_t)id, "request", story_request_to_json(o->request),
                     "wanted", string_array(o->wanted, o->n_wanted), "partial", partial, "prompt",
                     prompt, "deadline_ms", (json_int_t)sf_until(o->deadline), "target_ms",
                     (json_int_t)sf_until(o->target), "seed",
                     (json_int_t)(o->seed & (uint64_t)INT64_MAX), "languages",
                     string_array(o->languages, o->n_languages), "instruct", o->instruct, "small",
                     o->small, "sequential", o->sequential);
}

static enum sf_err send_message(struct engine *e, json_t *message_own)
{
    (void)pthread_mutex_lock(&e->write_lock);
    enum sf_err err = SF_ECRASH;
    if (e->fd >= 0) {
        err = protocol_write(e->fd, message_own);
    } else {
        json_decref(message_own);
    }
    (void)pthread_mutex_unlock(&e->write_lock);
    return err;
}

static enum sf_err enter(struct engine *e, struct call *c, struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    (void)pthread_mutex_lock(&e->lock);
    if (e->status.state != ENGINE_READY || e->closing) {
        err = sf_fail(eb, SF_EUNAVAILABLE, "%s", e->status.reason);
    } else {
        if (e->calls == NULL) {
            e->last_event = sf_now(); /* silence counts from here */
        }
        c->id = ++e->last_id;
        c->last = &c->first;
        c->next = e->calls;
        e->calls = c;
    }
    (void)pthread_mutex_unlock(&e->lock);
    return err;
}

static void leave(struct engine *e, struct call *c)
{
    (void)pthread_mutex_lock(&e->lock);
    struct call **at = &e->calls;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    (void)pthread_cond_broadcast(&e->changed);
    (void)pthread_mutex_unlock(&e->lock);
    while (c->first != NULL) {
        struct queued *q = c->first;
        c->first = q->next;
        json_decref(q->message);
        free(q);
    }
}

static bool is_canceled(const struct engine_order *o)
{
    return o->cancel != NULL && atomic_load(o->cancel);
}

/* The next message for this call; NULL with a reason when there will be none. */
static json_t *next_message(struct engine *e, struct call *c, const struct engine_order *o,
                            enum sf_err *why)
{
    json_t *m = NULL;
    *why = SF_OK;
    (void)pthread_mutex_lock(&e->lock);
    while (c->first == NULL && *why == SF_OK) {
        if (c->failed != SF_OK) {
            *why = c->failed;
        } else if (is_canceled(o)) {
            *why = SF_ECANCELED;
        } else if (sf_until(o->deadline) <= 0) {
            *why = SF_EDEADLINE;
        } else {
            engine_wait_change(e);
        }
    }
    if (c->first != NULL) {
        struct queued *q = c->first;
        c->first = q->next;
        c->last = c->first == NULL ? &c->first : c->last;
        c->n_queued--;
        m = q->message;
        free(q);
    }
    (void)pthread_mutex_unlock(&e->lock);
    return m;
}

static enum sf_err follow(struct engine *e, struct call *c, const struct engine_order *o,
                          json_t **out, struct sf_errbuf *eb)
{
    for (;;) {
        enum sf_err why;
        json_t *m = next_message(e, c, o, &why);
        if (m == NULL) {
            if (why == SF_ECRASH) {
                struct engine_status status;
                engine_get_status(e, &status);
                return sf_fail(eb, why, "%s", status.reason);
            }
            return sf_fail(eb, why, "%s", sf_err_info(why)->text);
        }
        const char *type = json_get_string(m, "type");
        if (strcmp(type, "result") == 0) {
            *out = m;
            return SF_OK;
        }
        if (strcmp(type, "error") == 0) {
            const char *text = json_get_string(m, "text");
            enum sf_err err = sf_fail(eb, protocol_error_code(json_get_string(m, "code")), "%s",
                                      text == NULL ? "no reason given" : text);
            json_decref(m);
            return err;
        }
        if (o->on_message != NULL) {
            o->on_message(o->arg, m);
        }
        json_decref(m);
    }
}

enum sf_err engine_generate(struct engine *e, const struct engine_order *order, json_t **out,
                            struct sf_errbuf *eb)
{
    struct call c = {.failed = SF_OK};
    enum sf_err err = enter(e, &c, eb);
    if (err != SF_OK) {
        return err;
    }
    err = send_message(e, submit_message(order, c.id));
    if (err != SF_OK) {
        err = sf_fail(eb, SF_ECRASH, "the engine process takes no requests");
    } else {
        err = follow(e, &c, order, out, eb);
        if (err == SF_ECANCELED || err == SF_EDEADLINE) {
            /* The child stops between two decodes; a failed write is the supervisor's to see. */
            enum sf_err ignored =
                send_message(e, json_pack("{s:s, s:I}", "type", "cancel", "id", (json_int_t)c.id));
            (void)ignored;
        }
    }
    leave(e, &c);
    return err;
}

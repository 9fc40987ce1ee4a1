/* SPDX-License-Identifier: MIT */
#include "generator/plugin_call.h"

#include "base/mem.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A plugin inside the test. */
static atomic_int releases, closes, cancels_seen;
static atomic_bool let_go;
static atomic_uintptr_t last_thread;

static enum storyfi_status say(struct storyfi_answer *answer, const char *text)
{
    answer->json = sf_strdup(text);
    answer->n_json = strlen(text);
    return STORYFI_OK;
}

static enum storyfi_status talk(void *self, const struct storyfi_call *call,
                                struct storyfi_answer *answer)
{
    struct storyfi_event e = {.struct_size = sizeof e,
                              .kind = STORYFI_EVENT_SLOT_TEXT,
                              .path = "/title",
                              .text = "The ",
                              .n_text = 4};
    (void)self;
    call->event(call->host, &e);
    e.text = "Sea";
    e.n_text = 3;
    call->event(call->host, &e);
    assert_int_equal(call->n_wanted, 1);
    assert_string_equal(call->wanted[0], "/title");
    assert_string_equal(call->partial_json, "{\"tone\":\"calm\"}");
    assert_non_null(strstr(call->request_json, "\"task_type\":\"blueprint\""));
    return say(answer, "{\"content\":{}}");
}

static enum storyfi_status wait_politely(void *self, const struct storyfi_call *call,
                                         struct storyfi_answer *answer)
{
    (void)self;
    while (!call->is_canceled(call->host)) {
        (void)poll(NULL, 0, 2);
    }
    atomic_fetch_add(&cancels_seen, 1);
    (void)say(answer, "late");
    return STORYFI_CANCELED;
}

static enum storyfi_status be_deaf(void *self, const struct storyfi_call *call,
                                   struct storyfi_answer *answer)
{
    (void)self;
    (void)call;
    while (!atomic_load(&let_go)) {
        (void)poll(NULL, 0, 2);
    }
    return say(answer, "very late");
}

static enum storyfi_status limit(void *self, const struct storyfi_call *call,
                                 struct storyfi_answer *answer)
{
    (void)self;
    (void)call;
    answer->retry_after_ms = 1500;
    memset(answer->error, 'x', sizeof answer->error); /* not even a NUL */
    return STORYFI_RATE_LIMITED;
}

static enum storyfi_status invent(void *self, const struct storyfi_call *call,
                                  struct storyfi_answer *answer)
{
    (void)self;
    (void)call;
    (void)answer;
    return (enum storyfi_status)77;
}

static enum storyfi_status tell_thread(void *self, const struct storyfi_call *call,
                                       struct storyfi_answer *answer)
{
    (void)self;
    (void)call;
    atomic_store(&last_thread, (uintptr_t)pthread_self());
    return say(answer, "{}");
}

/* The one or the other, as the test wants it. */
static atomic_bool deaf;

static enum storyfi_status tell_thread_or_be_deaf(void *self, const struct storyfi_call *call,
                                                  struct storyfi_answer *answer)
{
    return (atomic_load(&deaf) ? be_deaf : tell_thread)(self, call, answer);
}

static void release(void *self, struct storyfi_answer *answer)
{
    (void)self;
    atomic_fetch_add(&releases, 1);
    free(answer->json);
}

static void count_close(void *self)
{
    (void)self;
    atomic_fetch_add(&closes, 1);
}

static void keep_text(void *arg, const struct gen_event *e)
{
    char *text = arg;
    if (e->kind == GEN_EVENT_SLOT_TEXT) {
        assert_string_equal(e->path, "/title");
        size_t n = strlen(text);
        (void)snprintf(text + n, 32 - n, "%.*s", SF_STR_ARG(e->text));
    }
}

static struct storyfi_generator api = {.abi = STORYFI_GENERATOR_ABI,
                                       .struct_size = sizeof api,
                                       .release = release,
                                       .close = count_close};

typedef enum storyfi_status (*generate_fn)(void *, const struct storyfi_call *,
                                           struct storyfi_answer *);

static struct plugin_library *library_of(generate_fn generate)
{
    struct plugin_library *l = sf_xalloc(sizeof *l);
    plugin_library_init(l);
    l->api = &api;
    l->opened = true;
    api.generate = generate;
    return l;
}

static enum sf_err call_library(struct plugin_library *l, sf_ms within, const atomic_bool *cancel,
                                char *said, struct sf_errbuf *eb)
{
    static const char *const wanted[] = {"/title"};
    json_t *body = json_pack("{s:s, s:s}", "task_type", "blueprint", "user_input", "sea");
    json_t *partial = json_pack("{s:s}", "tone", "calm");
    struct story_request request;
    struct sf_buf text;
    assert_int_equal(story_request_init(&request, body, NULL), SF_OK);
    struct sf_time until = sf_after(sf_now(), within);
    struct gen_call call = {.request = &request,
                            .wanted = wanted,
                            .n_wanted = 1,
                            .partial = partial,
                            .deadline = until,
                            .target = until,
                            .on_event = keep_text,
                            .event_arg = said,
                            .cancel = cancel};
    sf_buf_init(&text, 100);
    *eb = (struct sf_errbuf){.code = SF_OK};
    enum sf_err err = plugin_call(l, &call, until, &text, eb);
    story_request_fini(&request);
    sf_buf_fini(&text);
    json_decref(partial);
    json_decref(body);
    return err;
}

/* One call, after which the test's own hold on the plugin is dropped. */
static enum sf_err call_plugin(generate_fn generate, sf_ms within, const atomic_bool *cancel,
                               char *said, struct sf_errbuf *eb)
{
    struct plugin_library *l = library_of(generate);
    enum sf_err err = call_library(l, within, cancel, said, eb);
    plugin_library_unref(l);
    return err;
}

/* The plugin's thread may still be on its way out. */
static void wait_for_count(atomic_int *count, int n)
{
    for (int i = 0; atomic_load(count) != n && i < 5000; i++) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(count), n);
}

static void events_and_wishes_pass_through(void **state)
{
    char said[32] = "";
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(call_plugin(talk, 10000, NULL, said, &eb), SF_OK);
    assert_string_equal(said, "The Sea");
    wait_for_count(&closes, 1);
    assert_int_equal(atomic_load(&releases), 1);
}

static void one_that_gives_way_is_waited_for(void **state)
{
    char said[32] = "";
    atomic_bool cancel = true;
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(call_plugin(wait_politely, 10000, &cancel, said, &eb), SF_ECANCELED);
    assert_int_equal(call_plugin(wait_politely, 30, NULL, said, &eb), SF_ESLOW);
    assert_string_equal(eb.text, "did not end in time");
    wait_for_count(&cancels_seen, 2);
    wait_for_count(&closes, 3);
}

static void one_that_is_deaf_is_left_behind_and_freed_when_it_returns(void **state)
{
    char said[32] = "";
    atomic_bool cancel = true;
    struct sf_errbuf eb;
    struct sf_time started = sf_now();
    (void)state;
    assert_int_equal(call_plugin(be_deaf, 10000, &cancel, said, &eb), SF_ECANCELED);
    assert_non_null(strstr(eb.text, "left behind"));
    assert_in_range(sf_between(started, sf_now()), 900, 4000);
    assert_int_equal(atomic_load(&closes), 3); /* its code still runs: not closed */
    atomic_store(&let_go, true);
    wait_for_count(&closes, 4);
}

static void what_it_returns_is_not_believed(void **state)
{
    char said[32] = "";
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(call_plugin(limit, 10000, NULL, said, &eb), SF_ERATE);
    assert_int_equal(eb.retry_after_ms, 1500);
    assert_int_equal(call_plugin(invent, 10000, NULL, said, &eb), SF_EINTERNAL);
    assert_non_null(strstr(eb.text, "unknown status 77"));
    wait_for_count(&closes, 6);
}

static void calls_one_after_the_other_share_a_thread(void **state)
{
    char said[32] = "";
    struct sf_errbuf eb;
    struct plugin_library *l = library_of(tell_thread);
    (void)state;
    assert_int_equal(call_library(l, 10000, NULL, said, &eb), SF_OK);
    uintptr_t first = atomic_load(&last_thread);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(call_library(l, 10000, NULL, said, &eb), SF_OK);
        assert_true(atomic_load(&last_thread) == first);
    }
    assert_int_equal(l->hands.n_idle, 1);
    plugin_library_unref(l);
    wait_for_count(&closes, 7);
}

static void after_one_left_behind_comes_a_new_thread(void **state)
{
    char said[32] = "";
    atomic_bool cancel = true;
    struct sf_errbuf eb;
    struct plugin_library *l = library_of(tell_thread_or_be_deaf);
    (void)state;
    assert_int_equal(call_library(l, 10000, NULL, said, &eb), SF_OK);
    uintptr_t first = atomic_load(&last_thread);
    atomic_store(&let_go, false);
    atomic_store(&deaf, true);
    assert_int_equal(call_library(l, 10000, &cancel, said, &eb), SF_ECANCELED);
    assert_int_equal(atomic_load(&l->wedged), 1);
    atomic_store(&deaf, false);
    assert_int_equal(call_library(l, 10000, NULL, said, &eb), SF_OK);
    assert_true(atomic_load(&last_thread) != first);
    atomic_store(&let_go, true);
    wait_for_count(&l->wedged, 0);
    plugin_library_unref(l);
    wait_for_count(&closes, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_wishes_pass_through),
        cmocka_unit_test(one_that_gives_way_is_waited_for),
        cmocka_unit_test(one_that_is_deaf_is_left_behind_and_freed_when_it_returns),
        cmocka_unit_test(what_it_returns_is_not_believed),
        cmocka_unit_test(calls_one_after_the_other_share_a_thread),
        cmocka_unit_test(after_one_left_behind_comes_a_new_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

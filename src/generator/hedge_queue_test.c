/* SPDX-License-Identifier: MIT */
#include "generator/hedge_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct told {
    int n;
    char texts[64];
    int64_t requests;
};

static void tell(void *arg, const struct gen_event *e)
{
    struct told *t = arg;
    size_t used = strlen(t->texts);
    (void)snprintf(t->texts + used, sizeof t->texts - used, "%s=%.*s;",
                   e->path == NULL ? "" : e->path, SF_STR_ARG(e->text));
    t->requests = e->usage == NULL ? t->requests : e->usage->requests;
    t->n++;
}

static void events_come_as_copies_and_in_order(void **state)
{
    (void)state;
    struct hedge_queue q;
    struct told told = {.n = 0};
    char path[] = "/title", text[] = "One";
    struct gen_usage usage = {.requests = 3};
    hedge_queue_init(&q);
    assert_true(hedge_queue_put(
        &q, &(struct gen_event){.kind = GEN_EVENT_SLOT_TEXT, .path = path, .text = {text, 3}}));
    assert_true(hedge_queue_put(&q, &(struct gen_event){.kind = GEN_EVENT_USAGE, .usage = &usage}));
    memset(path, 'x', sizeof path - 1);
    memset(text, 'x', sizeof text - 1);
    usage.requests = 0;
    hedge_notes_tell(hedge_queue_take(&q), tell, &told);
    assert_int_equal(told.n, 2);
    assert_string_equal(told.texts, "/title=One;=;");
    assert_int_equal(told.requests, 3);
    assert_null(hedge_queue_take(&q));
}

static void a_full_queue_takes_no_more_until_it_is_emptied(void **state)
{
    (void)state;
    struct hedge_queue q;
    char text[1000];
    int n = 0;
    struct gen_event e = {.kind = GEN_EVENT_SLOT_TEXT, .path = "/a", .text = {text, sizeof text}};
    memset(text, 'a', sizeof text);
    hedge_queue_init(&q);
    while (hedge_queue_put(&q, &e)) {
        n++;
        assert_in_range(n, 1, 1049); /* a MiB */
    }
    assert_in_range(n, 800, 1049);
    hedge_notes_tell(hedge_queue_take(&q), NULL, NULL);
    assert_true(hedge_queue_put(&q, &e));
    hedge_notes_tell(hedge_queue_take(&q), NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_as_copies_and_in_order),
        cmocka_unit_test(a_full_queue_takes_no_more_until_it_is_emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

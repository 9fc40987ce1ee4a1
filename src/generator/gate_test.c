/* SPDX-License-Identifier: MIT */
#include "generator/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int queued_events;

static void count_queued(void *arg, const struct gen_event *e)
{
    (void)arg;
    queued_events += e->kind == GEN_EVENT_QUEUED ? 1 : 0;
}

static void places_are_given_back_and_waiting_is_shown(void **state)
{
    struct gate g;
    struct sf_errbuf eb = {.code = SF_OK};
    atomic_bool cancel = true;
    (void)state;
    gate_init(&g, 2);
    struct gen_call call = {.deadline = sf_after(sf_now(), 50), .on_event = count_queued};
    assert_int_equal(gate_enter(&g, &call, &eb), SF_OK);
    assert_int_equal(gate_enter(&g, &call, &eb), SF_OK);
    assert_int_equal(queued_events, 0);
    assert_int_equal(gate_enter(&g, &call, &eb), SF_EBUSY);
    assert_non_null(strstr(eb.text, "all 2 calls"));
    assert_true(queued_events > 0);
    call.cancel = &cancel;
    assert_int_equal(gate_enter(&g, &call, &eb), SF_ECANCELED);
    gate_leave(&g);
    assert_int_equal(gate_enter(&g, &call, &eb), SF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_given_back_and_waiting_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

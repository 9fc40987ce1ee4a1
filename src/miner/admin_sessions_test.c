/* SPDX-License-Identifier: MIT */
#include "miner/admin_sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t now_ms = 1000;
static int64_t read_clock(void)
{
    return now_ms;
}

static struct admin_sessions s;

static int setup(void **state)
{
    (void)state;
    sf_clock_inject(read_clock, NULL);
    admin_sessions_init(&s);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    admin_sessions_fini(&s);
    sf_clock_inject(NULL, NULL);
    return 0;
}

static void a_session_is_known_until_it_ends(void **state)
{
    char a[SESSION_ID_LEN + 1], b[SESSION_ID_LEN + 1];
    (void)state;
    admin_sessions_begin(&s, a);
    admin_sessions_begin(&s, b);
    assert_int_equal(strlen(a), SESSION_ID_LEN);
    assert_string_not_equal(a, b);
    assert_true(admin_sessions_has(&s, sf_str(a)));
    admin_sessions_end(&s, sf_str(a));
    assert_false(admin_sessions_has(&s, sf_str(a)));
    assert_true(admin_sessions_has(&s, sf_str(b)));
    assert_false(admin_sessions_has(&s, (struct sf_str){b, SESSION_ID_LEN - 1}));
    assert_false(admin_sessions_has(&s, sf_str("")));
    memset(a, '0', SESSION_ID_LEN);
    assert_false(admin_sessions_has(&s, sf_str(a)));
    memset(a, 0, SESSION_ID_LEN); /* what a free place holds */
    assert_false(admin_sessions_has(&s, (struct sf_str){a, SESSION_ID_LEN}));
}

static void sessions_expire_idle_and_in_the_end(void **state)
{
    char a[SESSION_ID_LEN + 1], b[SESSION_ID_LEN + 1];
    (void)state;
    admin_sessions_begin(&s, a);
    admin_sessions_begin(&s, b);
    now_ms += SESSION_IDLE_MS;
    assert_true(admin_sessions_has(&s, sf_str(a)));
    now_ms += 1;
    assert_false(admin_sessions_has(&s, sf_str(b)));
    for (sf_ms spent = SESSION_IDLE_MS; spent + SESSION_IDLE_MS < SESSION_LIFE_MS;
         spent += SESSION_IDLE_MS) {
        assert_true(admin_sessions_has(&s, sf_str(a)));
        now_ms += SESSION_IDLE_MS;
    }
    now_ms += SESSION_IDLE_MS;
    assert_false(admin_sessions_has(&s, sf_str(a)));
}

static void a_full_table_ends_the_one_idle_longest(void **state)
{
    char ids[SESSIONS_MAX + 1][SESSION_ID_LEN + 1];
    (void)state;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        now_ms++;
        admin_sessions_begin(&s, ids[i]);
    }
    now_ms++;
    assert_true(admin_sessions_has(&s, sf_str(ids[0])));
    admin_sessions_begin(&s, ids[SESSIONS_MAX]);
    for (size_t i = 0; i <= SESSIONS_MAX; i++) {
        assert_int_equal(admin_sessions_has(&s, sf_str(ids[i])), i != 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_is_known_until_it_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_expire_idle_and_in_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_table_ends_the_one_idle_longest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

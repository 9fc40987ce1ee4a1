/* SPDX-License-Identifier: MIT */
#include "miner/callers.h"

#include "base/mem.h"
#include "bittensor/ss58.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)
#define STALE (2 * HOUR)

static _Atomic int64_t now_ms = 10 * HOUR;

static int64_t fake_now(void)
{
    return now_ms;
}

static const struct conf *conf_of(const char *yaml)
{
    const struct conf *conf = NULL;
    static const char *const no_environment[] = {NULL};
    struct conf_source source = {
        .yaml = sf_str(yaml), .dotenv = SF_STR(""), .environment = no_environment};
    struct sf_errbuf eb = {.code = SF_OK};
    if (conf_load(&source, &conf, NULL, &eb) != SF_OK)
        fail_msg("%s", eb.text);
    return conf;
}

static struct callers *open_with(const char *yaml)
{
    struct callers *c = NULL;
    const struct conf *conf = conf_of(yaml);
    assert_int_equal(callers_open(conf, STALE, &c), SF_OK);
    conf_unref(conf);
    return c;
}

/* Hotkeys 1 … n: odd ones have a permit, and as much stake as their number. */
static void update(struct callers *c, uint8_t n)
{
    struct metagraph g = {.neurons = sf_xalloc(n * sizeof *g.neurons), .n = n};
    for (uint8_t i = 0; i < n; i++) {
        g.neurons[i] = (struct metagraph_neuron){
            .hotkey = {(uint8_t)(i + 1)},
            .total_stake_rao = (i + 1) * UINT64_C(1000000000),
            .validator_permit = i % 2 == 0,
        };
    }
    callers_update(c, &g, sf_now());
    assert_null(g.neurons);
}

static enum sf_err registered(struct callers *c, uint8_t who)
{
    uint8_t key[32] = {who};
    return callers_check_registered(c, key, NULL);
}

static enum sf_err standing(struct callers *c, uint8_t who, double *stake)
{
    uint8_t key[32] = {who};
    return callers_check_standing(c, key, stake, NULL);
}

static void text_of(uint8_t who, char out[SS58_MAX])
{
    uint8_t key[32] = {who};
    ss58_encode(key, out);
}

static void without_a_metagraph_it_is_open(void **state)
{
    double stake = 9;
    struct callers_status s;
    (void)state;
    struct callers *c = open_with("offline: true\nblacklist: {force_validator_permit: true}\n");
    assert_int_equal(registered(c, 1), SF_OK);
    assert_int_equal(standing(c, 1, &stake), SF_OK);
    assert_true(stake < 1);
    callers_status(c, &s);
    assert_int_equal(s.state, CALLERS_OPEN);
    assert_int_equal(s.age_ms, -1);
    callers_close(c);
    c = open_with("netuid: 1\nblacklist: {when_stale: closed}\n");
    assert_int_equal(registered(c, 1), SF_EFORBIDDEN); /* nobody is known, and it was to be shut */
    callers_close(c);
}

static void the_registered_are_answered_and_others_are_not(void **state)
{
    (void)state;
    struct callers *c = open_with("netuid: 1\n");
    update(c, 3);
    assert_int_equal(registered(c, 3), SF_OK);
    assert_int_equal(registered(c, 4), SF_EFORBIDDEN);
    update(c, 4); /* the next metagraph */
    assert_int_equal(registered(c, 4), SF_OK);
    update(c, 2);
    assert_int_equal(registered(c, 3), SF_EFORBIDDEN);
    const struct conf *conf = conf_of("netuid: 1\nblacklist: {allow_non_registered: true}\n");
    callers_configure(c, conf);
    conf_unref(conf);
    assert_int_equal(registered(c, 3), SF_OK);
    callers_close(c);
}

static void the_lists_win(void **state)
{
    char yaml[512], allowed[SS58_MAX], both[SS58_MAX];
    double stake;
    uint8_t key[32] = {8};
    (void)state;
    text_of(7, allowed);
    text_of(8, both);
    (void)snprintf(yaml, sizeof yaml,
                   "netuid: 1\nblacklist:\n  allow: [%s, %s, nonsense]\n  deny: [%s]\n"
                   "  min_stake: 1000\n  force_validator_permit: true\n  when_stale: closed\n"
                   "axon: {max_requests_per_hotkey_per_minute: 1}\n",
                   allowed, both, both);
    struct callers *c = open_with(yaml);
    assert_int_equal(registered(c, 7), SF_OK);
    assert_int_equal(registered(c, 6), SF_EFORBIDDEN);
    update(c, 3);
    assert_int_equal(registered(c, 7), SF_OK);
    assert_int_equal(standing(c, 7, &stake), SF_OK);
    assert_int_equal(standing(c, 3, &stake), SF_EFORBIDDEN);
    assert_int_equal(callers_check_denied(c, key, NULL), SF_EFORBIDDEN);
    key[0] = 7;
    assert_int_equal(callers_check_denied(c, key, NULL), SF_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(callers_check_rate(c, key, NULL), SF_OK);
    now_ms += 3 * HOUR;
    assert_int_equal(registered(c, 7), SF_OK);
    callers_close(c);
}

/* As long as nobody knows who is registered, an allow list is all there is to go by. */
static void an_allow_list_alone_closes_what_is_open(void **state)
{
    char yaml[256], allowed[SS58_MAX];
    (void)state;
    text_of(7, allowed);
    (void)snprintf(yaml, sizeof yaml, "offline: true\nblacklist: {allow: [%s]}\n", allowed);
    struct callers *c = open_with(yaml);
    assert_int_equal(registered(c, 7), SF_OK);
    assert_int_equal(registered(c, 6), SF_EFORBIDDEN);
    callers_close(c);
}

static void permit_and_stake_are_asked_for_when_told(void **state)
{
    double stake = 0;
    (void)state;
    struct callers *c = open_with("netuid: 1\nblacklist: {force_validator_permit: true}\n");
    update(c, 4);
    assert_int_equal(standing(c, 3, &stake), SF_OK);
    assert_true(stake > 2.99 && stake < 3.01);
    assert_int_equal(standing(c, 2, &stake), SF_EFORBIDDEN);
    const struct conf *conf = conf_of("netuid: 1\nblacklist: {min_stake: 2.5}\n");
    callers_configure(c, conf);
    conf_unref(conf);
    assert_int_equal(standing(c, 2, &stake), SF_EFORBIDDEN);
    assert_int_equal(standing(c, 3, &stake), SF_OK);
    callers_close(c);
}

static void a_stale_metagraph_is_as_configured(void **state)
{
    static const struct {
        const char *yaml;
        enum sf_err known, unknown;
    } cases[] = {
        {"netuid: 1\n", SF_OK, SF_EFORBIDDEN},
        {"netuid: 1\nblacklist: {when_stale: open}\n", SF_OK, SF_OK},
        {"netuid: 1\nblacklist: {when_stale: closed}\n", SF_EFORBIDDEN, SF_EFORBIDDEN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct callers_status s;
        struct callers *c = open_with(cases[i].yaml);
        update(c, 2);
        now_ms += STALE;
        assert_int_equal(registered(c, 2), SF_OK);
        assert_int_equal(registered(c, 3), SF_EFORBIDDEN);
        now_ms += 1;
        assert_int_equal(registered(c, 2), cases[i].known);
        assert_int_equal(registered(c, 3), cases[i].unknown);
        callers_status(c, &s);
        assert_int_equal(s.state, CALLERS_STALE);
        assert_int_equal(s.registered, 2);
        update(c, 3); /* the chain is back */
        assert_int_equal(registered(c, 3), SF_OK);
        callers_status(c, &s);
        assert_int_equal(s.state, CALLERS_FRESH);
        callers_close(c);
    }
}

static void an_address_has_its_limit_and_only_its_own(void **state)
{
    (void)state;
    struct callers *c = open_with("axon: {max_requests_per_ip_per_minute: 20}\n");
    for (int i = 0; i < 20; i++)
        assert_int_equal(callers_check_address(c, "127.0.0.9", NULL), SF_OK);
    assert_int_equal(callers_check_address(c, "127.0.0.9", NULL), SF_ETOOMANY);
    assert_int_equal(callers_check_address(c, "::ffff:127.0.0.9", NULL), SF_ETOOMANY);
    assert_int_equal(callers_check_address(c, "127.0.0.10", NULL), SF_OK);
    for (int i = 0; i < 20; i++) { /* all of a /64 is one */
        char ip[46];
        (void)snprintf(ip, sizeof ip, "2001:db8::%x", i + 1);
        assert_int_equal(callers_check_address(c, ip, NULL), SF_OK);
    }
    assert_int_equal(callers_check_address(c, "2001:db8::ffff", NULL), SF_ETOOMANY);
    assert_int_equal(callers_check_address(c, "2001:db8:0:1::1", NULL), SF_OK);
    assert_int_equal(callers_check_address(c, "fe80::1%eth0", NULL), SF_OK);
    now_ms += 3000;
    assert_int_equal(callers_check_address(c, "127.0.0.9", NULL), SF_OK);
    callers_close(c);
}

static void a_crowd_leaves_room_for_known_addresses(void **state)
{
    (void)state;
    struct callers *c = open_with("axon: {max_requests_per_ip_per_minute: 20}\n");
    assert_true(callers_may_connect(c, "127.0.0.1", false));
    assert_false(callers_may_connect(c, "127.0.0.1", true));
    callers_verified(c, "127.0.0.1");
    assert_true(callers_may_connect(c, "127.0.0.1", true));
    assert_false(callers_may_connect(c, "127.0.0.2", true));
    for (int i = 0; i < 18; i++)
        assert_true(callers_may_connect(c, "127.0.0.1", false));
    assert_false(callers_may_connect(c, "127.0.0.1", false)); /* and nobody dials without end */
    assert_int_equal(callers_check_address(c, "127.0.0.1", NULL), SF_OK); /* counted apart */
    now_ms += 2 * HOUR;
    assert_false(callers_may_connect(c, "127.0.0.1", true));
    callers_close(c);
}

/* Before the signature a hotkey may be claimed as often as somebody likes. */
static void claims_cost_a_hotkey_nothing(void **state)
{
    uint8_t key[32] = {1};
    (void)state;
    struct callers *c = open_with("netuid: 1\naxon: {max_requests_per_hotkey_per_minute: 5}\n");
    update(c, 2);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(callers_check_denied(c, key, NULL), SF_OK);
        assert_int_equal(callers_check_registered(c, key, NULL), SF_OK);
    }
    for (int i = 0; i < 5; i++)
        assert_int_equal(callers_check_rate(c, key, NULL), SF_OK);
    assert_int_equal(callers_check_rate(c, key, NULL), SF_ETOOMANY);
    callers_close(c);
}

static void out_of_memory_keeps_what_there_is(void **state)
{
    (void)state;
    struct callers *c = open_with("netuid: 1\n");
    update(c, 2);
    struct metagraph g = {.neurons = sf_xalloc(sizeof *g.neurons), .n = 1};
    sf_mem_fail_after(0, 1);
    callers_update(c, &g, sf_now());
    sf_mem_fail_after(-1, 0);
    assert_null(g.neurons);
    assert_int_equal(registered(c, 2), SF_OK);
    callers_close(c);
    const struct conf *conf = conf_of("netuid: 1\n");
    for (long n = 0; n < 6; n++) {
        sf_mem_fail_after(n, 1);
        assert_int_equal(callers_open(conf, STALE, &c), SF_ENOMEM);
        sf_mem_fail_after(-1, 0);
    }
    conf_unref(conf);
}

struct race {
    struct callers *c;
    atomic_bool over;
};

static void *ask(void *arg)
{
    struct race *r = arg;
    while (!atomic_load(&r->over)) {
        double stake = 0;
        SF_BUG_ON(registered(r->c, 2) != SF_OK);
        SF_BUG_ON(standing(r->c, 2, &stake) != SF_OK || stake < 1.9);
        SF_BUG_ON(callers_check_address(r->c, "127.0.0.1", NULL) != SF_OK);
    }
    return NULL;
}

static void it_changes_while_others_ask(void **state)
{
    pthread_t threads[2];
    (void)state;
    struct race r = {.c = open_with("netuid: 1\naxon: {max_requests_per_ip_per_minute: 0}\n")};
    const struct conf *conf = conf_of("netuid: 1\naxon: {max_requests_per_ip_per_minute: 0}\n");
    update(r.c, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &r), 0);
    for (uint8_t i = 0; i < 200; i++) {
        update(r.c, (uint8_t)(2 + i));
        callers_configure(r.c, conf);
    }
    atomic_store(&r.over, true);
    for (size_t i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    conf_unref(conf);
    callers_close(r.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_metagraph_it_is_open),
        cmocka_unit_test(the_registered_are_answered_and_others_are_not),
        cmocka_unit_test(the_lists_win),
        cmocka_unit_test(an_allow_list_alone_closes_what_is_open),
        cmocka_unit_test(permit_and_stake_are_asked_for_when_told),
        cmocka_unit_test(a_stale_metagraph_is_as_configured),
        cmocka_unit_test(an_address_has_its_limit_and_only_its_own),
        cmocka_unit_test(a_crowd_leaves_room_for_known_addresses),
        cmocka_unit_test(claims_cost_a_hotkey_nothing),
        cmocka_unit_test(out_of_memory_keeps_what_there_is),
        cmocka_unit_test(it_changes_while_others_ask),
    };
    sf_clock_inject(fake_now, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

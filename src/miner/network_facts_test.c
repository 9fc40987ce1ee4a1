/* SPDX-License-Identifier: MIT */
#include "miner/network_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct metagraph_neuron neurons[3];
static struct metagraph graph;
static uint8_t own[32];

static int64_t now_ms;
static int64_t clock_ms(void)
{
    return now_ms;
}

/* uid 0 a validator, uid 1 ours, uid 2 another miner that earns more. */
static int fill(void **state)
{
    (void)state;
    memset(neurons, 0, sizeof neurons);
    memset(own, 7, sizeof own);
    memcpy(neurons[1].hotkey, own, sizeof own);
    neurons[0].validator_permit = true;
    neurons[1].emission_rao = 1234567890;
    neurons[1].incentive = 100;
    neurons[1].total_stake_rao = 2500000000;
    neurons[2].incentive = 200;
    graph = (struct metagraph){
        .netuid = 42, .block = 10000, .immunity_blocks = 5000, .neurons = neurons, .n = 3};
    return 0;
}

static struct network_facts known(void)
{
    struct network_facts f = {.netuid = 42,
                              .looked = true,
                              .subnet_exists = true,
                              .registered = true,
                              .uid = 1,
                              .announced = {.ip = {.low = 0x08080808}, .ip_type = 4, .port = 8091}};
    network_facts_read(&f, &graph, own);
    return f;
}

static void expect(const struct network_facts *f, int earns, const char *text)
{
    char said[NETWORK_EARNING_MAX];
    int answer = network_facts_earning(f, said);
    if (answer != earns || strstr(said, text) == NULL) {
        fail_msg("\"%s\" in \"%s\", %d", text, said, answer);
    }
}

static void it_says_in_one_line_whether_it_earns(void **state)
{
    struct network_facts f = known();
    (void)state;
    expect(&f, 1,
           "yes: 1.23456789 of the subnet's token in the last epoch, position 2 of 2 miners");
    neurons[1].emission_rao = 0;
    f = known();
    expect(&f, 0, "no: nothing in the last epoch, position 2 of 2 miners");
    neurons[1].registered_at = 9000;
    f = known();
    expect(&f, 0, "safe from being pushed out for 4000 blocks more (about 13.3 h)");
    f.announced.ip_type = 0;
    expect(&f, 0, "no: the chain does not say yet where it listens");
    f.registered = false;
    expect(&f, 0, "no: not registered on subnet 42");
    f.subnet_exists = false;
    expect(&f, 0, "no: the chain has no subnet 42");
}

static void what_is_not_known_is_said_so(void **state)
{
    struct network_facts f = {.netuid = 42};
    (void)state;
    expect(&f, -1, "not known yet: the metagraph was not read");
    memset(neurons[1].hotkey, 8, 32);
    f = known();
    assert_false(f.has_standing);
    expect(&f, -1, "older than the registration");
}

static void as_json_it_has_nulls_for_what_is_not_known(void **state)
{
    struct network_facts f = {.netuid = 42};
    (void)state;
    json_t *o = network_facts_json(&f, 1000);
    static const char *const empty[] = {
        "registered", "uid",   "axon_announced", "metagraph",
        "stake",      "earns", "position",       "immunity_left_blocks"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_true(json_is_null(json_object_get(o, empty[i])));
    }
    json_decref(o);
}

static void as_json_it_has_age_and_problems(void **state)
{
    struct network_facts f = known();
    (void)state;
    sf_clock_inject(clock_ms, NULL);
    now_ms = 60000;
    f.graph_read_at = sf_now();
    (void)snprintf(f.problems[NETWORK_ADDRESS], sizeof f.problems[0], "no address");
    now_ms += 1000;
    json_t *o = network_facts_json(&f, 1000);
    assert_false(json_is_true(json_at(o, "/metagraph/stale")));
    assert_true(json_real_value(json_at(o, "/metagraph/age_seconds")) == 1.0);
    assert_string_equal(json_string_value(json_at(o, "/axon_announced")), "8.8.8.8:8091");
    assert_true(json_real_value(json_at(o, "/stake")) == 2.5);
    assert_int_equal(json_array_size(json_object_get(o, "problems")), 1);
    json_decref(o);
    now_ms += 1;
    o = network_facts_json(&f, 1000);
    assert_true(json_is_true(json_at(o, "/metagraph/stale")));
    json_decref(o);
    f.lite = true; /* the fallback tells nothing of immunity */
    o = network_facts_json(&f, 1000);
    assert_true(json_is_null(json_object_get(o, "immunity_left_blocks")));
    json_decref(o);
    sf_clock_inject(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_says_in_one_line_whether_it_earns, fill),
        cmocka_unit_test_setup(what_is_not_known_is_said_so, fill),
        cmocka_unit_test_setup(as_json_it_has_nulls_for_what_is_not_known, fill),
        cmocka_unit_test_setup(as_json_it_has_age_and_problems, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

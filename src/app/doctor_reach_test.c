/* SPDX-License-Identifier: MIT */
#include "app/doctor_network.h"
#include "app/own_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HOTKEY "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define NOW INT64_C(1795521600000)

static void expect_last(const struct doctor_report *r, enum gen_verdict verdict, const char *text)
{
    assert_true(r->n > 0);
    const struct gen_check *c = &r->list[r->n - 1].check;
    if (c->verdict != verdict || strstr(c->text, text) == NULL) {
        fail_msg("\"%s\" in \"%s\", verdict %d", text, c->text, (int)c->verdict);
    }
    assert_true(verdict == GEN_CHECK_OK || c->remedy[0] != '\0');
}

static void a_clock_is_compared_with_the_chains(void **state)
{
    static const struct {
        int64_t age_ms;
        enum gen_verdict verdict;
        const char *text;
    } cases[] = {
        {25000, GEN_CHECK_OK, "25 s old"},
        {-3000, GEN_CHECK_OK, "agrees"}, /* block times are whole seconds of somebody's clock */
        {119000, GEN_CHECK_OK, "119 s old"},
        {-5000, GEN_CHECK_FAIL, "at least 5 s behind"},
        {180000, GEN_CHECK_WARN, "or the node lags"},
        {3600000, GEN_CHECK_FAIL, "3600 s old, so this clock is ahead"},
    };
    struct doctor_report r = {.n = 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        doctor_judge_block_time(&r, NOW - cases[i].age_ms, NOW);
        expect_last(&r, cases[i].verdict, cases[i].text);
    }
    doctor_fini(&r);
}

static void judge(struct doctor_report *r, struct doctor_reach x)
{
    (void)snprintf(x.where, sizeof x.where, "203.0.114.7:8091");
    doctor_judge_reach(r, &x, HOTKEY);
}

static void a_closed_port_has_different_causes(void **state)
{
    struct doctor_report r = {.n = 0};
    (void)state;
    judge(&r, (struct doctor_reach){.tcp = REACH_REFUSED, .own_address = true});
    expect_last(&r, GEN_CHECK_FAIL, "nothing listens there");
    judge(&r, (struct doctor_reach){.tcp = REACH_SILENT, .own_address = true, .miner_runs = true});
    expect_last(&r, GEN_CHECK_FAIL, "closed though the miner runs");
    for (unsigned tcp = REACH_SILENT; tcp <= REACH_NO_WAY; tcp++) {
        /* From inside a NAT nobody can say more. */
        judge(&r, (struct doctor_reach){.tcp = tcp, .miner_runs = true});
        expect_last(&r, GEN_CHECK_WARN, "behind NAT, and from inside that may fail although it");
    }
    doctor_fini(&r);
}

static void what_answers_there_is_told_apart(void **state)
{
    struct doctor_report r = {.n = 0};
    (void)state;
    judge(&r, (struct doctor_reach){.tcp = REACH_OPEN, .status = 200, .axon_hotkey = HOTKEY});
    expect_last(&r, GEN_CHECK_OK, "signed ping is answered");
    judge(&r, (struct doctor_reach){.tcp = REACH_OPEN,
                                    .status = 403,
                                    .axon_hotkey = HOTKEY,
                                    .message = "Forbidden. Key is blacklisted"});
    expect_last(&r, GEN_CHECK_OK, "refused by the owner's lists: Forbidden");
    judge(&r, (struct doctor_reach){.tcp = REACH_OPEN,
                                    .status = 401,
                                    .axon_hotkey = HOTKEY,
                                    .message = "Nonce is too old"});
    expect_last(&r, GEN_CHECK_FAIL, "the signature is refused: Nonce is too old");
    judge(&r, (struct doctor_reach){
                  .tcp = REACH_OPEN, .status = 503, .axon_hotkey = HOTKEY, .message = "full"});
    expect_last(&r, GEN_CHECK_WARN, "HTTP 503: full");
    judge(&r, (struct doctor_reach){.tcp = REACH_OPEN, .status = 200, .axon_hotkey = "5Other"});
    expect_last(&r, GEN_CHECK_FAIL, "with the hotkey 5Other");
    judge(&r, (struct doctor_reach){.tcp = REACH_OPEN, .status = 404});
    expect_last(&r, GEN_CHECK_FAIL, "no axon");
    doctor_fini(&r);
}

static void this_machines_addresses_are_known(void **state)
{
    (void)state;
    assert_true(own_address("127.0.0.1"));
    assert_true(own_address("0.0.0.0"));
    assert_false(own_address("203.0.114.7"));
    assert_false(own_address("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_is_compared_with_the_chains),
        cmocka_unit_test(a_closed_port_has_different_causes),
        cmocka_unit_test(what_answers_there_is_told_apart),
        cmocka_unit_test(this_machines_addresses_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

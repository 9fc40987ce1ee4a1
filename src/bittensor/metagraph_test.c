/* SPDX-License-Identifier: MIT */
#include "bittensor/metagraph.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CORPUS SOURCE_DIR "/fuzz/corpus/metagraph/"

/* A corpus file without its first byte, which is the fuzz target's. */
static struct sf_str load(const char *path, struct sf_buf *b)
{
    sf_buf_init(b, 65536);
    assert_int_equal(sf_file_read(path, b, NULL), SF_OK);
    return (struct sf_str){b->p + 1, b->n - 1};
}

static void the_recorded_neuron_is_read(void **state)
{
    (void)state;
    struct sf_buf b;
    struct metagraph g;
    char ip[AXON_IP_MAX];
    assert_int_equal(metagraph_read_lite(load(CORPUS "lite", &b), 1, 77, &g, NULL), SF_OK);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.block, 77);
    assert_true(g.lite);
    const struct metagraph_neuron *n = &g.neurons[0];
    assert_int_equal(n->hotkey[0], 0x4a);
    assert_int_equal(n->axon.block, 6575906);
    assert_int_equal(n->axon.version, 9011001);
    assert_int_equal(n->axon.port, 6028);
    axon_ip_print(&n->axon, ip);
    assert_string_equal(ip, "192.222.59.109");
    assert_true(n->total_stake_rao == 2557172316U);
    assert_int_equal(n->last_update, 2543521);
    assert_false(n->validator_permit);
    metagraph_fini(&g);
    sf_buf_fini(&b);
}

static void the_selective_answer_is_read_by_uid(void **state)
{
    (void)state;
    struct sf_buf b;
    struct metagraph g;
    uint8_t second[32], nobody[32] = {9};
    memset(second, 2, sizeof second);
    struct sf_str answer = load(CORPUS "selective", &b);
    assert_int_equal(metagraph_read_selective(answer, 1, &g, NULL), SF_OK);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.block, 7000000);
    assert_int_equal(g.immunity_blocks, 5000);
    assert_int_equal(g.serving_rate_limit_blocks, 50);
    assert_int_equal(metagraph_find(&g, second), 1);
    assert_int_equal(metagraph_find(&g, nobody), -1);
    assert_true(g.neurons[0].validator_permit);
    assert_int_equal(g.neurons[0].axon.port, 6028);
    assert_int_equal(g.neurons[1].axon.ip_type, 0);
    assert_true(g.neurons[0].total_stake_rao == 2000000000000000U);
    assert_true(g.neurons[1].emission_rao == 1234567890U);
    assert_int_equal(g.neurons[1].incentive, 65535);
    assert_int_equal(g.neurons[1].registered_at, 6999000);
    metagraph_fini(&g);
    /* A later runtime's further fields are left alone; every cut is refused. */
    struct sf_buf longer;
    sf_buf_init(&longer, 65536);
    sf_buf_add_str(&longer, answer);
    sf_buf_puts(&longer, "more");
    assert_int_equal(metagraph_read_selective(sf_buf_str(&longer), 1, &g, NULL), SF_OK);
    metagraph_fini(&g);
    for (size_t n = 0; n < answer.n; n++) {
        assert_int_equal(metagraph_read_selective((struct sf_str){answer.p, n}, 1, &g, NULL),
                         SF_EPARSE);
        assert_null(g.neurons);
    }
    sf_buf_fini(&longer);
    sf_buf_fini(&b);
}

static void absent_foreign_and_overlong_answers_are_refused(void **state)
{
    (void)state;
    struct sf_buf b;
    struct metagraph g;
    struct sf_errbuf eb;
    assert_int_equal(metagraph_read_selective(SF_STR("\0"), 9, &g, &eb), SF_ENOTFOUND);
    assert_non_null(strstr(eb.text, "no subnet 9"));
    assert_int_equal(metagraph_read_lite(SF_STR("\0"), 9, 1, &g, &eb), SF_ENOTFOUND);
    struct sf_str answer = load(CORPUS "selective", &b);
    assert_int_equal(metagraph_read_selective(answer, 2, &g, &eb), SF_EPARSE);
    /* Four thousand million neurons in five bytes. */
    assert_int_equal(metagraph_read_lite(SF_STR("\x03\xff\xff\xff\xff"), 1, 1, &g, &eb), SF_EPARSE);
    sf_buf_fini(&b);
    answer = load(CORPUS "lite", &b);
    assert_int_equal(metagraph_read_lite(answer, 2, 1, &g, &eb), SF_EPARSE);
    assert_int_equal(metagraph_read_lite((struct sf_str){answer.p, answer.n - 1}, 1, 1, &g, &eb),
                     SF_EPARSE);
    sf_mem_fail_after(0, 1);
    enum sf_err err = metagraph_read_lite(answer, 1, 1, &g, &eb);
    sf_mem_fail_after(-1, 0);
    assert_int_equal(err, SF_ENOMEM);
    sf_buf_fini(&b);
}

static void the_question_has_the_fields_in_order(void **state)
{
    (void)state;
    static const char hex[] = "010034000007002400"
                              "2d00340037003900"
                              "3b003c003e00420043004500";
    uint8_t expected[64];
    struct sf_buf args;
    sf_buf_init(&args, 256);
    metagraph_selective_args(1, &args);
    assert_true(sf_hex_decode(SF_STR(hex), expected, (sizeof hex - 1) / 2));
    assert_int_equal(args.n, (sizeof hex - 1) / 2);
    assert_memory_equal(args.p, expected, args.n);
    sf_buf_fini(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_neuron_is_read),
        cmocka_unit_test(the_selective_answer_is_read_by_uid),
        cmocka_unit_test(absent_foreign_and_overlong_answers_are_refused),
        cmocka_unit_test(the_question_has_the_fields_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

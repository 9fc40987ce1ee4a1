/* SPDX-License-Identifier: MIT */
#include "bittensor/metagraph_store.h"

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct metagraph three(struct metagraph_neuron *list)
{
    memset(list, 0, 3 * sizeof *list);
    for (size_t i = 0; i < 3; i++) {
        memset(list[i].hotkey, (int)i + 1, 32);
        list[i].incentive = (uint16_t)(100 * i);
        list[i].registered_at = 1000 * i;
    }
    list[0].validator_permit = true;
    list[0].incentive = 60000;
    list[1].total_stake_rao = UINT64_MAX;
    assert_int_equal(axon_ip_parse("2001:db8::7", &list[1].axon, NULL), SF_OK);
    list[1].axon.port = 65535;
    return (struct metagraph){.netuid = 92,
                              .block = 2500,
                              .immunity_blocks = 600,
                              .serving_rate_limit_blocks = 50,
                              .neurons = list,
                              .n = 3};
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    char dir[] = "/tmp/storyfi-metagraph-XXXXXX", path[64];
    struct metagraph_neuron list[3];
    struct metagraph g = three(list), back;
    struct metagraph_stamp stamp = {.read_at_ms = 1234567890123}, got;
    struct sf_errbuf eb;
    memset(stamp.genesis_hash, 0x2f, 32);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/metagraph", dir);
    assert_int_equal(metagraph_load(path, 92, &back, &got, &eb), SF_ENOTFOUND);
    assert_int_equal(metagraph_save(path, &g, &stamp, NULL), SF_OK);
    assert_int_equal(metagraph_load(path, 92, &back, &got, NULL), SF_OK);
    assert_int_equal(back.n, 3);
    assert_memory_equal(back.neurons, list, sizeof list);
    assert_int_equal(back.block, 2500);
    assert_int_equal(back.immunity_blocks, 600);
    assert_true(got.read_at_ms == stamp.read_at_ms);
    assert_memory_equal(got.genesis_hash, stamp.genesis_hash, 32);
    metagraph_fini(&back);
    assert_int_equal(metagraph_load(path, 93, &back, &got, &eb), SF_EPARSE);
    assert_non_null(strstr(eb.text, "subnet 92"));
    (void)unlink(path);
    (void)rmdir(dir);
}

static void damage_anywhere_is_seen(void **state)
{
    (void)state;
    char path[] = "/tmp/storyfi-metagraph-XXXXXX";
    struct metagraph_neuron list[3];
    struct metagraph g = three(list), back;
    struct metagraph_stamp stamp = {.read_at_ms = 5}, got;
    struct sf_buf b;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    sf_buf_init(&b, 65536);
    assert_int_equal(metagraph_save(path, &g, &stamp, NULL), SF_OK);
    assert_int_equal(sf_file_read(path, &b, NULL), SF_OK);
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = (char)(b.p[i] ^ 1);
        assert_int_equal(metagraph_parse(sf_buf_str(&b), 92, &back, &got, NULL), SF_EPARSE);
        assert_null(back.neurons);
        b.p[i] = (char)(b.p[i] ^ 1);
        assert_int_equal(metagraph_parse((struct sf_str){b.p, i}, 92, &back, &got, NULL),
                         SF_EPARSE);
    }
    sf_mem_fail_after(0, 1);
    enum sf_err err = metagraph_parse(sf_buf_str(&b), 92, &back, &got, NULL);
    sf_mem_fail_after(-1, 0);
    assert_int_equal(err, SF_ENOMEM);
    sf_buf_fini(&b);
    (void)unlink(path);
}

static void a_miner_knows_how_it_stands(void **state)
{
    (void)state;
    struct metagraph_neuron list[3];
    struct metagraph g = three(list);
    struct metagraph_standing s;
    metagraph_stand(&g, 2, &s);
    assert_int_equal(s.miners, 2); /* the validator does not count */
    assert_int_equal(s.position, 1);
    assert_true(s.immune);
    assert_int_equal(s.immunity_left_blocks, 100);
    metagraph_stand(&g, 1, &s);
    assert_int_equal(s.position, 2);
    assert_false(s.immune);
    assert_int_equal(s.immunity_left_blocks, 0);
    g.lite = true; /* the fallback does not tell since when */
    metagraph_stand(&g, 2, &s);
    assert_false(s.immune);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(damage_anywhere_is_seen),
        cmocka_unit_test(a_miner_knows_how_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

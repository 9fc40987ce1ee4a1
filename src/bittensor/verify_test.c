/* SPDX-License-Identifier: MIT */
#include "bittensor/verify.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/body_hash.h"
#include "bittensor/derive.h"
#include "bittensor/synapse_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

static int64_t wall = INT64_C(1700000000) * SECOND;
static int64_t stepped; /* of that, what somebody set the clock by: no time went by */
static int64_t read_monotonic(void)
{
    return (wall - stepped) / 1000000;
}

static int64_t read_wall(void)
{
    return wall;
}

struct fixture {
    struct nonce_table *nonces;
    struct sr25519_keypair alice;
    struct synapse s;
};

static int setup(void **state)
{
    struct fixture *f = sf_xalloc(sizeof *f);
    sf_clock_inject(read_monotonic, read_wall);
    struct nonce_options o = nonce_options_default();
    o.max_callers = 4;
    o.max_per_caller = 32;
    assert_int_equal(nonce_table_open(&o, &f->nonces), SF_OK);
    assert_int_equal(derive_keypair(SF_STR("//Alice"), &f->alice, NULL), SF_OK);
    wall += 100 * SECOND;
    f->s = (struct synapse){.name = "StoryGenerationSynapse",
                            .timeout_seconds = 12,
                            .dendrite_hotkey = ALICE,
                            .dendrite_uuid = "11111111-2222-3333-4444-555555555555",
                            .dendrite_nonce = (uint64_t)wall,
                            .dendrite_version = 10002000,
                            .axon_hotkey = BOB,
                            .body_hash = SYNAPSE_EMPTY_BODY_HASH};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    nonce_table_close(f->nonces);
    sf_clock_inject(NULL, NULL);
    free(f);
    return 0;
}

/* The axon's steps, in its order. */
static enum sf_err verify(struct fixture *f, struct sf_errbuf *eb)
{
    uint8_t caller[32];
    enum sf_err err = verify_shape(f->nonces, BOB, &f->s, caller, eb);
    if (err == SF_OK) {
        err = verify_signature(BOB, &f->s, caller, eb);
    }
    return err == SF_OK ? verify_nonce(f->nonces, &f->s, caller, eb) : err;
}

static void expect_refusal(struct fixture *f, enum sf_err code, const char *reason)
{
    struct sf_errbuf eb = {.code = SF_OK};
    assert_int_equal(verify(f, &eb), code);
    assert_non_null(strstr(eb.text, reason));
}

static void a_signed_request_passes_once(void **state)
{
    struct fixture *f = *state;
    synapse_sign(&f->s, &f->alice);
    assert_int_equal(verify(f, NULL), SF_OK);
    expect_refusal(f, SF_EREPLAY, "newer one was last processed");
}

static void the_published_signature_passes(void **state)
{
    struct fixture *f = *state;
    f->s.dendrite_nonce = UINT64_C(1700000000000000000);
    assert_true(
        sf_hex_decode(SF_STR("d4f08eef0882d9f96830c12d68008c52599dc881b2ffbbaf59960cf18e23da79"
                             "ed3280568e4aa409f4e5d30e46855730184afbfcde4ba92723c5fb1d2db58184"),
                      f->s.signature, 64));
    struct sf_buf message;
    sf_buf_init(&message, 1024);
    synapse_signed_message(&f->s, BOB, &message);
    assert_string_equal(
        sf_buf_z(&message),
        "1700000000000000000.5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY."
        "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty.11111111-2222-3333-4444-555555555555."
        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    assert_true(sr25519_verify(f->alice.public_key, sf_buf_str(&message), f->s.signature));
    sf_buf_fini(&message);
}

static void other_route_and_uuid_do_not_help_a_replay(void **state)
{
    struct fixture *f = *state;
    synapse_sign(&f->s, &f->alice);
    assert_int_equal(verify(f, NULL), SF_OK);
    memcpy(f->s.name, "Synapse", 8);
    f->s.dendrite_uuid[0] = '9';
    synapse_sign(&f->s, &f->alice);
    expect_refusal(f, SF_EREPLAY, "newer one");
}

static void each_wrong_thing_has_its_refusal(void **state)
{
    struct fixture *f = *state;
    struct synapse good = f->s;
    synapse_sign(&good, &f->alice);
    f->s = good;
    f->s.dendrite_hotkey[0] = '\0';
    expect_refusal(f, SF_EAUTH, "No SS58");
    f->s = good;
    memcpy(f->s.dendrite_hotkey, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", 49);
    expect_refusal(f, SF_EAUTH, "another network");
    f->s = good;
    memcpy(f->s.dendrite_hotkey, "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM", 49);
    expect_refusal(f, SF_EAUTH, "zero key");
    f->s = good;
    memcpy(f->s.axon_hotkey, ALICE, sizeof ALICE);
    expect_refusal(f, SF_EAUTH, "another axon");
    f->s = good;
    f->s.dendrite_uuid[0] = '\0';
    expect_refusal(f, SF_EAUTH, "UUID");
    f->s = good;
    f->s.has_signature = false;
    expect_refusal(f, SF_EAUTH, "Missing Signature");
    f->s = good;
    f->s.body_hash[0] = 'b';
    expect_refusal(f, SF_EPARSE, "computed_body_hash");
    f->s = good;
    f->s.dendrite_nonce = 0;
    expect_refusal(f, SF_EREPLAY, "Missing Nonce");
    f->s = good;
    f->s.signature[3] ^= 1;
    expect_refusal(f, SF_EAUTH, "Signature mismatch");
    f->s = good;
    assert_int_equal(verify(f, NULL), SF_OK);
}

static void nonces_outside_the_window_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t age;
        double timeout;
        enum sf_err code;
    } cases[] = {
        {15 * SECOND, 12, SF_OK},       {17 * SECOND, 12, SF_EREPLAY},
        {63 * SECOND, 60, SF_OK},       {63 * SECOND, 1e9, SF_OK}, /* the cap counts */
        {65 * SECOND, 1e9, SF_EREPLAY}, {-4 * SECOND, 12, SF_OK},
        {-6 * SECOND, 12, SF_EREPLAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f->s.dendrite_nonce = (uint64_t)(wall - cases[i].age);
        f->s.timeout_seconds = cases[i].timeout;
        f->s.dendrite_nonce -= i; /* distinct */
        synapse_sign(&f->s, &f->alice);
        assert_int_equal(verify(f, NULL), cases[i].code);
    }
}

static void version_does_not_turn_the_window_off(void **state)
{
    struct fixture *f = *state;
    f->s.dendrite_version = 0;
    f->s.dendrite_nonce = (uint64_t)(wall - 90 * SECOND);
    synapse_sign(&f->s, &f->alice);
    expect_refusal(f, SF_EREPLAY, "too old");
}

static void nonces_before_the_start_are_refused(void **state)
{
    struct fixture *f = *state;
    struct nonce_options o = nonce_options_default();
    nonce_table_close(f->nonces);
    assert_int_equal(nonce_table_open(&o, &f->nonces), SF_OK);
    f->s.dendrite_nonce = (uint64_t)(wall - SECOND);
    synapse_sign(&f->s, &f->alice);
    expect_refusal(f, SF_EREPLAY, "has started since");
}

/* A stranger that knows hotkey and uuid cannot lock the validator out. */
static void unverified_requests_leave_no_trace(void **state)
{
    struct fixture *f = *state;
    f->s.has_signature = true;
    memset(f->s.signature, 0x80, sizeof f->s.signature);
    f->s.dendrite_nonce = (uint64_t)(wall + 4 * SECOND);
    expect_refusal(f, SF_EAUTH, "Signature mismatch");
    synapse_sign(&f->s, &f->alice);
    assert_int_equal(verify(f, NULL), SF_OK);
}

static void late_but_fresh_nonces_pass_in_any_order(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 8; i++) {
        f->s.dendrite_nonce = (uint64_t)wall - i;
        synapse_sign(&f->s, &f->alice);
        assert_int_equal(verify(f, NULL), SF_OK);
    }
}

static void a_flood_of_nonces_stays_bounded_and_safe(void **state)
{
    struct fixture *f = *state;
    uint64_t first = (uint64_t)wall;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(nonce_take(f->nonces, f->alice.public_key, first + i, 12, NULL), SF_OK);
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(nonce_take(f->nonces, f->alice.public_key, first + i, 12, NULL),
                         SF_EREPLAY);
    }
}

static enum sf_err take(struct fixture *f, uint8_t who, int64_t nonce)
{
    uint8_t key[32] = {who};
    return nonce_take(f->nonces, key, (uint64_t)nonce, 12, NULL);
}

/* The table has room for four. */
static void a_full_table_neither_locks_out_nor_lets_replays_in(void **state)
{
    struct fixture *f = *state;
    int64_t first = wall;
    for (uint8_t i = 1; i <= 4; i++) {
        assert_int_equal(take(f, i, wall), SF_OK);
        wall += SECOND;
    }
    for (uint8_t i = 5; i < 200; i++) { /* a flood of keys: each takes the place of the oldest */
        assert_int_equal(take(f, i, wall), SF_OK);
        wall += SECOND / 1000;
    }
    for (uint8_t i = 1; i <= 4; i++) /* forgotten, and inside the window: refused all the same */
        assert_int_equal(take(f, i, first + (i - 1) * SECOND), SF_EREPLAY);
    for (uint8_t i = 1; i <= 4; i++) { /* and answered at once when they ask anew */
        assert_int_equal(take(f, i, wall), SF_OK);
        assert_int_equal(take(f, i, wall), SF_EREPLAY);
        wall += SECOND / 1000;
    }
}

static void callers_are_forgotten_when_old(void **state)
{
    struct fixture *f = *state;
    for (uint8_t i = 1; i <= 4; i++)
        assert_int_equal(take(f, i, wall), SF_OK);
    wall += 120 * SECOND;
    assert_int_equal(take(f, 9, wall - 10 * SECOND), SF_OK); /* held to the window alone */
}

static void step(int64_t by)
{
    wall += by;
    stepped += by;
}

/* An hour back, as NTP does with a clock that was wrong at the start. */
static void a_clock_set_back_locks_nobody_out(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(take(f, 1, wall), SF_OK);
    for (uint8_t i = 10; i < 60; i++) { /* a full table: whoever is new is held to a floor */
        wall += SECOND / 1000;
        assert_int_equal(take(f, i, wall), SF_OK);
    }
    step(-3600 * SECOND);
    assert_int_equal(take(f, 1, wall - SECOND), SF_OK);
    assert_int_equal(take(f, 1, wall - SECOND), SF_EREPLAY);
    assert_int_equal(take(f, 59, wall - SECOND), SF_OK);
    assert_int_equal(take(f, 200, wall - SECOND), SF_OK);
}

static void a_clock_set_ahead_locks_nobody_out(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(take(f, 1, wall), SF_OK);
    int64_t old = wall;
    step(3600 * SECOND);
    assert_int_equal(take(f, 1, wall - SECOND), SF_OK);
    assert_int_equal(take(f, 1, wall - SECOND), SF_EREPLAY);
    assert_int_equal(take(f, 1, old), SF_EREPLAY); /* an hour old by now */
    step(-3600 * SECOND);
    assert_int_equal(take(f, 1, old), SF_EREPLAY); /* and taken already */
    assert_int_equal(take(f, 1, wall + 1), SF_OK);
}

/* Of what is pushed out nothing comes in again; the rest of the callers notice nothing. */
static void a_busy_table_stays_exact(void **state)
{
    enum { CALLERS = 64, ROUNDS = 100 };
    struct fixture *f = *state;
    int64_t taken[CALLERS] = {0};
    (void)f;
    struct nonce_table *t = NULL;
    struct nonce_options o = nonce_options_default();
    o.max_callers = CALLERS / 2;
    assert_int_equal(nonce_table_open(&o, &t), SF_OK);
    wall += SECOND;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint8_t i = 0; i < CALLERS; i++) {
            uint8_t key[32] = {i, 1};
            wall += SECOND / 1000;
            if (taken[i] != 0)
                assert_int_equal(nonce_take(t, key, (uint64_t)taken[i], 12, NULL), SF_EREPLAY);
            taken[i] = wall;
            assert_int_equal(nonce_take(t, key, (uint64_t)wall, 12, NULL), SF_OK);
        }
    }
    nonce_table_close(t);
}

static void body_hashes_are_as_the_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *hash;
    } cases[] = {
        {"[]", SYNAPSE_EMPTY_BODY_HASH},
        {"[1,2,[\"foobar\"]]", "ae06397d08f30f75c91395c59f05c62ac3b62b88250eb78b109213258e6ced0c"},
        {"[\"hello\"]", "cd1ba9b9d9fae7c1e56ddf6aa2947ad2e0b83b96bd91dd4b67fc560e83589bad"},
        {"[[\"a\",\"b\"]]", "3367b97beae48a9dca4a5718a3d059e97f482a50f03dc93cb95541cd60a8cf65"},
        {"[1.0]", "6e9db2fcbcbac0c460b4894eec0f658d594d7db94b441e6cff12a7a67e48e402"},
        {"[null]", "374b5d095204fc2ce2201a0f3c315571a7097e854d9babc9ed634954d4dd9e10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *fields = NULL;
        const json_t *list[4];
        char out[65];
        assert_int_equal(json_parse(sf_str(cases[i].fields), JSON_LIMITS_DEFAULT, &fields, NULL),
                         SF_OK);
        for (size_t k = 0; k < json_array_size(fields); k++) {
            list[k] = json_array_get(fields, k);
        }
        assert_int_equal(body_hash(list, json_array_size(fields), out), SF_OK);
        assert_string_equal(out, cases[i].hash);
        json_decref(fields);
    }
}

static void what_python_renders_otherwise_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"[{\"a\":1}]", "[[[1]]]", "[1e300]", "[[\"it's\"]]"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        json_t *fields = NULL;
        char out[65];
        assert_int_equal(json_parse(sf_str(values[i]), JSON_LIMITS_DEFAULT, &fields, NULL), SF_OK);
        const json_t *field = json_array_get(fields, 0);
        assert_int_equal(body_hash(&field, 1, out), SF_EINVAL);
        json_decref(fields);
    }
}

#define H(n, v)                                                                                    \
    {                                                                                              \
        SF_STR(n), SF_STR(v)                                                                       \
    }

static void headers_make_the_round_trip(void **state)
{
    struct fixture *f = *state;
    struct synapse_headers h;
    struct synapse back;
    f->s.axon_port = 8091;
    memcpy(f->s.axon_ip, "127.0.0.1", 10);
    synapse_sign(&f->s, &f->alice);
    synapse_request_headers(&f->s, "10.0.0.1", &h);
    assert_int_equal(synapse_parse(h.list, h.n, &back, NULL), SF_OK);
    assert_memory_equal(&back, &f->s, sizeof back);
    for (size_t i = 0; i < h.n; i++) {
        for (size_t k = 0; k < h.list[i].name.n; k++) {
            char c = h.list[i].name.p[k];
            assert_false(c >= 'A' && c <= 'Z');
        }
    }
}

static void wrong_headers_are_refused(void **state)
{
    (void)state;
    const struct http_header wrong[][2] = {
        {H("bt_header_dendrite_nonce", "12x"), H("a", "b")},
        {H("bt_header_dendrite_nonce", "-1"), H("a", "b")},
        {H("bt_header_dendrite_nonce", "99999999999999999999"), H("a", "b")},
        {H("bt_header_dendrite_nonce", "1"), H("BT_Header_Dendrite_Nonce", "1")},
        {H("timeout", "None"), H("a", "b")},
        {H("timeout", "nan"), H("a", "b")},
        {H("timeout", "-1"), H("a", "b")},
        {H("bt_header_dendrite_signature", "abcd"), H("a", "b")},
        {H("bt_header_dendrite_signature", "0xabcd"), H("a", "b")},
        {H("bt_header_dendrite_uuid", "a b"), H("a", "b")},
        {H("bt_header_dendrite_hotkey", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQYxx"),
         H("a", "b")},
        {H("computed_body_hash", "1"), H("computed_body_hash", "1")},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct synapse s;
        assert_int_equal(synapse_parse(wrong[i], 2, &s, NULL), SF_EPARSE);
    }
}

static void response_headers_are_safe(void **state)
{
    struct fixture *f = *state;
    struct synapse_headers h;
    struct synapse_status status = {.code = 400,
                                    .message = "bad\r\nX-Injected: 1\xff",
                                    .axon_hotkey = BOB,
                                    .axon_uuid = "u",
                                    .peer_ip = "127.0.0.1"};
    synapse_response_headers(&f->s, "StoryGenerationSynapse", &status, &h);
    bool has_code = false;
    for (size_t i = 0; i < h.n; i++) {
        for (size_t k = 0; k < h.list[i].value.n; k++) {
            assert_true(h.list[i].value.p[k] >= ' ' && h.list[i].value.p[k] <= '~');
        }
        has_code = has_code || (sf_str_is(h.list[i].name, "bt_header_axon_status_code") &&
                                sf_str_is(h.list[i].value, "400"));
    }
    assert_true(has_code);
}

static void answers_never_carry_nulls_that_crash_callers(void **state)
{
    struct fixture *f = *state;
    json_t *request = NULL;
    struct synapse_status status = {.code = 200,
                                    .message = "Success",
                                    .axon_hotkey = BOB,
                                    .axon_uuid = "u",
                                    .peer_ip = "127.0.0.1"};
    assert_int_equal(json_parse(SF_STR("{\"timeout\":null,\"dendrite\":null,\"axon\":null,"
                                       "\"task_type\":\"blueprint\",\"chapter_ids\":null,"
                                       "\"miner_hotkey\":7,\"protocol_version\":null}"),
                                JSON_LIMITS_DEFAULT, &request, NULL),
                     SF_OK);
    struct synapse_answer a = {.output_data = json_object(),
                               .model_info = json_object(),
                               .generation_seconds = 1.5,
                               .miner_version = "0"};
    json_t *body = synapse_body_answer(request, &f->s, "StoryGenerationSynapse", &status, &a);
    assert_non_null(body);
    assert_true(json_is_real(json_object_get(body, "timeout")));
    assert_true(json_is_object(json_object_get(body, "dendrite")));
    assert_string_equal(json_get_string(json_object_get(body, "axon"), "hotkey"), BOB);
    assert_int_equal(json_integer_value(json_at(body, "/axon/status_code")), 200);
    assert_true(json_is_null(json_object_get(body, "chapter_ids")));
    assert_true(json_is_null(json_object_get(body, "miner_hotkey")));
    assert_string_equal(json_get_string(body, "task_type"), "blueprint");
    assert_string_equal(json_get_string(body, "protocol_version"), "3.2.0");
    json_decref(body);
    json_decref(a.output_data);
    json_decref(a.model_info);
    json_decref(request);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_signed_request_passes_once),
        T(the_published_signature_passes),
        T(other_route_and_uuid_do_not_help_a_replay),
        T(each_wrong_thing_has_its_refusal),
        T(nonces_outside_the_window_are_refused),
        T(version_does_not_turn_the_window_off),
        T(nonces_before_the_start_are_refused),
        T(unverified_requests_leave_no_trace),
        T(late_but_fresh_nonces_pass_in_any_order),
        T(a_flood_of_nonces_stays_bounded_and_safe),
        T(a_full_table_neither_locks_out_nor_lets_replays_in),
        T(callers_are_forgotten_when_old),
        T(a_clock_set_back_locks_nobody_out),
        T(a_clock_set_ahead_locks_nobody_out),
        T(a_busy_table_stays_exact),
        cmocka_unit_test(body_hashes_are_as_the_vectors),
        cmocka_unit_test(what_python_renders_otherwise_is_refused),
        T(headers_make_the_round_trip),
        cmocka_unit_test(wrong_headers_are_refused),
        T(response_headers_are_safe),
        T(answers_never_carry_nulls_that_crash_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "app.c"

#include "app/recording.h"
#include "base/file.h"
#include "journal/journal_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

/* Generators of every kind that answer from a file. */
static enum sf_err fake_generate(void *ctx, const struct gen_call *call, struct gen_result *result,
                                 struct sf_errbuf *eb)
{
    struct sf_buf b;
    struct gen_usage usage = {.requests = 1, .prompt_tokens = 10, .cost_usd = 0.5};
    struct gen_event spent = {.kind = GEN_EVENT_USAGE, .usage = &usage};
    (void)ctx;
    sf_buf_init(&b, 1U << 20);
    call->on_event(call->event_arg, &spent);
    enum sf_err err = sf_file_read(SOURCE_DIR "/tests/data/story/blueprint.json", &b, eb);
    if (err == SF_OK) {
        err = json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &result->output, eb);
    }
    sf_buf_fini(&b);
    result->usage = usage;
    (void)snprintf(result->name, sizeof result->name, "fake-model");
    return err;
}

static void fake_health(void *ctx, struct gen_health *out)
{
    (void)ctx;
    *out = (struct gen_health){.state = GEN_READY};
}

static void fake_close(void *ctx)
{
    (void)ctx;
}

#define FAKE(k, m)                                                                                 \
    {                                                                                              \
        .kind = (k), .multiplier = (m), .generate = fake_generate, .health = fake_health,          \
        .close = fake_close                                                                        \
    }
static const struct generator_type types[] = {FAKE("local", 1.5), FAKE("vllm", 1.5),
                                              FAKE("custom", 1.0), FAKE("api", 0.5)};
static const char *const labels[] = {"Local", "vLLM", "Custom", "API"};

static struct gen_chain_hop fake_hop(size_t type, const char *name, bool works)
{
    static int ctx;
    struct gen_chain_hop hop = {.generator = {.type = &types[type]}};
    (void)snprintf(hop.generator.name, sizeof hop.generator.name, "%s", name);
    (void)snprintf(hop.generator.target, sizeof hop.generator.target, "the target");
    hop.generator.ctx = works ? &ctx : NULL;
    (void)snprintf(hop.reason, sizeof hop.reason, "%s", works ? "" : "as the test asked");
    return hop;
}

static struct app *fake_app(const struct gen_chain_hop *hops, size_t n, const char *journal)
{
    struct app *a = sf_xalloc(sizeof *a);
    struct gen_chain_options o = gen_chain_options_default();
    struct sf_errbuf eb;
    static const struct conf conf = {.generator = {.api = {.present = true}}};
    atomic_init(&a->refs, 1);
    a->conf = &conf;
    assert_int_equal(gen_chain_open(&o, hops, n, &a->chain, &eb), SF_OK);
    if (journal != NULL) {
        struct journal_options jo = journal_options_default();
        jo.path = journal;
        jo.commit_ms = 10;
        assert_int_equal(journal_open(&jo, &a->journal), SF_OK);
    }
    return a;
}

static void close_fake(struct app *a)
{
    gen_chain_close(a->chain);
    journal_close(a->journal);
    free(a);
}

/* ---- the lines of the start ------------------------------------------------------------------ */

static void status_lines(struct app *a, struct sf_buf *out)
{
    char name[] = "/tmp/storyfi-app-XXXXXX";
    int file = mkstemp(name), kept = dup(STDOUT_FILENO);
    assert_true(file >= 0 && kept >= 0);
    (void)fflush(stdout);
    assert_int_equal(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    app_print_status(a);
    (void)fflush(stdout);
    assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(file);
    (void)close(kept);
    sf_buf_clear(out);
    assert_int_equal(sf_file_read(name, out, NULL), SF_OK);
    assert_int_equal(unlink(name), 0);
}

static void every_pair_of_kinds_has_the_originals_lines(void **state)
{
    (void)state;
    struct sf_buf lines, wanted;
    sf_buf_init(&lines, 8192);
    sf_buf_init(&wanted, 8192);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            const struct gen_chain_hop hops[] = {fake_hop(i, "first", false),
                                                 fake_hop(k, "second", true)};
            struct app *a = fake_app(hops, 2, NULL);
            status_lines(a, &lines);
            close_fake(a);
            sf_buf_clear(&wanted);
            sf_buf_printf(
                &wanted, "⚠️  %s mode failed, trying %s fallback...\n✅ Generator Mode: %s\n",
                i == k ? "first" : labels[i], i == k ? "second" : labels[k], types[k].kind);
            assert_memory_equal(sf_buf_z(&lines), sf_buf_z(&wanted), wanted.n);
            assert_non_null(
                strstr(sf_buf_z(&lines), ": the target\n⚠️  Using fallback generator\n"));
        }
    }
    sf_buf_fini(&lines);
    sf_buf_fini(&wanted);
}

static void nothing_available_names_cause_and_check_of_each(void **state)
{
    (void)state;
    const struct gen_chain_hop hops[] = {fake_hop(0, "local", false), fake_hop(3, "api", false)};
    struct sf_buf lines;
    struct app *a = fake_app(hops, 2, NULL);
    sf_buf_init(&lines, 8192);
    status_lines(a, &lines);
    assert_string_equal(sf_buf_z(&lines), "❌ No generator available\n"
                                          "  Local generator failed: as the test asked\n"
                                          "    check it with: storyfi doctor --mode local\n"
                                          "  API generator not available: as the test asked\n"
                                          "    check it with: storyfi doctor --mode api\n");
    close_fake(a);
    a = fake_app(hops, 0, NULL);
    status_lines(a, &lines);
    assert_non_null(strstr(sf_buf_z(&lines), "No generator available: none is configured"));
    close_fake(a);
    sf_buf_fini(&lines);
}

/* ---- the ledger ------------------------------------------------------------------------------ */

static char folder[] = "/tmp/storyfi-app-XXXXXX";
static char path[64];

static int fresh_path(void **state)
{
    static int n;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/%d.db", folder, n++);
    return 0;
}

static struct story_request blueprint(void)
{
    struct story_request r;
    json_t *body = json_pack("{s:s, s:s}", "task_type", "blueprint", "user_input", "the sea");
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    json_decref(body);
    return r;
}

static enum sf_err ask(struct app *a, struct gen_trail *trail)
{
    struct story_request r = blueprint();
    struct gen_result result = {.output = NULL};
    struct sf_errbuf eb = {.text = ""};
    struct sf_time now = sf_now();
    struct gen_call call = {.request = &r, .deadline = sf_after(now, 20000), .target = now};
    enum sf_err err = gen_chain_generate(a->chain, &call, &result, trail, &eb);
    struct recording known = {.id = app_next_id(a),
                              .origin = ORIGIN_SERVE,
                              .request = &r,
                              .received = now,
                              .walked = now,
                              .deadline = call.deadline,
                              .answered = sf_now(),
                              .status = sf_err_info(err)->http_status,
                              .message = err == SF_OK ? NULL : eb.text,
                              .trail = trail,
                              .result = err == SF_OK ? &result : NULL};
    recording_put(a, &known);
    if (err == SF_OK) {
        gen_result_fini(&result);
    }
    story_request_fini(&r);
    return err;
}

static void limits_of_an_account_hold_across_restarts(void **state)
{
    (void)state;
    struct gen_trail trail;
    struct gen_chain_hop hop = fake_hop(3, "api", true);
    (void)snprintf(hop.account, sizeof hop.account, "openai:…1234");
    hop.limits.requests_per_hour = 2;
    struct app *a = fake_app(&hop, 1, path);
    ledger_charge(a);
    assert_int_equal(ask(a, &trail), SF_OK);
    close_fake(a);
    a = fake_app(&hop, 1, path);
    ledger_charge(a);
    assert_int_equal(ask(a, &trail), SF_OK);
    close_fake(a);
    a = fake_app(&hop, 1, path);
    ledger_charge(a);
    assert_int_equal(ask(a, &trail), SF_EUNAVAILABLE);
    assert_int_equal(trail.steps[0].outcome, GEN_STEP_SKIPPED);
    assert_non_null(strstr(trail.steps[0].reason, "budget"));
    json_t *figures = ledger_figures(a, 86400000);
    int64_t requests = 0;
    assert_true(json_get_int(json_at(figures, "/0"), "requests", &requests) && requests == 2);
    json_decref(figures);
    close_fake(a);
}

static void put_record(struct journal *j, const char *hop, enum journal_outcome outcome, int n)
{
    const struct journal_step step = {
        .hop = hop, .kind = "x", .outcome = outcome, .code = "SF_EIO"};
    for (int i = 0; i < n; i++) {
        struct journal_request r = {.id = journal_next_id(j),
                                    .origin = "validator",
                                    .received_ns = sf_wall_ns(),
                                    .status = 200,
                                    .steps = &step,
                                    .n_steps = 1};
        journal_put(j, &r);
    }
}

static void mode_auto_goes_by_worth(void **state)
{
    (void)state;
    struct gen_trail trail;
    const struct gen_chain_hop hops[] = {fake_hop(3, "api", true), fake_hop(0, "local", true),
                                         fake_hop(2, "custom", true)};
    struct app *a = fake_app(hops, 3, path);
    a->automatic = true;
    ledger_weigh(a); /* nobody has a record: the multiplier decides */
    assert_int_equal(ask(a, &trail), SF_OK);
    assert_string_equal(trail.answered->name, "local");
    put_record(a->journal, "local", JOURNAL_FAILED, 9);  /* 1.5 * 2/12 = 0.25 */
    put_record(a->journal, "custom", JOURNAL_FAILED, 2); /* 1.0 * 1/4 = 0.25 */
    put_record(a->journal, "api", JOURNAL_ANSWERED, 8);  /* 0.5 * 9/10 = 0.45 */
    put_record(a->journal, "custom", JOURNAL_FAILED, 2); /* 1.0 * 1/6 */
    assert_true(journal_flush(a->journal, 20000));
    ledger_weigh(a);
    assert_int_equal(ask(a, &trail), SF_OK);
    assert_string_equal(trail.answered->name, "api");
    struct gen_hop_status status[GEN_CHAIN_MAX];
    assert_int_equal(walked_status(a, status), 3);
    assert_string_equal(status[0].generator->name, "api");
    assert_string_equal(status[1].generator->name, "local");
    assert_float_equal(status[0].worth, 0.45, 1e-9);
    close_fake(a);
}

static void an_answer_is_recorded_with_score_and_contexts(void **state)
{
    (void)state;
    struct gen_trail trail;
    const struct gen_chain_hop hops[] = {fake_hop(0, "local", false), fake_hop(2, "mine", true)};
    struct app *a = fake_app(hops, 2, path);
    assert_int_equal(ask(a, &trail), SF_OK);
    close_fake(a);
    struct journal_reader *r = NULL;
    struct sf_errbuf eb;
    json_t *t = NULL;
    double structure = 0;
    assert_int_equal(journal_reader_open(path, &r, &eb), SF_OK);
    assert_int_equal(journal_trail(r, 1, true, &t, &eb), SF_OK);
    assert_string_equal(json_get_string(t, "origin"), "serve");
    assert_string_equal(json_get_string(t, "generator"), "mine");
    assert_string_equal(json_get_string(t, "model"), "fake-model");
    assert_int_equal(strlen(json_get_string(t, "context_hash")), 64);
    assert_true(json_get_number(t, "structure", &structure) && structure == 40);
    assert_string_equal(json_get_string(json_at(t, "/steps/0"), "reason"), "as the test asked");
    assert_string_equal(json_get_string(json_at(t, "/steps/1/attempts/0"), "code"), "SF_OK");
    assert_string_equal(json_get_string(json_at(t, "/answer/model_info"), "mode"), "custom");
    assert_non_null(json_get_string(json_at(t, "/answer/output"), "title"));
    json_decref(t);
    journal_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_kinds_has_the_originals_lines),
        cmocka_unit_test(nothing_available_names_cause_and_check_of_each),
        cmocka_unit_test_setup(limits_of_an_account_hold_across_restarts, fresh_path),
        cmocka_unit_test_setup(mode_auto_goes_by_worth, fresh_path),
        cmocka_unit_test_setup(an_answer_is_recorded_with_score_and_contexts, fresh_path),
    };
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%d.db", folder, i);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    return failed;
}

/* SPDX-License-Identifier: MIT */
#include "miner/tally.h"

#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t now_ms = 100000;
static int64_t read_clock(void)
{
    return now_ms;
}

static const struct generator_type kind = {.kind = "custom", .multiplier = 1.0};
static const struct generator poet = {.type = &kind, .name = "po\"et"};

static void assert_line(const char *line)
{
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    metric_render(&b);
    if (strstr(sf_buf_z(&b), line) == NULL) {
        print_message("not on the page: %s\nin:\n%s\n", line, sf_buf_z(&b));
        fail();
    }
    sf_buf_fini(&b);
}

static void requests_are_counted_by_task_status_and_standing(void **state)
{
    (void)state;
    tally_begin();
    assert_line(
        "storyfi_requests_total{task=\"chapters\",status=\"503\",standing=\"validator\"} 0\n");
    tally_answer("chapters", 503, STANDING_VALIDATOR);
    tally_answer("chapters", 503, STANDING_VALIDATOR);
    tally_answer("ping", 200, STANDING_REGISTERED);
    tally_answer("", 401, STANDING_UNVERIFIED);
    tally_answer("", 299, STANDING_GUEST); /* not one of ours */
    assert_line(
        "storyfi_requests_total{task=\"chapters\",status=\"503\",standing=\"validator\"} 2\n");
    assert_line("storyfi_requests_total{task=\"ping\",status=\"200\",standing=\"registered\"} 1\n");
    assert_line("storyfi_requests_total{task=\"\",status=\"401\",standing=\"unverified\"} 1\n");
    assert_line("storyfi_requests_total{task=\"\",status=\"0\",standing=\"guest\"} 1\n");
}

static void what_the_generators_did_is_counted_by_class(void **state)
{
    struct gen_trail trail = {.n = 3, .answered = &poet};
    struct gen_result result = {.usage = {.tokens_per_second = 90}};
    struct job j = {.request = {.task = STORY_CHAPTERS_TASK},
                    .received = {now_ms},
                    .deadline = {now_ms + 30000}};
    (void)state;
    trail.steps[0] = (struct gen_step){.name = "local",
                                       .kind = "local",
                                       .outcome = GEN_STEP_FAILED,
                                       .code = SF_ERATE,
                                       .attempts = 2};
    trail.steps[0].list[0] = (struct gen_attempt){.code = SF_ERATE, .took_ms = 300};
    trail.steps[0].list[1] = (struct gen_attempt){.code = SF_ESLOW, .took_ms = 3000};
    trail.steps[1] = (struct gen_step){.name = "vllm", .kind = "vllm", .outcome = GEN_STEP_SKIPPED};
    trail.steps[2] = (struct gen_step){.name = "po\"et", .kind = "custom", .attempts = 1};
    trail.steps[2].list[0] = (struct gen_attempt){.code = SF_OK, .took_ms = 700};
    tally_expect(&poet);
    assert_line("storyfi_fallback_answers_total{generator=\"po\\\"et\",kind=\"custom\"} 0\n");
    now_ms += 4000;
    tally_waited(&j);
    atomic_store(&j.answered, 200);
    tally_done(&j, &trail, &result);
    assert_line("attempts_total{generator=\"local\",kind=\"local\",result=\"rate\"} 1\n");
    assert_line("attempts_total{generator=\"local\",kind=\"local\",result=\"slow\"} 1\n");
    assert_line("attempts_total{generator=\"po\\\"et\",kind=\"custom\",result=\"ok\"} 1\n");
    assert_line("storyfi_generator_skipped_total{generator=\"vllm\",kind=\"vllm\"} 1\n");
    assert_line("storyfi_generator_attempt_seconds_sum{generator=\"local\",kind=\"local\"} 3.3\n");
    assert_line(
        "storyfi_answers_total{generator=\"po\\\"et\",kind=\"custom\",multiplier=\"1.0\"} 1\n");
    assert_line("storyfi_fallback_answers_total{generator=\"po\\\"et\",kind=\"custom\"} 1\n");
    assert_line("storyfi_tokens_per_second_sum{generator=\"po\\\"et\",kind=\"custom\"} 90\n");
    assert_line("storyfi_answer_seconds_sum{task=\"chapters\"} 4\n");
    assert_line("storyfi_queue_wait_seconds_sum 4\n");
    assert_line("storyfi_deadline_total{met=\"yes\"} 1\n");
    assert_line("storyfi_deadline_margin_seconds_sum 26\n");
}

static void late_and_failed_are_missed_guests_have_no_deadline_to_keep(void **state)
{
    struct job j = {
        .request = {.task = STORY_BLUEPRINT}, .received = {now_ms}, .deadline = {now_ms + 1000}};
    (void)state;
    now_ms += 3000;
    atomic_store(&j.answered, 200);
    tally_done(&j, NULL, NULL); /* an answer, too late */
    atomic_store(&j.answered, 503);
    tally_done(&j, NULL, NULL);
    j.origin = ORIGIN_CLI;
    tally_done(&j, NULL, NULL);
    assert_line("storyfi_deadline_total{met=\"no\"} 2\n");
    assert_line("storyfi_deadline_total{met=\"yes\"} 1\n");
    assert_line("storyfi_deadline_margin_seconds_bucket{le=\"-1\"} 1\n");
    assert_line("storyfi_answer_seconds_count{task=\"blueprint\"} 3\n");
    tally_verified(80000);
    assert_line("storyfi_verify_seconds_bucket{le=\"0.0001\"} 1\n");
    assert_line("storyfi_verify_seconds_bucket{le=\"5e-05\"} 0\n");
}

static void the_gates_and_more_generators_than_there_is_room_for(void **state)
{
    struct generator many = {.type = &kind};
    struct gen_trail trail = {.n = 0, .answered = &many};
    struct gen_result result = {.output = NULL};
    struct job j = {.origin = ORIGIN_CLI, .deadline = {now_ms}};
    (void)state;
    tally_refused("signature");
    tally_refused("signature");
    tally_refused("nonsense");
    assert_line("storyfi_refused_total{gate=\"signature\"} 2\n");
    assert_line("storyfi_refused_total{gate=\"other\"} 1\n");
    atomic_store(&j.answered, 200);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(many.name, sizeof many.name, "many%d", i);
        tally_done(&j, &trail, &result);
    }
    assert_line(
        "storyfi_answers_total{generator=\"many5\",kind=\"custom\",multiplier=\"1.0\"} 1\n");
    assert_line(
        "storyfi_answers_total{generator=\"other\",kind=\"other\",multiplier=\"1.0\"} 40\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted_by_task_status_and_standing),
        cmocka_unit_test(what_the_generators_did_is_counted_by_class),
        cmocka_unit_test(late_and_failed_are_missed_guests_have_no_deadline_to_keep),
        cmocka_unit_test(the_gates_and_more_generators_than_there_is_room_for),
    };
    sf_clock_inject(read_clock, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

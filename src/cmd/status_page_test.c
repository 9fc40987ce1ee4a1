/* SPDX-License-Identifier: MIT */
#include "cmd/status_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The page as text, a style's letter before each piece that is not plain. */
static struct sf_buf page;

static void put(enum screen_style style, const char *text)
{
    static const char letters[SCREEN_STYLES] = {[SCREEN_TITLE] = 'T',
                                                [SCREEN_GOOD] = 'G',
                                                [SCREEN_CARE] = 'C',
                                                [SCREEN_BAD] = 'B',
                                                [SCREEN_FAINT] = 'F'};
    if (letters[style] != '\0') {
        sf_buf_printf(&page, "<%c>", letters[style]);
    }
    sf_buf_puts(&page, text);
}

static void end_line(void)
{
    sf_buf_putc(&page, '\n');
}

static json_t *parse(const char *text)
{
    json_t *v = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    if (text != NULL && json_parse(sf_str(text), JSON_LIMITS_DEFAULT, &v, &eb) != SF_OK) {
        fail_msg("%s", eb.text);
    }
    return v;
}

static const char *show(const char *status, const char *hour, const char *last)
{
    static const struct status_sink sink = {put, end_line};
    json_t *s = parse(status), *h = parse(hour), *l = parse(last);
    struct status_view v = {.status = s, .error = "cannot \x1b[31mconnect", .hour = h, .last = l};
    sf_buf_fini(&page);
    sf_buf_init(&page, 65536);
    status_page(&v, &sink);
    json_decref(s);
    json_decref(h);
    json_decref(l);
    return sf_buf_z(&page);
}

static const char *line(const char *status, const char *hour)
{
    json_t *s = parse(status), *h = parse(hour);
    struct status_view v = {.status = s, .error = "gone", .hour = h};
    sf_buf_fini(&page);
    sf_buf_init(&page, 65536);
    status_line(&v, &page);
    json_decref(s);
    json_decref(h);
    return sf_buf_z(&page);
}

#define HAS(text, part)                                                                            \
    if (strstr(text, part) == NULL)                                                                \
    fail_msg("no \"%s\" in:\n%s", part, text)

static const char whole[] =
    "{\"version\":\"1.2\",\"uptime_seconds\":7300,\"ready\":true,\"hotkey\":\"5Abc\",\"requests\":"
    "42,"
    "\"queue\":{\"depth\":1,\"in_flight\":2,\"size\":64},"
    "\"generators\":[{\"name\":\"local\",\"use\":\"ready\",\"answers\":9,\"failures\":1,"
    "\"target\":\"model\"},{\"name\":\"bad\",\"use\":\"resting\",\"answers\":0,\"failures\":5,"
    "\"out_for_seconds\":90,\"reason\":\"exit "
    "\\u001b[31m3\"},{\"name\":\"gone\",\"use\":\"down\"}],"
    "\"network\":{\"netuid\":92,\"earns\":true,\"earning\":\"yes: 1e-06\",\"registered\":true,"
    "\"uid\":7,\"axon_announced\":\"1.2.3.4:8091\",\"metagraph\":{\"age_seconds\":65},"
    "\"problems\":[\"the clock\",\"the port\"]},"
    "\"rates\":{\"by_multiplier\":{\"1.5\":5,\"1.0\":2,\"0.5\":1},\"tokens_per_second\":33.25,"
    "\"deadline_margin_p5_seconds\":2.5},"
    "\"in_flight\":[{\"id\":77,\"task\":\"chapters\",\"origin\":\"validator\",\"deadline_s\":12,"
    "\"tokens\":40,\"hops\":[{\"name\":\"bad\",\"state\":\"failed\"},{\"name\":\"local\",\"state\":"
    "\"asked\"}]}]}";
static const char figures[] =
    "[{\"hop\":\"local\",\"answers\":9,\"failures\":1,\"p50_ms\":1500,\"p95_ms\":4000,"
    "\"generated_tokens\":7200},{\"hop\":\"bad\",\"answers\":0,\"failures\":5}]";

static void everything_is_on_the_page(void **state)
{
    (void)state;
    const char *p = show(whole, figures,
                         "[{\"id\":5,\"time\":\"2026-11-24T10:00:00Z\",\"task\":\"blueprint\","
                         "\"origin\":\"validator\",\"status\":200,\"took_ms\":1234,\"generator\":"
                         "\"local\"},{\"id\":4,\"status\":503,\"message\":\"no generator\"}]");
    HAS(p, "<T>storyfi 1.2  up 2 h  <G>ready");
    HAS(p, "<G>yes: 1e-06\n");
    HAS(p, "subnet 92, uid 7, announced 1.2.3.4:8091, metagraph 1 min old\n");
    HAS(p, "<C>the clock\n");
    HAS(p, "<C>the port\n");
    HAS(p, "1 waiting of 64, 2 in flight, 42 verified");
    HAS(p,
        "9 answers, 6 failures, half within 1.5 s, 95 % within 4.0 s, 7200 tokens (33.2 a second)");
    HAS(p, "×1.5: 5, ×1.0: 2, ×0.5: 1; margin to the deadline 2.5 s");
    HAS(p, "local            <G>ready     9 answers, 1 failures<F>  model\n");
    HAS(p, "<C>resting   0 answers, 5 failures<C>, out for 2 min<F>  exit  [31m3\n");
    HAS(p, "<B>down");
    HAS(p, "77 chapters   validator ");
    HAS(p, "40 tokens  local asked\n");
    HAS(p, "blueprint  validator  <G>200   1.2 s  local");
    HAS(p, "<B>503");
    HAS(p, "<F> no generator\n");
    assert_null(strchr(p, '\x1b'));
}

static void what_is_missing_is_no_trouble(void **state)
{
    (void)state;
    const char *p = show("{}", NULL, NULL);
    HAS(p, "<B>not ready");
    HAS(p, "the miner runs --offline");
    HAS(p, "none is on record");
    p = show(
        "{\"network\":{},\"generators\":[{}],\"in_flight\":[{}],\"journal\":{\"writing\":false,"
        "\"reason\":\"disk full\"}}",
        "[]", "[{}]");
    HAS(p, "<B>not known yet");
    HAS(p, "<B>requests are not recorded: disk full");
    p = show(NULL, NULL, NULL);
    HAS(p, "<B>no miner answers: cannot  [31mconnect\n");
}

static void a_line_says_it_short(void **state)
{
    (void)state;
    assert_string_equal(line(whole, figures),
                        "ready; earning yes: 1e-06; queue 1, in flight 2, verified 42; last hour 9 "
                        "answers, 6 failures; local ready; bad resting; gone down");
    assert_string_equal(line(NULL, NULL), "no miner answers: gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_on_the_page),
        cmocka_unit_test(what_is_missing_is_no_trouble),
        cmocka_unit_test(a_line_says_it_short),
    };
    sf_buf_init(&page, 65536);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sf_buf_fini(&page);
    return failed;
}

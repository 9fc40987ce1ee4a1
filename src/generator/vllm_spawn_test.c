/* SPDX-License-Identifier: MIT */
#include "generator/vllm_spawn.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"
#include "json/json.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_PAUSE 600000 /* so that a state stays; close wakes it */
#define PATIENCE_MS 30000 /* a loaded machine; every wait ends as soon as it can */

/* A folder of its own per test, the fake's mode and notes in its environment. */
struct place {
    char dir[64], notes[96], mode[64], notes_variable[128];
    const char *environment[4];
    struct vllm_spawn_options options;
};

static void place_init(struct place *p, const char *mode)
{
    static char command[512];
    (void)snprintf(command, sizeof command, "%s/tests/data/scripts/fake_vllm.py", SOURCE_DIR);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/vllm_spawn_test.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->notes, sizeof p->notes, "%s/notes", p->dir);
    (void)snprintf(p->mode, sizeof p->mode, "FAKE_VLLM=%s", mode);
    (void)snprintf(p->notes_variable, sizeof p->notes_variable, "FAKE_VLLM_NOTES=%s", p->notes);
    p->environment[0] = "PATH=/usr/local/bin:/usr/bin:/bin";
    p->environment[1] = p->mode;
    p->environment[2] = p->notes_variable;
    p->environment[3] = NULL;
    p->options = vllm_spawn_options_default();
    p->options.command = command;
    p->options.model = "some/model";
    p->options.environment = p->environment;
    p->options.backoff_min_ms = 20;
    p->options.backoff_max_ms = 40; /* tests that look for GEN_DOWN set LONG_PAUSE */
    p->options.health_interval_ms = 20;
    p->options.stop_ms = 10000;
}

static void place_fini(struct place *p)
{
    (void)unlink(p->notes);
    assert_int_equal(rmdir(p->dir), 0);
}

static void await_state(struct vllm_spawn *s, enum gen_state state, struct gen_health *health)
{
    struct sf_time until = sf_after(sf_now(), PATIENCE_MS);
    for (;;) {
        vllm_spawn_health(s, health);
        if (health->state == state) {
            return;
        }
        if (sf_until(until) <= 0) {
            print_message("state %d: %s\n", (int)health->state, health->reason);
        }
        assert_true(sf_until(until) > 0);
        (void)poll(NULL, 0, 1);
    }
}

static void await_starts(struct vllm_spawn *s, unsigned n)
{
    struct sf_time until = sf_after(sf_now(), PATIENCE_MS);
    while (vllm_spawn_starts(s) < n) {
        assert_true(sf_until(until) > 0);
        (void)poll(NULL, 0, 1);
    }
}

/* The i-th start's note. */
static json_t *note(const struct place *p, size_t i)
{
    struct sf_buf b;
    json_t *v = NULL;
    sf_buf_init(&b, 1U << 20);
    assert_int_equal(sf_file_read(p->notes, &b, NULL), SF_OK);
    struct sf_str rest = sf_buf_str(&b), line;
    for (size_t k = 0; k <= i; k++) {
        assert_true(sf_str_next(&rest, '\n', &line));
    }
    assert_int_equal(json_parse(line, JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    sf_buf_fini(&b);
    return v;
}

static pid_t noted_pid(const struct place *p, size_t i, const char *key)
{
    int64_t pid = 0;
    json_t *v = note(p, i);
    assert_true(json_get_int(v, key, &pid));
    json_decref(v);
    return (pid_t)pid;
}

/* A zombie that nobody of ours reaps counts as gone: init reaps it, where there is one. */
static bool is_gone(pid_t pid)
{
    char path[64];
    struct sf_buf b;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    sf_buf_init(&b, 4096);
    bool gone = sf_file_read(path, &b, NULL) != SF_OK || strstr(sf_buf_z(&b), ") Z ") != NULL;
    sf_buf_fini(&b);
    return gone;
}

static void await_gone(pid_t pid)
{
    struct sf_time until = sf_after(sf_now(), PATIENCE_MS);
    while (!is_gone(pid)) {
        assert_true(sf_until(until) > 0);
        (void)poll(NULL, 0, 2);
    }
}

static bool has_argument(const json_t *argv, const char *name, const char *value)
{
    for (size_t i = 0; i + 1 < json_array_size(argv); i++) {
        if (strcmp(json_string_value(json_array_get(argv, i)), name) == 0) {
            return strcmp(json_string_value(json_array_get(argv, i + 1)), value) == 0;
        }
    }
    return false;
}

static void it_is_started_with_the_owners_keys_and_nothing_else(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "ready");
    p.options.tensor_parallel_size = 2;
    p.options.gpu_memory_utilization = 0.85;
    p.options.max_model_len = 8192;
    p.options.quantization = "awq";
    p.options.dtype = "half";
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    assert_string_equal(health.reason, "");
    json_t *v = note(&p, 0);
    const json_t *argv = json_object_get(v, "argv"), *env = json_object_get(v, "env");
    assert_true(has_argument(argv, "serve", "some/model"));
    assert_true(has_argument(argv, "--host", "127.0.0.1"));
    assert_true(has_argument(argv, "--tensor-parallel-size", "2"));
    assert_true(has_argument(argv, "--gpu-memory-utilization", "0.85"));
    assert_true(has_argument(argv, "--max-model-len", "8192"));
    assert_true(has_argument(argv, "--quantization", "awq"));
    assert_true(has_argument(argv, "--dtype", "half"));
    for (size_t i = 0; i < json_array_size(env); i++) { /* Python itself may set LC_CTYPE */
        const char *name = json_string_value(json_array_get(env, i));
        assert_true(strcmp(name, "PATH") == 0 || strncmp(name, "FAKE_", 5) == 0 ||
                    strcmp(name, "LC_CTYPE") == 0);
    }
    /* stdin, stdout, stderr, its own socket, the notes and the listing: nothing inherited */
    assert_true(json_array_size(json_object_get(v, "fds")) <= 6);
    json_decref(v);
    vllm_spawn_close(s);
    place_fini(&p);
}

static void ready_means_that_its_endpoint_answers(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    struct http_answer answer = {0};
    char url[96];
    place_init(&p, "ready");
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    (void)snprintf(url, sizeof url, "%s/models", vllm_spawn_base_url(s));
    struct http_call call = {
        .url = url, .deadline = sf_after(sf_now(), PATIENCE_MS), .max_body_bytes = 4096};
    assert_int_equal(http_client_call(&call, &answer, NULL), SF_OK);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(sf_buf_z(&answer.body), "\"id\""));
    http_answer_fini(&answer);
    vllm_spawn_close(s);
    place_fini(&p);
}

static void close_ends_the_whole_group(void **state)
{
    (void)state;
    static const char *const modes[] = {"ready", "stubborn"};
    for (size_t i = 0; i < 2; i++) {
        struct place p;
        struct vllm_spawn *s = NULL;
        struct gen_health health;
        place_init(&p, modes[i]);
        p.options.stop_ms = i == 1 ? 100 : 10000;
        assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
        await_state(s, GEN_READY, &health);
        pid_t pid = noted_pid(&p, 0, "pid"), worker = noted_pid(&p, 0, "worker");
        assert_false(is_gone(worker));
        vllm_spawn_close(s);
        assert_true(is_gone(pid));
        await_gone(worker);
        place_fini(&p);
    }
}

static void one_that_dies_is_down_with_its_workers_gone(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "ready");
    p.options.backoff_min_ms = p.options.backoff_max_ms = LONG_PAUSE;
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    pid_t pid = noted_pid(&p, 0, "pid"), worker = noted_pid(&p, 0, "worker");
    assert_int_equal(kill(pid, SIGKILL), 0);
    await_state(s, GEN_DOWN, &health);
    assert_non_null(strstr(health.reason, "killed by signal 9"));
    assert_non_null(strstr(health.reason, "starts again in 600 s"));
    await_gone(worker);
    vllm_spawn_close(s);
    place_fini(&p);
}

static void one_that_dies_is_started_again(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "ready");
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    pid_t pid = noted_pid(&p, 0, "pid");
    assert_int_equal(kill(pid, SIGKILL), 0);
    await_starts(s, 2);
    await_state(s, GEN_READY, &health);
    assert_true(noted_pid(&p, 1, "pid") != pid);
    vllm_spawn_close(s);
    place_fini(&p);
}

static void one_whose_engine_is_dead_is_ended(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    struct http_answer answer = {0};
    char url[96];
    place_init(&p, "ready");
    p.options.backoff_min_ms = p.options.backoff_max_ms = LONG_PAUSE;
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    (void)snprintf(url, sizeof url, "%.*s/engine_dies", (int)strlen(vllm_spawn_base_url(s)) - 3,
                   vllm_spawn_base_url(s));
    struct http_call call = {
        .url = url, .deadline = sf_after(sf_now(), PATIENCE_MS), .max_body_bytes = 4096};
    assert_int_equal(http_client_call(&call, &answer, NULL), SF_OK);
    http_answer_fini(&answer);
    await_state(s, GEN_DOWN, &health);
    assert_non_null(strstr(health.reason, "its engine is dead"));
    vllm_spawn_close(s);
    place_fini(&p);
}

static void one_that_exits_at_once_is_down_with_its_last_words(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "exits");
    p.options.backoff_min_ms = p.options.backoff_max_ms = LONG_PAUSE;
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_DOWN, &health);
    assert_non_null(strstr(health.reason, "exit status 3"));
    assert_non_null(strstr(health.reason, "ValueError: No available memory"));
    vllm_spawn_close(s);
    p.options.backoff_min_ms = 20;
    p.options.backoff_max_ms = 40;
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_starts(s, 4);
    vllm_spawn_close(s);
    place_fini(&p);
}

static void one_that_never_gets_ready_is_ended(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "never_ready");
    p.options.start_timeout_ms = 1000;
    p.options.backoff_min_ms = p.options.backoff_max_ms = LONG_PAUSE;
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_DOWN, &health);
    assert_non_null(strstr(health.reason, "not ready after 1 s"));
    vllm_spawn_close(s);
    place_fini(&p);
}

static void a_flood_of_bytes_does_no_harm(void **state)
{
    (void)state;
    struct place p;
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    place_init(&p, "floods");
    assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
    await_state(s, GEN_READY, &health);
    vllm_spawn_close(s);
    place_fini(&p);
}

/* The child opens one, says so, and is killed as nothing can prepare for. */
static void it_does_not_outlive_a_parent_that_is_killed(void **state)
{
    (void)state;
    struct place p;
    int fds[2];
    char byte = 0;
    place_init(&p, "ready");
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct vllm_spawn *s = NULL;
        struct gen_health health = {.state = GEN_STARTING};
        bool opened = vllm_spawn_open(&p.options, &s, NULL) == SF_OK;
        while (opened && health.state != GEN_READY) {
            vllm_spawn_health(s, &health);
            (void)poll(NULL, 0, 1);
        }
        (void)!write(fds[1], "r", opened ? 1 : 0);
        for (;;) {
            (void)pause();
        }
    }
    struct pollfd ready = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    pid_t pid = noted_pid(&p, 0, "pid"), worker = noted_pid(&p, 0, "worker");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    await_gone(pid);
    await_gone(worker);
    (void)close(fds[0]);
    (void)close(fds[1]);
    place_fini(&p);
}

static const struct {
    const char *command, *model, *says;
    enum sf_err err;
} refusals[] = {
    {"no-such-program-here", "m", "pip install", SF_ENOTFOUND},
    {"/nowhere/vllm", "m", "generator.vllm.command", SF_ENOTFOUND},
    {"/bin/true", "", "generator.vllm.model_name", SF_EINVAL},
    {"/bin/true", "--help", "no model's name", SF_EINVAL},
};

static void what_cannot_work_is_refused_with_a_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        static const char *const environment[] = {"PATH=", NULL};
        struct vllm_spawn_options o = vllm_spawn_options_default();
        struct vllm_spawn *s = NULL;
        struct sf_errbuf eb = {0};
        o.environment = environment;
        o.command = refusals[i].command;
        o.model = refusals[i].model;
        assert_int_equal(vllm_spawn_open(&o, &s, &eb), refusals[i].err);
        assert_non_null(strstr(eb.text, refusals[i].says));
        assert_null(s);
    }
}

static void a_command_is_looked_up_in_the_given_path(void **state)
{
    (void)state;
    static const char *const environment[] = {"PATH=/nowhere::/bin:/usr/bin", NULL};
    struct vllm_spawn_options o = vllm_spawn_options_default();
    struct vllm_spawn *s = NULL;
    struct gen_health health;
    o.command = "true";
    o.model = "m";
    o.environment = environment;
    o.backoff_min_ms = LONG_PAUSE;
    assert_int_equal(vllm_spawn_open(&o, &s, NULL), SF_OK);
    await_state(s, GEN_DOWN, &health);
    assert_non_null(strstr(health.reason, "exit status 0"));
    vllm_spawn_close(s);
}

static void closing_before_anything_happened_is_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct place p;
        struct vllm_spawn *s = NULL;
        place_init(&p, "ready");
        assert_int_equal(vllm_spawn_open(&p.options, &s, NULL), SF_OK);
        vllm_spawn_close(s);
        place_fini(&p);
    }
    vllm_spawn_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_started_with_the_owners_keys_and_nothing_else),
        cmocka_unit_test(ready_means_that_its_endpoint_answers),
        cmocka_unit_test(close_ends_the_whole_group),
        cmocka_unit_test(one_that_dies_is_down_with_its_workers_gone),
        cmocka_unit_test(one_that_dies_is_started_again),
        cmocka_unit_test(one_whose_engine_is_dead_is_ended),
        cmocka_unit_test(one_that_exits_at_once_is_down_with_its_last_words),
        cmocka_unit_test(one_that_never_gets_ready_is_ended),
        cmocka_unit_test(a_flood_of_bytes_does_no_harm),
        cmocka_unit_test(it_does_not_outlive_a_parent_that_is_killed),
        cmocka_unit_test(what_cannot_work_is_refused_with_a_remedy),
        cmocka_unit_test(a_command_is_looked_up_in_the_given_path),
        cmocka_unit_test(closing_before_anything_happened_is_fine),
    };
    log_setup(LOG_ERROR, LOG_FORMAT_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

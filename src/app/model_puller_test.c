/* SPDX-License-Identifier: MIT */
/* The pull in the background, against a hub of ours on loopback that fails first. */
#include "app/model_puller.c"

#include "base/file.h"
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-puller-XXXXXX";

/* GGUF, version 3, no tensors, no pairs. */
static const char model[] = "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

struct hub_of_ours {
    struct http_server *server;
    atomic_int failures; /* answers of 503 before it works */
    atomic_int hold;     /* exchanges are kept waiting */
    _Atomic(struct http_exchange *) held;
    char url[64];
};

static void answer(void *arg, struct http_exchange *x, const struct http_request *request)
{
    struct hub_of_ours *h = arg;
    static const char list[] = "[{\"type\":\"file\",\"path\":\"m-Q4_K_M.gguf\",\"size\":24}]";
    if (atomic_load(&h->hold) > 0) {
        atomic_store(&h->held, x);
    } else if (atomic_fetch_sub(&h->failures, 1) > 0) {
        http_reply(x, 503, NULL, 0, SF_STR("down"));
    } else if (strncmp(request->path, "/api/", 5) == 0) {
        http_reply(x, 200, NULL, 0, sf_str(list));
    } else if (strcmp(request->path, "/t/m-GGUF/resolve/main/m-Q4_K_M.gguf") == 0) {
        http_reply(x, 200, NULL, 0, (struct sf_str){model, sizeof model});
    } else {
        http_reply(x, 404, NULL, 0, SF_STR("none"));
    }
}

static void open_hub(struct hub_of_ours *h, int failures)
{
    struct http_server_options o = http_server_options_default();
    struct sf_errbuf eb = {.code = SF_OK};
    *h = (struct hub_of_ours){.server = NULL};
    atomic_init(&h->failures, failures);
    o.ip = "127.0.0.1";
    o.handler = answer;
    o.arg = h;
    assert_int_equal(http_server_open(&o, &h->server, &eb), SF_OK);
    (void)snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u",
                   (unsigned)http_server_port(h->server));
}

static const struct conf *configure(const struct hub_of_ours *h, const char *name)
{
    struct conf_source source = {.no_file = true, .n_settings = 3};
    const struct conf *conf = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    source.settings[0] = (struct conf_setting){"generator.local.model_name", name};
    source.settings[1] = (struct conf_setting){"generator.local.models_dir", dir};
    source.settings[2] = (struct conf_setting){"generator.local.hub_endpoint", h->url};
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
    return conf;
}

/* Waits until it is in one of the two states. */
static struct puller_status wait_state(struct model_puller *p, enum puller_state a,
                                       enum puller_state b)
{
    struct puller_status s;
    struct sf_time end = sf_after(sf_now(), 20000);
    do {
        (void)poll(NULL, 0, 2);
        model_puller_get(p, &s);
    } while (s.state != a && s.state != b && sf_until(end) > 0);
    return s;
}

static void a_missing_model_comes_in_the_background(void **state)
{
    struct hub_of_ours h;
    struct model_puller *p = NULL;
    (void)state;
    open_hub(&h, 2); /* the hub is down at first */
    const struct conf *conf = configure(&h, "t/m-GGUF");
    assert_true(model_puller_is_needed(conf));
    assert_int_equal(start(conf, NULL, NULL, &(struct pauses){10, 20}, &p), SF_OK);
    struct puller_status s = wait_state(p, PULLER_DONE, PULLER_FAILED);
    assert_int_equal(s.state, PULLER_DONE);
    assert_string_equal(s.file, "m-Q4_K_M.gguf");
    model_puller_stop(p);
    struct model_place place;
    assert_false(model_puller_is_needed(conf));
    model_find(conf, &place);
    assert_true(is_here(place.path));
    conf_unref(conf);
    http_server_close(h.server);
}

static void what_time_does_not_mend_ends_it(void **state)
{
    struct hub_of_ours h;
    struct model_puller *p = NULL;
    (void)state;
    open_hub(&h, 0);
    const struct conf *conf = configure(&h, "meta-llama/Llama-3.1-8B-Instruct"); /* 404 there */
    assert_true(model_puller_is_needed(conf));
    assert_int_equal(model_puller_start(conf, NULL, NULL, &p), SF_OK);
    struct puller_status s = wait_state(p, PULLER_FAILED, PULLER_DONE);
    assert_int_equal(s.state, PULLER_FAILED);
    assert_non_null(strstr(s.text, "Model download failed: "));
    assert_non_null(strstr(s.text, "check the name"));
    model_puller_stop(p);
    conf_unref(conf);
    http_server_close(h.server);
}

static void a_pull_is_given_up_at_once(void **state)
{
    struct hub_of_ours h;
    struct model_puller *p = NULL;
    (void)state;
    open_hub(&h, 0);
    atomic_store(&h.hold, 1);
    const struct conf *conf = configure(&h, "t/other-GGUF");
    assert_int_equal(model_puller_start(conf, NULL, NULL, &p), SF_OK);
    struct sf_time end = sf_after(sf_now(), 20000);
    while (atomic_load(&h.held) == NULL && sf_until(end) > 0) {
        (void)poll(NULL, 0, 2);
    }
    assert_non_null(atomic_load(&h.held));
    struct sf_time before = sf_now();
    model_puller_stop(p); /* in the middle of a question that nobody answers */
    assert_true(sf_between(before, sf_now()) < 5000);
    http_reply(atomic_load(&h.held), 404, NULL, 0, SF_STR("late"));
    model_puller_stop(NULL);
    conf_unref(conf);
    http_server_close(h.server);
}

static void another_name_and_a_cancel(void **state)
{
    struct hub_of_ours h;
    struct model_puller *p = NULL;
    (void)state;
    open_hub(&h, 1000);
    const struct conf *conf = configure(&h, "default");
    if (start(conf, "t/m-GGUF", "Q4_K_M", &(struct pauses){5, 5}, &p) != SF_OK) {
        abort(); /* the analyser does not know that an assertion ends the test */
    }
    struct puller_status s = wait_state(p, PULLER_WAITING, PULLER_FAILED);
    assert_int_equal(s.state, PULLER_WAITING);
    assert_string_equal(s.name, "t/m-GGUF");
    assert_false(model_puller_is_over(p));
    model_puller_cancel(p);
    s = wait_state(p, PULLER_CANCELED, PULLER_FAILED);
    assert_int_equal(s.state, PULLER_CANCELED);
    assert_true(model_puller_is_over(p));
    model_puller_stop(p);
    conf_unref(conf);
    http_server_close(h.server);
}

static void what_cannot_be_pulled_is_not_needed(void **state)
{
    static const char *const names[] = {"default", "/nowhere/x.gguf", "no-repository"};
    struct hub_of_ours h = {.url = "http://127.0.0.1:9"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct conf *conf = configure(&h, names[i]);
        assert_false(model_puller_is_needed(conf));
        conf_unref(conf);
    }
}

/* How the model of this name stands, with auto_download as told; `why` gets what is to be done. */
static enum model_presence presence(const char *name, const char *automatic, char why[static 512])
{
    struct conf_source source = {.no_file = true, .n_settings = 3};
    const struct conf *conf = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    source.settings[0] = (struct conf_setting){"generator.local.model_name", name};
    source.settings[1] = (struct conf_setting){"generator.local.models_dir", dir};
    source.settings[2] = (struct conf_setting){"generator.local.auto_download", automatic};
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
    enum model_presence p = model_puller_presence(conf, &eb);
    (void)snprintf(why, 512, "%.511s", eb.text);
    conf_unref(conf);
    return p;
}

static void how_a_model_stands(void **state)
{
    char path[300], why[512];
    (void)state;
    assert_int_equal(presence("lab/none-GGUF", "true", why), MODEL_COMES);
    assert_int_equal(presence("lab/none-GGUF", "false", why), MODEL_IS_MISSING);
    assert_non_null(strstr(why, "auto_download is false: storyfi models pull lab/none-GGUF"));
    assert_int_equal(presence("/nowhere/x.gguf", "true", why), MODEL_IS_MISSING);
    assert_non_null(strstr(why, "storyfi models list"));
    assert_int_equal(presence("synthetic:llama-3.1-8b:1", "true", why), MODEL_IS_HERE);
    (void)snprintf(path, sizeof path, "%s/none-Q4_K_M.gguf", dir);
    assert_int_equal(sf_file_write(path, (struct sf_str){model, sizeof model}, 0600, NULL), SF_OK);
    assert_int_equal(presence("lab/none-GGUF", "false", why), MODEL_IS_HERE);
    assert_int_equal(presence(path, "false", why), MODEL_IS_HERE);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_model_comes_in_the_background),
        cmocka_unit_test(what_time_does_not_mend_ends_it),
        cmocka_unit_test(a_pull_is_given_up_at_once),
        cmocka_unit_test(another_name_and_a_cancel),
        cmocka_unit_test(what_cannot_be_pulled_is_not_needed),
        cmocka_unit_test(how_a_model_stands),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The helper is this program itself, started once more: it does what its environment says. */
#include "engine/engine_quantize.c"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the helper ------------------------------------------------------------------------------ */

static const char *manner(void)
{
    for (char **e = environ; *e != NULL; e++) {
        if (strncmp(*e, "MANNER=", 7) == 0) {
            return *e + 7;
        }
    }
    return "";
}

static json_t *wait_for_order(void)
{
    struct protocol_reader reader;
    json_t *m = NULL;
    enum sf_err err = SF_OK;
    protocol_reader_init(&reader);
    while (err == SF_OK && m == NULL) {
        struct pollfd p = {.fd = ENGINE_CHILD_FD, .events = POLLIN};
        (void)poll(&p, 1, -1);
        err = protocol_fill(&reader, ENGINE_CHILD_FD);
        err = err == SF_OK ? protocol_next(&reader, &m) : err;
    }
    protocol_reader_fini(&reader);
    return m;
}

static enum sf_err send(json_t *own)
{
    return protocol_write(ENGINE_CHILD_FD, own);
}

/* The order as text is what it "writes". */
static void write_order(const json_t *m)
{
    struct sf_buf b;
    const char *output_type = json_get_string(m, "output_type");
    sf_buf_init(&b, 4096);
    sf_buf_printf(&b, "%s %s from %s", json_get_string(m, "to"),
                  output_type == NULL ? "-" : output_type, json_get_string(m, "input"));
    (void)!sf_file_write(json_get_string(m, "output"), sf_buf_str(&b), 0600, NULL);
    sf_buf_fini(&b);
}

static int be_helper(void)
{
    const char *how = manner();
    bool other = strcmp(how, "other version") == 0;
    if (send(json_pack("{s:s, s:s}", "type", "hello", "version",
                       other ? "0.0.1" : STORYFI_VERSION)) != SF_OK) {
        return 1;
    }
    json_t *m = wait_for_order();
    if (m == NULL || strcmp(how, "dies") == 0) {
        json_decref(m);
        return 3;
    }
    if (strcmp(how, "silent") == 0) {
        (void)wait_for_order(); /* until the parent is gone */
    } else if (strcmp(how, "nonsense") == 0) {
        (void)!write(ENGINE_CHILD_FD, "\0\0\0\0\0\0", 6);
        (void)wait_for_order();
    } else if (strcmp(how, "fails") == 0) {
        (void)send(json_pack("{s:s, s:s, s:s}", "type", "error", "code", "SF_EMODEL", "text",
                             "no room on the disk"));
        (void)wait_for_order();
    } else {
        write_order(m);
        (void)send(json_pack("{s:s, s:i}", "type", "loading", "done", 400));
        (void)send(json_pack("{s:s, s:i}", "type", "loading", "done", 4000));
        (void)send(json_pack("{s:s}", "type", "quantized"));
        (void)wait_for_order();
    }
    json_decref(m);
    return 0;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static char self[512], out[] = "/tmp/storyfi-quantize-XXXXXX";

struct heard {
    int n, last;
};

static void on_progress(void *arg, int permille)
{
    struct heard *h = arg;
    h->n++;
    h->last = permille;
}

static enum sf_err quantize(const char *how, const char *output_type, struct heard *h,
                            const atomic_bool *cancel, struct sf_errbuf *eb)
{
    char variable[64];
    const char *environment[] = {variable, NULL};
    (void)snprintf(variable, sizeof variable, "MANNER=%s", how);
    *eb = (struct sf_errbuf){.code = SF_OK};
    struct engine_quantize_order o = {.engine_path = self,
                                      .lib_dir = "",
                                      .environment = environment,
                                      .input = "/models/in.gguf",
                                      .output = out,
                                      .type = "Q4_0",
                                      .output_type = output_type,
                                      .on_progress = h == NULL ? NULL : on_progress,
                                      .arg = h,
                                      .cancel = cancel};
    return engine_quantize(&o, eb);
}

static void expect_written(const char *text)
{
    struct sf_buf b;
    sf_buf_init(&b, 4096);
    assert_int_equal(sf_file_read(out, &b, NULL), SF_OK);
    assert_string_equal(sf_buf_z(&b), text);
    sf_buf_fini(&b);
}

static void the_order_reaches_the_helper(void **state)
{
    struct heard h = {0, 0};
    struct sf_errbuf eb;
    (void)state;
    assert_int_equal(quantize("", NULL, &h, NULL, &eb), SF_OK);
    expect_written("Q4_0 - from /models/in.gguf");
    assert_int_equal(h.n, 2);
    assert_int_equal(h.last, 1000); /* no more than all */
    assert_int_equal(quantize("", "Q8_0", NULL, NULL, &eb), SF_OK);
    expect_written("Q4_0 Q8_0 from /models/in.gguf");
}

static void what_goes_wrong_is_said(void **state)
{
    static const struct {
        const char *how;
        enum sf_err err;
        const char *text;
    } cases[] = {
        {"other version", SF_ECONFIG, "install both from one build"},
        {"fails", SF_EMODEL, "no room on the disk"},
        {"dies", SF_ECRASH, "exit status 3"},
        {"nonsense", SF_EPARSE, ""},
    };
    struct sf_errbuf eb;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(quantize(cases[i].how, NULL, NULL, NULL, &eb), cases[i].err);
        assert_non_null(strstr(eb.text, cases[i].text));
    }
}

static void a_helper_that_is_not_there_has_a_remedy(void **state)
{
    struct engine_quantize_order o = {.engine_path = "/nowhere/storyfi-engine", .lib_dir = ""};
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    assert_int_equal(engine_quantize(&o, &eb), SF_EUNAVAILABLE);
    assert_non_null(strstr(eb.text, "make setup"));
}

static void it_is_canceled(void **state)
{
    atomic_bool cancel;
    struct sf_errbuf eb;
    (void)state;
    atomic_init(&cancel, true);
    assert_int_equal(quantize("silent", NULL, NULL, &cancel, &eb), SF_ECANCELED);
}

static int64_t time_ms;
static int64_t ten_minutes_a_look(void)
{
    time_ms += 600000;
    return time_ms;
}

static void silence_has_an_end(void **state)
{
    struct sf_errbuf eb;
    (void)state;
    sf_clock_inject(ten_minutes_a_look, NULL);
    enum sf_err err = quantize("silent", NULL, NULL, NULL, &eb);
    sf_clock_inject(NULL, NULL);
    assert_int_equal(err, SF_ESLOW);
}

static int find_self(void **state)
{
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    int fd = mkstemp(out);
    (void)state;
    self[n > 0 ? n : 0] = '\0';
    return n > 0 && fd >= 0 ? close(fd) : -1;
}

static int remove_out(void **state)
{
    (void)state;
    return unlink(out);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_reaches_the_helper),
        cmocka_unit_test(what_goes_wrong_is_said),
        cmocka_unit_test(a_helper_that_is_not_there_has_a_remedy),
        cmocka_unit_test(it_is_canceled),
        cmocka_unit_test(silence_has_an_end),
    };
    return argc == 1 && strcmp(argv[0], "storyfi-engine") == 0
               ? be_helper()
               : cmocka_run_group_tests(tests, find_self, remove_out);
}

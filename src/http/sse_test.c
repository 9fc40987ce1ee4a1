/* SPDX-License-Identifier: MIT */
#include "http/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    struct sf_buf text; /* "event=data|" per event */
    int stop_after;     /* events; 0 never */
};

static bool hear(void *arg, const char *event, struct sf_str data)
{
    struct heard *h = arg;
    sf_buf_printf(&h->text, "%s=%.*s|", event, SF_STR_ARG(data));
    return h->stop_after == 0 || --h->stop_after > 0;
}

static const struct {
    const char *stream, *heard;
} streams[] = {
    {"data: {\"a\":1}\n\ndata: [DONE]\n\n", "={\"a\":1}|=[DONE]|"},
    {"event: message_stop\r\ndata: {}\r\n\r\n", "message_stop={}|"},
    {"data: x\r\rdata: y\r\r", "=x|=y|"},
    {": ping\n\n: ping\n\ndata: x\n\n", "=x|"},
    {"data:x\ndata:  y\ndata\n\n", "=x\n y\n|"},
    {"id: 7\nretry: 10\nevent: e\n\ndata: x\n\n", "=x|"},
    {"\xef\xbb\xbf"
     "data: bom\n\n",
     "=bom|"},
    {"data: \xe6\x95\x85\xe4\xba\x8b\n\n", "=\xe6\x95\x85\xe4\xba\x8b|"},
    {"data: whole\n\ndata: cut", "=whole|"},
    {"data: whole\n\ndata: cut\n", "=whole|"},
    {"", ""},
    {"\n\n\n", ""},
};

static void events_come_out_wherever_the_stream_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct sf_str all = sf_str(streams[i].stream);
        for (size_t step = 1; step <= all.n + 1; step++) {
            struct heard h = {.stop_after = 0};
            struct sse s;
            sse_init(&s, 1024);
            sf_buf_init(&h.text, 4096);
            for (size_t at = 0; at < all.n; at += step) {
                struct sf_str piece = {all.p + at, all.n - at < step ? all.n - at : step};
                assert_int_equal(sse_feed(&s, piece, hear, &h), SF_OK);
            }
            assert_string_equal(sf_buf_z(&h.text), streams[i].heard);
            sse_fini(&s);
            sf_buf_fini(&h.text);
        }
    }
}

static void what_is_too_long_is_refused_for_good(void **state)
{
    (void)state;
    static const char *const streams_too_long[] = {"data: 0123456789012345\n\n",
                                                   "data: 012345\ndata: 0123456789\n\n"};
    for (size_t i = 0; i < 2; i++) {
        struct heard h = {.stop_after = 0};
        struct sse s;
        sse_init(&s, 16);
        sf_buf_init(&h.text, 64);
        assert_int_equal(sse_feed(&s, sf_str(streams_too_long[i]), hear, &h), SF_ELIMIT);
        assert_int_equal(sse_feed(&s, SF_STR("\n\ndata: x\n\n"), hear, &h), SF_ELIMIT);
        assert_int_equal(h.text.n, 0);
        sse_fini(&s);
        sf_buf_fini(&h.text);
    }
}

static void a_listener_may_stop(void **state)
{
    (void)state;
    struct heard h = {.stop_after = 1};
    struct sse s;
    sse_init(&s, 64);
    sf_buf_init(&h.text, 64);
    assert_int_equal(sse_feed(&s, SF_STR("data: a\n\ndata: b\n\n"), hear, &h), SF_ECANCELED);
    assert_string_equal(sf_buf_z(&h.text), "=a|");
    sse_fini(&s);
    sf_buf_fini(&h.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_wherever_the_stream_is_cut),
        cmocka_unit_test(what_is_too_long_is_refused_for_good),
        cmocka_unit_test(a_listener_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

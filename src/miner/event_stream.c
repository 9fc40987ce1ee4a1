/* SPDX-License-Identifier: MIT */
#include "miner/event_stream.h"

#define EVENT_CAP (4U << 20)

struct http_stream *event_stream_open(struct http_exchange *x)
{
    const struct http_header headers[] = {
        {SF_STR("Content-Type"), SF_STR("text/event-stream")},
        {SF_STR("Cache-Control"), SF_STR("no-store")},
        {SF_STR("X-Accel-Buffering"), SF_STR("no")}, /* nginx in front hands on each event */
    };
    return http_reply_open(x, 200, headers, sizeof headers / sizeof headers[0]);
}

void event_stream_print(struct sf_buf *out, const char *event, const json_t *data)
{
    sf_buf_printf(out, "event: %s\ndata: ", event);
    json_print(data, out); /* on one line */
    sf_buf_puts(out, "\n\n");
}

bool event_stream_send(struct http_stream *s, const char *event, json_t *data_own)
{
    struct sf_buf text;
    sf_buf_init(&text, EVENT_CAP);
    if (data_own != NULL) {
        event_stream_print(&text, event, data_own);
    }
    bool ok = data_own != NULL && text.err == SF_OK && http_stream_write(s, sf_buf_str(&text));
    json_decref(data_own);
    sf_buf_fini(&text);
    return ok;
}

/* SPDX-License-Identifier: MIT */
#include "engine/protocol.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEAD 4

void protocol_reader_init(struct protocol_reader *r)
{
    sf_buf_init(&r->pending, HEAD + ENGINE_MESSAGE_MAX + 65536);
}

void protocol_reader_fini(struct protocol_reader *r)
{
    sf_buf_fini(&r->pending);
}

void protocol_feed(struct protocol_reader *r, struct sf_str bytes)
{
    sf_buf_add_str(&r->pending, bytes);
}

enum sf_err protocol_fill(struct protocol_reader *r, int fd)
{
    char chunk[65536];
    ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n == 0) {
        return SF_ECRASH;
    }
    if (n < 0) {
        bool nothing = errno == EAGAIN || errno == EINTR;
        return nothing ? SF_OK : errno == ECONNRESET ? SF_ECRASH : SF_EIO;
    }
    protocol_feed(r, (struct sf_str){chunk, (size_t)n});
    return r->pending.err;
}

static void drop_front(struct sf_buf *b, size_t n)
{
    memmove(b->p, b->p + n, b->n - n + 1);
    b->n -= n;
}

enum sf_err protocol_next(struct protocol_reader *r, json_t **out)
{
    struct sf_buf *b = &r->pending;
    size_t length = 0;
    *out = NULL;
    if (b->n < HEAD) {
        return b->err;
    }
    for (size_t i = 0; i < HEAD; i++) {
        length |= (size_t)(unsigned char)b->p[i] << (8 * i);
    }
    if (length == 0 || length > ENGINE_MESSAGE_MAX) {
        return SF_EPARSE;
    }
    if (b->n < HEAD + length) {
        return b->err;
    }
    struct json_limits limits = {.max_bytes = ENGINE_MESSAGE_MAX, .max_depth = 64};
    json_t *message = NULL;
    enum sf_err err = json_parse((struct sf_str){b->p + HEAD, length}, limits, &message, NULL);
    drop_front(b, HEAD + length);
    if (err != SF_OK || json_get_string(message, "type") == NULL) {
        json_decref(message);
        return SF_EPARSE;
    }
    *out = message;
    return SF_OK;
}

enum sf_err protocol_write(int fd, json_t *message_own)
{
    struct sf_buf b;
    sf_buf_init(&b, HEAD + ENGINE_MESSAGE_MAX);
    sf_buf_add(&b, "\0\0\0\0", HEAD);
    if (message_own != NULL) {
        json_print(message_own, &b);
    }
    enum sf_err err = message_own == NULL ? SF_ENOMEM : b.err;
    json_decref(message_own);
    for (size_t i = 0; err == SF_OK && i < HEAD; i++) {
        b.p[i] = (char)((b.n - HEAD) >> (8 * i));
    }
    for (size_t sent = 0; err == SF_OK && sent < b.n;) {
        ssize_t n = send(fd, b.p + sent, b.n - sent, MSG_NOSIGNAL);
        if (n > 0) {
            sent += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            err = SF_EIO;
        }
    }
    sf_buf_fini(&b);
    return err;
}

enum sf_err protocol_error_code(const char *name)
{
#define ROW(n, value, http, exit, retry, next, brk, text)                                          \
    if (name != NULL && strcmp(name, "SF_" #n) == 0) {                                             \
        return SF_##n;                                                                             \
    }
    SF_ERR_TABLE(ROW)
#undef ROW
    return SF_EINTERNAL;
}

const char *const engine_quantize_types[] = {"Q4_K_M", "Q4_K_S", "IQ4_XS", "Q4_0", "Q4_1",
                                             "Q5_K_M", "Q5_K_S", "Q6_K",   "Q8_0", "Q3_K_M",
                                             "F16",    "BF16",   NULL};

const char *engine_quantize_type(const char *name)
{
    size_t i = 0;
    while (engine_quantize_types[i] != NULL && strcasecmp(engine_quantize_types[i], name) != 0) {
        i++;
    }
    return engine_quantize_types[i];
}

/* SPDX-License-Identifier: MIT */
/* File layout, little-endian: "GGUF", u32 version, u64 tensors, u64 pairs; the pairs: string key,
 * u32 type, value; the tensors: string name, u32 dimensions, u64 each, u32 type, u64 offset; then,
 * aligned, the data that the offsets count in. A string is u64 length and bytes.
 * source: llama.cpp v0.5.0, ggml/include/gguf.h. */
#include "app/gguf_head.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_READ ((size_t)1 << 20)
#define READ_CAP ((size_t)64 << 20)
#define MAX_PAIRS 65536U
#define MAX_TENSORS 200000U
#define MAX_STRING ((uint64_t)64 << 20)
#define MAX_DIMENSIONS 4U
#define MAX_BYTES (INT64_C(1) << 52)

enum {
    T_U8,
    T_I8,
    T_U16,
    T_I16,
    T_U32,
    T_I32,
    T_F32,
    T_BOOL,
    T_STRING,
    T_ARRAY,
    T_U64,
    T_I64,
    T_F64
};
static const uint8_t type_bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* A cursor over the bytes with a sticky error. */
struct scan {
    struct sf_str rest;
    enum sf_err err;
    const char *why;
};

static void stop(struct scan *s, enum sf_err err, const char *why)
{
    if (s->err == SF_OK) {
        s->err = err;
        s->why = why;
    }
}

static struct sf_str take(struct scan *s, uint64_t n)
{
    if (s->err == SF_OK && n > s->rest.n) {
        stop(s, SF_EINCOMPLETE, "the file ends inside its head");
    }
    if (s->err != SF_OK) {
        return (struct sf_str){"", 0};
    }
    struct sf_str part = {s->rest.p, (size_t)n};
    s->rest.p += n;
    s->rest.n -= (size_t)n;
    return part;
}

static uint64_t take_uint(struct scan *s, size_t n)
{
    struct sf_str part = take(s, n);
    uint64_t v = 0;
    for (size_t i = part.n; i > 0; i--) {
        v = v << 8U | (uint8_t)part.p[i - 1];
    }
    return v;
}

static struct sf_str take_string(struct scan *s)
{
    uint64_t n = take_uint(s, 8);
    if (n > MAX_STRING) {
        stop(s, SF_EPARSE, "a text of impossible length");
    }
    return take(s, n);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* A pair's value, as far as we care. */
struct value {
    bool is_int, is_text;
    int64_t i;  /* of an array of numbers: its sum */
    uint64_t n; /* members of an array; 0 else */
    struct sf_str text;
};

static int64_t take_int(struct scan *s, uint32_t type)
{
    uint64_t v = take_uint(s, type_bytes[type]);
    if (type == T_I32) {
        return (int32_t)(uint32_t)v;
    }
    return v > (uint64_t)MAX_BYTES ? MAX_BYTES : (int64_t)v;
}

static bool is_whole(uint32_t type)
{
    return type == T_U32 || type == T_I32 || type == T_U64 || type == T_I64 || type == T_U16;
}

static void take_array(struct scan *s, struct value *out)
{
    uint32_t type = (uint32_t)take_uint(s, 4);
    uint64_t n = take_uint(s, 8);
    if (type > T_F64 || type == T_ARRAY || n > MAX_STRING) {
        stop(s, SF_EPARSE, "a list of an unknown type");
        return;
    }
    out->n = n;
    if (type == T_STRING) {
        for (uint64_t i = 0; i < n && s->err == SF_OK; i++) {
            (void)take_string(s);
        }
    } else if (is_whole(type) && n <= 4096) {
        out->is_int = true;
        for (uint64_t i = 0; i < n && s->err == SF_OK; i++) {
            int64_t v = take_int(s, type);
            out->i += v > 0 && v < 1 << 24 ? v : 0;
        }
    } else {
        (void)take(s, n * type_bytes[type]);
    }
}

static struct value take_value(struct scan *s, uint32_t type)
{
    struct value v = {.n = 0};
    if (type > T_F64) {
        stop(s, SF_EPARSE, "a value of an unknown type");
    } else if (type == T_STRING) {
        v.is_text = true;
        v.text = take_string(s);
    } else if (type == T_ARRAY) {
        take_array(s, &v);
    } else if (is_whole(type)) {
        v.is_int = true;
        v.i = take_int(s, type);
    } else {
        (void)take(s, type_bytes[type]);
    }
    return v;
}

static void keep_text(char *out, size_t n, struct sf_str text)
{
    size_t length = text.n < n - 1 ? text.n : n - 1;
    for (size_t i = 0; i < length; i++) {
        out[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
    }
    out[length] = '\0';
}

/* Numbers that stand under "<architecture>.". */
static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
    {"context_length", offsetof(struct gguf_head, context_tokens)},
    {"block_count", offsetof(struct gguf_head, layers)},
    {"embedding_length", offsetof(struct gguf_head, embedding)},
    {"attention.head_count", offsetof(struct gguf_head, heads)},
    {"attention.key_length", offsetof(struct gguf_head, head_dim)},
    {"expert_count", offsetof(struct gguf_head, experts)},
    {"expert_used_count", offsetof(struct gguf_head, experts_used)},
};

struct raw {
    struct gguf_head *head;
    struct value kv_heads;
    int64_t alignment;
};

static void keep_pair(struct raw *r, struct sf_str key, const struct value *v)
{
    struct gguf_head *h = r->head;
    if (v->is_text && sf_str_is(key, "general.architecture")) {
        keep_text(h->architecture, sizeof h->architecture, v->text);
    } else if (v->is_text && sf_str_is(key, "general.name")) {
        keep_text(h->name, sizeof h->name, v->text);
    } else if (v->is_text && sf_str_is(key, "general.license")) {
        keep_text(h->license, sizeof h->license, v->text);
    } else if (v->is_int && sf_str_is(key, "general.alignment")) {
        r->alignment = v->i;
    } else if (v->is_int && sf_str_is(key, "split.count")) {
        h->split_count = v->i;
    } else if (v->is_int && sf_str_is(key, "split.no")) {
        h->split_no = v->i;
    }
    struct sf_str prefix;
    if (!v->is_int || !sf_str_next(&key, '.', &prefix) || !sf_str_is(prefix, h->architecture)) {
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (sf_str_is(key, numbers[i].key) && v->i >= 0 && v->i < 1 << 24) {
            memcpy((char *)h + numbers[i].offset, &v->i, sizeof v->i);
        }
    }
    if (sf_str_is(key, "attention.head_count_kv")) {
        r->kv_heads = *v;
    }
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Elements and bytes of a block, by ggml_type; zeros: not used in files, or unknown. */
static const struct {
    uint16_t elements, bytes;
} blocks[] = {
    [0] = {1, 4},      [1] = {1, 2},      [2] = {32, 18},    [3] = {32, 20},    [6] = {32, 22},
    [7] = {32, 24},    [8] = {32, 34},    [9] = {32, 36},    [10] = {256, 84},  [11] = {256, 110},
    [12] = {256, 144}, [13] = {256, 176}, [14] = {256, 210}, [15] = {256, 292}, [16] = {256, 66},
    [17] = {256, 74},  [18] = {256, 98},  [19] = {256, 50},  [20] = {32, 18},   [21] = {256, 110},
    [22] = {256, 82},  [23] = {256, 136}, [24] = {1, 1},     [25] = {1, 2},     [26] = {1, 4},
    [27] = {1, 8},     [28] = {1, 8},     [29] = {256, 56},  [30] = {1, 2},     [34] = {256, 54},
    [35] = {256, 66},  [39] = {32, 17},
};

static void take_tensor(struct scan *s, struct gguf_head *h, int64_t *data_end)
{
    struct sf_str name = take_string(s);
    uint64_t n = take_uint(s, 4);
    int64_t elements = 1;
    if (n > MAX_DIMENSIONS) {
        stop(s, SF_EPARSE, "a tensor of too many dimensions");
    }
    for (uint64_t i = 0; i < n && s->err == SF_OK; i++) {
        uint64_t length = take_uint(s, 8);
        if (length > (uint64_t)(MAX_BYTES / elements)) {
            stop(s, SF_EPARSE, "a tensor of impossible size");
            return;
        }
        elements *= length > 0 ? (int64_t)length : 1;
    }
    uint64_t type = take_uint(s, 4);
    uint64_t offset = take_uint(s, 8);
    if (s->err != SF_OK || offset > (uint64_t)MAX_BYTES) {
        stop(s, SF_EPARSE, "a tensor outside of any file");
        return;
    }
    int64_t bytes = 0;
    if (type < sizeof blocks / sizeof blocks[0] && blocks[type].elements > 0) {
        bytes = elements / blocks[type].elements * blocks[type].bytes;
    }
    bytes = bytes > MAX_BYTES ? MAX_BYTES : bytes;
    h->parameters += (double)elements;
    h->tensor_bytes += h->tensor_bytes < MAX_BYTES ? bytes : 0;
    h->block_bytes += sf_str_has_prefix(name, "blk.") && h->block_bytes < MAX_BYTES ? bytes : 0;
    if ((int64_t)offset + bytes > *data_end) {
        *data_end = (int64_t)offset + bytes;
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void take_pairs(struct scan *s, struct raw *r, uint64_t n)
{
    for (uint64_t i = 0; i < n && s->err == SF_OK; i++) {
        struct sf_str key = take_string(s);
        uint32_t type = (uint32_t)take_uint(s, 4);
        struct value v = take_value(s, type);
        if (s->err == SF_OK) {
            keep_pair(r, key, &v);
        }
    }
}

static void finish(struct raw *r, size_t head_bytes, int64_t data_end)
{
    struct gguf_head *h = r->head;
    int64_t alignment = r->alignment > 0 && r->alignment <= 65536 ? r->alignment : 32;
    int64_t data = ((int64_t)head_bytes + alignment - 1) / alignment * alignment;
    h->least_bytes = h->n_tensors > 0 ? data + data_end : (int64_t)head_bytes;
    if (h->head_dim == 0 && h->heads > 0) {
        h->head_dim = h->embedding / h->heads;
    }
    int64_t one = r->kv_heads.i >= 0 && r->kv_heads.i < 1 << 20 ? r->kv_heads.i : 0;
    h->kv_heads_sum = r->kv_heads.n > 0 ? one : h->layers * (one > 0 ? one : h->heads);
}

enum sf_err gguf_head_parse(struct sf_str bytes, struct gguf_head *out, struct sf_errbuf *eb)
{
    struct scan s = {.rest = bytes, .err = SF_OK};
    struct raw r = {.head = out};
    int64_t data_end = 0;
    *out = (struct gguf_head){.n_tensors = 0};
    struct sf_str magic = take(&s, 4);
    if (s.err == SF_OK && !sf_str_is(magic, "GGUF")) {
        stop(&s, SF_EPARSE, "not a GGUF file");
    }
    uint64_t version = take_uint(&s, 4);
    if (s.err == SF_OK && (version < 2 || version > 3)) {
        stop(&s, SF_EPARSE, "a GGUF version that is not 2 or 3");
    }
    uint64_t n_tensors = take_uint(&s, 8), n_pairs = take_uint(&s, 8);
    if (s.err == SF_OK && (n_tensors > MAX_TENSORS || n_pairs > MAX_PAIRS)) {
        stop(&s, SF_EPARSE, "impossible numbers in its head");
    }
    take_pairs(&s, &r, n_pairs);
    for (uint64_t i = 0; i < n_tensors && s.err == SF_OK; i++) {
        take_tensor(&s, out, &data_end);
    }
    if (s.err != SF_OK) {
        return sf_fail(eb, s.err, "%s", s.why);
    }
    out->n_tensors = (int64_t)n_tensors;
    finish(&r, bytes.n - s.rest.n, data_end);
    return SF_OK;
}

static enum sf_err read_prefix(int fd, char *p, size_t n, size_t *got, const char *path,
                               struct sf_errbuf *eb)
{
    for (*got = 0; *got < n;) {
        ssize_t k = pread(fd, p + *got, n - *got, (off_t)*got);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return sf_fail_errno(eb, SF_EIO, "%s", path);
        }
        if (k == 0) {
            break;
        }
        *got += (size_t)k;
    }
    return SF_OK;
}

static enum sf_err read_growing(int fd, int64_t size, struct gguf_head *out, const char *path,
                                struct sf_errbuf *eb)
{
    enum sf_err err = SF_EINCOMPLETE;
    for (size_t n = FIRST_READ; err == SF_EINCOMPLETE; n *= 4) {
        size_t want = size < (int64_t)n ? (size_t)size : n, got = 0;
        char *p = sf_alloc(want + 1);
        if (p == NULL) {
            return sf_fail(eb, SF_ENOMEM, "out of memory");
        }
        err = read_prefix(fd, p, want, &got, path, eb);
        if (err == SF_OK) {
            err = gguf_head_parse((struct sf_str){p, got}, out, eb);
        }
        free(p);
        if (err == SF_EINCOMPLETE && got < n) {
            return sf_fail_prefix(eb, "%s", path); /* that is all there is */
        }
        if (err == SF_EINCOMPLETE && n >= READ_CAP) {
            return sf_fail(eb, SF_ELIMIT, "%s: a head larger than any known model's", path);
        }
    }
    return err == SF_EPARSE ? sf_fail_prefix(eb, "%s", path) : err;
}

enum sf_err gguf_head_read(const char *path, struct gguf_head *out, struct sf_errbuf *eb)
{
    struct stat st;
    *out = (struct gguf_head){.n_tensors = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sf_fail_errno(eb, errno == ENOENT ? SF_ENOTFOUND : SF_EIO, "%s", path);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return sf_fail(eb, SF_EIO, "%s: not a file", path);
    }
    enum sf_err err = read_growing(fd, st.st_size, out, path, eb);
    (void)close(fd);
    if (err == SF_OK && st.st_size < out->least_bytes) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: cut off: %lld bytes, its head says %lld", path,
                       (long long)st.st_size, (long long)out->least_bytes);
    }
    return err;
}

int64_t gguf_head_kv_bytes(const struct gguf_head *h)
{
    return h->kv_heads_sum * h->head_dim * 2 * 2;
}

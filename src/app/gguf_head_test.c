/* SPDX-License-Identifier: MIT */
#include "app/gguf_head.c"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- making files ---------------------------------------------------------------------------- */

static void put_uint(struct sf_buf *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sf_buf_putc(b, (char)(v >> (8 * i)));
    }
}

static void put_text(struct sf_buf *b, const char *z)
{
    put_uint(b, strlen(z), 8);
    sf_buf_add(b, z, strlen(z));
}

static void put_number(struct sf_buf *b, const char *key, uint32_t v)
{
    put_text(b, key);
    put_uint(b, T_U32, 4);
    put_uint(b, v, 4);
}

/* A head of 8 pairs and `tensors` tensors of 256 x 4 weights in Q4_K. */
static void make(struct sf_buf *b, uint64_t tensors)
{
    sf_buf_init(b, 1 << 20);
    sf_buf_puts(b, "GGUF");
    put_uint(b, 3, 4);
    put_uint(b, tensors, 8);
    put_uint(b, 8, 8);
    put_text(b, "general.architecture");
    put_uint(b, T_STRING, 4);
    put_text(b, "qwen3moe");
    put_number(b, "qwen3moe.block_count", 2);
    put_number(b, "qwen3moe.context_length", 32768);
    put_number(b, "qwen3moe.embedding_length", 256);
    put_number(b, "qwen3moe.attention.head_count", 8);
    put_number(b, "llama.block_count", 99); /* another architecture's */
    put_text(b, "qwen3moe.attention.head_count_kv");
    put_uint(b, T_ARRAY, 4);
    put_uint(b, T_I32, 4);
    put_uint(b, 2, 8);
    put_uint(b, 2, 4);
    put_uint(b, 4, 4);
    put_text(b, "tokenizer.ggml.tokens");
    put_uint(b, T_ARRAY, 4);
    put_uint(b, T_STRING, 4);
    put_uint(b, 2, 8);
    put_text(b, "<s>");
    put_text(b, "the");
    for (uint64_t i = 0; i < tensors; i++) {
        put_text(b, i == 0 ? "token_embd.weight" : "blk.0.ffn_up.weight");
        put_uint(b, 2, 4);
        put_uint(b, 256, 8);
        put_uint(b, 4, 8);
        put_uint(b, 12, 4); /* Q4_K: 144 bytes for 256 */
        put_uint(b, i * 576, 8);
    }
}

static enum sf_err parse(const struct sf_buf *b, struct gguf_head *h)
{
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = gguf_head_parse(sf_buf_str(b), h, &eb);
    assert_true(err == SF_OK || eb.text[0] != '\0');
    return err;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_head_says_what_the_planner_needs(void **state)
{
    struct sf_buf b;
    struct gguf_head h;
    (void)state;
    make(&b, 3);
    assert_int_equal(parse(&b, &h), SF_OK);
    assert_string_equal(h.architecture, "qwen3moe");
    assert_int_equal(h.layers, 2);
    assert_int_equal(h.context_tokens, 32768);
    assert_int_equal(h.head_dim, 32);    /* 256 / 8 */
    assert_int_equal(h.kv_heads_sum, 6); /* 2 and 4: layers that differ */
    assert_int_equal(gguf_head_kv_bytes(&h), 6 * 32 * 4);
    assert_int_equal(h.tensor_bytes, 3 * 576);
    assert_int_equal(h.block_bytes, 2 * 576);
    assert_true(h.parameters > 3071 && h.parameters < 3073);
    assert_int_equal(h.least_bytes, ((int64_t)b.n + 31) / 32 * 32 + 3 * 576);
    sf_buf_fini(&b);
}

static void every_cut_of_a_head_is_incomplete(void **state)
{
    struct sf_buf b;
    struct gguf_head h;
    (void)state;
    make(&b, 2);
    size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++) {
        assert_int_equal(parse(&b, &h), SF_EINCOMPLETE);
    }
    sf_buf_fini(&b);
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        size_t at;
        char byte;
    } wrong[] = {{0, 'X'},   /* the magic */
                 {4, 9},     /* a version to come */
                 {13, 127},  /* tensors: 32512 + …, then 2^… */
                 {20, 127}}; /* pairs */
    struct sf_buf b;
    struct gguf_head h;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make(&b, 1);
        b.p[wrong[i].at] = wrong[i].byte;
        assert_int_not_equal(parse(&b, &h), SF_OK);
        sf_buf_fini(&b);
    }
    make(&b, 0);
    put_uint(&b, 0, 1); /* bytes behind the head are its data */
    assert_int_equal(parse(&b, &h), SF_OK);
    b.p[8] = 1; /* one tensor */
    b.n--;
    put_text(&b, "x");
    put_uint(&b, 4, 4);
    for (int i = 0; i < 4; i++) {
        put_uint(&b, UINT64_C(1) << 62, 8); /* a product that overflows */
    }
    put_uint(&b, 0, 4);
    put_uint(&b, 0, 8);
    assert_int_equal(parse(&b, &h), SF_EPARSE);
    sf_buf_fini(&b);
}

static void a_file_that_is_cut_off_is_found(void **state)
{
    char path[] = "/tmp/storyfi-gguf-XXXXXX";
    struct sf_buf b;
    struct gguf_head h;
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    make(&b, 2);
    size_t head = b.n;
    while (b.n < (head + 31) / 32 * 32 + 2 * 576 - 1) {
        sf_buf_putc(&b, 0);
    }
    assert_int_equal(sf_file_write(path, sf_buf_str(&b), 0600, &eb), SF_OK);
    assert_int_equal(gguf_head_read(path, &h, &eb), SF_EINCOMPLETE);
    assert_non_null(strstr(eb.text, "cut off"));
    sf_buf_putc(&b, 0);
    assert_int_equal(sf_file_write(path, sf_buf_str(&b), 0600, &eb), SF_OK);
    assert_int_equal(gguf_head_read(path, &h, &eb), SF_OK);
    assert_int_equal(gguf_head_read("/nowhere.gguf", &h, &eb), SF_ENOTFOUND);
    assert_int_equal(gguf_head_read("/tmp", &h, &eb), SF_EIO);
    (void)close(fd);
    (void)unlink(path);
    sf_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_says_what_the_planner_needs),
        cmocka_unit_test(every_cut_of_a_head_is_incomplete),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_file_that_is_cut_off_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

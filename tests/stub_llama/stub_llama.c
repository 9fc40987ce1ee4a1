/* SPDX-License-Identifier: MIT */
/* A library with libllama's interface and no mathematics: for tests of the engine that need no
 * model and run under sanitizers. Its text is made of a small vocabulary, drawn from a hash of what
 * stands before. It keeps the books of the cache as the library does, and ends the process with a
 * line on stderr where the real one would be used wrongly.
 *
 * A "model file" is lines of text, `word number`:
 *   chat 0|1          an instruct model (1) or a base model
 *   decode_us N       how long a decode takes
 *   token_us N        and how much longer for each token in it
 *   work_us N         as decode_us, but the processor is busy meanwhile
 *   load_ms N         how long loading takes
 *   fail_at N         the Nth decode returns -3
 *   stall_at N        the Nth decode never returns
 *   abort_at N        the Nth decode ends the process, as a CUDA error does
 *   room_mib N        what loading may take on a device: a context of more cells than N MiB hold, 1
 *                     KiB each (half in 8 bits), is refused
 *   gpu N             loads on the Nth GPU alone, from 1
 *   split_N L         the Nth GPU, from 0 to 3, must be given L layers; those not named none
 *   no_flash 1        flash attention is not supported
 *   dies N            where it is refused, the process ends: 1 as ggml ends it on a GPU without
 *                     memory, 2 as the kernel does
 *   crash N           loading ends the process by signal N, whatever the room
 * A GGUF file does too (for what plans by its head): the lines stand behind "#stub\n" in it.
 * STUB_LLAMA_GPUS=N in the environment makes N devices of the kind GPU. */
#include "stub_words.h"

#include "base/file.h"

#include <ggml-backend.h>
#include <llama.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TOKEN_START,                       /* <|im_start|> */
    TOKEN_END,                         /* <|im_end|>: ends the generation */
    TOKEN_BYTE,                        /* 256 of them */
    TOKEN_STOP_HAN = TOKEN_BYTE + 256, /* 。 */
    TOKEN_COMMA_HAN,                   /* ， */
    TOKEN_WORD,
    VOCAB_ROOM = TOKEN_WORD + 1024,
    SEQUENCES_MAX = 256,
    SEQUENCE_WORDS = SEQUENCES_MAX / 64,
};

struct llama_vocab {
    int n;
    char pieces[VOCAB_ROOM][STUB_WORD_ROOM];
    size_t lengths[VOCAB_ROOM];
};

struct llama_model {
    struct llama_vocab vocab;
    uint64_t chat, decode_us, token_us, work_us, load_ms, fail_at, stall_at, abort_at, room_mib,
        dies, no_flash, crash, gpu, split[4];
};

/* A cell of the cache: a token at a position, seen by some sequences. */
struct cell {
    llama_pos pos; /* -1 free */
    uint64_t seqs[SEQUENCE_WORDS];
    uint64_t hash;  /* of all tokens up to this one */
    unsigned words; /* since the last sentence end */
};

struct llama_context {
    struct llama_model *model;
    struct llama_context_params p;
    struct cell *cells;
    int last[SEQUENCES_MAX]; /* the cell of a sequence's last position, -1 none */
    float *logits;           /* a row per token of the batch */
    bool *has_row;
    uint64_t n_decodes;
    int threads;
};

static void misuse(const char *what)
{
    fprintf(stderr, "stub libllama misused: %s\n", what);
    abort();
}

static void *checked(void *p)
{
    if (!p)
        misuse("out of memory");
    return p;
}

static void pause_us(uint64_t us)
{
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
    nanosleep(&t, NULL);
}

/* Of this thread, so that others at work make no difference. */
static void work_us(uint64_t us)
{
    struct timespec from, now;
    uint64_t taken = 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    while (taken < us) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        taken =
            (uint64_t)((now.tv_sec - from.tv_sec) * 1000000 + (now.tv_nsec - from.tv_nsec) / 1000);
    }
}

/* ---- backends -------------------------------------------------------------------------------- */

void ggml_backend_load_all(void)
{
}

void ggml_backend_load_all_from_path(const char *dir_path)
{
    (void)dir_path;
}

/* The CPU first, then the GPUs of $STUB_LLAMA_GPUS. */
static char devices[17];

size_t ggml_backend_dev_count(void)
{
    for (char **e = environ; *e; e++)
        if (sf_str_has_prefix(sf_str(*e), "STUB_LLAMA_GPUS=") && (*e)[16] >= '0' && (*e)[16] <= '9')
            return 1 + (size_t)((*e)[16] - '0');
    return 1;
}

ggml_backend_dev_t ggml_backend_dev_get(size_t index)
{
    return (ggml_backend_dev_t)(void *)&devices[index];
}

enum ggml_backend_dev_type ggml_backend_dev_type(ggml_backend_dev_t device)
{
    return (char *)(void *)device == devices ? GGML_BACKEND_DEVICE_TYPE_CPU
                                             : GGML_BACKEND_DEVICE_TYPE_GPU;
}

ggml_backend_dev_t ggml_backend_dev_by_type(enum ggml_backend_dev_type type)
{
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU && ggml_backend_dev_count() > 1)
        return ggml_backend_dev_get(1);
    return type == GGML_BACKEND_DEVICE_TYPE_CPU ? ggml_backend_dev_get(0) : NULL;
}

size_t llama_max_devices(void)
{
    return 16;
}

void llama_backend_init(void)
{
}

static ggml_log_callback logged;
static void *logged_arg;

void llama_log_set(ggml_log_callback log_callback, void *user_data)
{
    logged = log_callback;
    logged_arg = user_data;
}

const char *llama_version(void)
{
    return "0.5.0-dev";
}

int64_t llama_time_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the model ------------------------------------------------------------------------------- */

static void build_vocab(struct llama_vocab *v)
{
    static const char *const specials[] = {"<|im_start|>", "<|im_end|>"};
    for (int i = 0; i < TOKEN_BYTE; i++)
        v->lengths[i] = (size_t)snprintf(v->pieces[i], STUB_WORD_ROOM, "%s", specials[i]);
    for (int i = 0; i < 256; i++) {
        v->pieces[TOKEN_BYTE + i][0] = (char)i;
        v->lengths[TOKEN_BYTE + i] = 1;
    }
    v->lengths[TOKEN_STOP_HAN] = (size_t)snprintf(v->pieces[TOKEN_STOP_HAN], STUB_WORD_ROOM, "。");
    v->lengths[TOKEN_COMMA_HAN] =
        (size_t)snprintf(v->pieces[TOKEN_COMMA_HAN], STUB_WORD_ROOM, "，");
    v->n = TOKEN_WORD;
    while (v->n < VOCAB_ROOM) {
        size_t n = stub_word((size_t)(v->n - TOKEN_WORD), v->pieces[v->n]);
        if (n == 0)
            break;
        v->lengths[v->n++] = n;
    }
}

static void set_option(struct llama_model *m, struct sf_str name, uint64_t value)
{
    const struct {
        const char *name;
        uint64_t *value;
    } options[] = {
        {"chat", &m->chat},         {"decode_us", &m->decode_us}, {"token_us", &m->token_us},
        {"load_ms", &m->load_ms},   {"fail_at", &m->fail_at},     {"stall_at", &m->stall_at},
        {"abort_at", &m->abort_at}, {"room_mib", &m->room_mib},   {"dies", &m->dies},
        {"no_flash", &m->no_flash}, {"work_us", &m->work_us},     {"crash", &m->crash},
        {"gpu", &m->gpu},           {"split_0", &m->split[0]},    {"split_1", &m->split[1]},
        {"split_2", &m->split[2]},  {"split_3", &m->split[3]}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (sf_str_is(name, options[i].name))
            *options[i].value = value;
}

/* False when the file is no model of ours. */
static bool read_options(const char *path, struct llama_model *m)
{
    struct sf_buf file;
    struct sf_str rest, line, name;
    uint64_t value;
    bool known = false;
    sf_buf_init(&file, 4U << 20);
    if (sf_file_read(path, &file, NULL) == SF_OK) {
        rest = sf_buf_str(&file);
        size_t mark = sf_str_find(rest, SF_STR("#stub\n"));
        if (mark < rest.n)
            rest = (struct sf_str){rest.p + mark + 6, rest.n - mark - 6};
        while (sf_str_next(&rest, '\n', &line) && sf_str_next(&line, ' ', &name) &&
               sf_scan_u64(line, UINT32_MAX, &value)) {
            set_option(m, name, value);
            known = true;
        }
    }
    sf_buf_fini(&file);
    return known;
}

struct llama_model_params llama_model_default_params(void)
{
    return (struct llama_model_params){.n_gpu_layers = 0};
}

/* True when the model goes where its file says. */
static bool is_placed(const struct llama_model *m, const struct llama_model_params *p)
{
    uint64_t split = 0;
    bool ok = m->gpu == 0 || (p->devices && p->devices[0] == ggml_backend_dev_get(m->gpu) &&
                              !p->devices[1] && p->n_gpu_layers > 0);
    for (size_t i = 0; i < 4; i++)
        split += m->split[i];
    for (size_t i = 0; split > 0 && ok && i < llama_max_devices(); i++)
        ok = p->tensor_split && p->n_gpu_layers > 0 && !p->devices &&
             p->tensor_split[i] == (float)(i < 4 ? m->split[i] : 0);
    if (!ok)
        fprintf(stderr, "stub libllama: not where the model's file says\n");
    return ok;
}

struct llama_model *llama_model_load_from_file(const char *path_model,
                                               struct llama_model_params params)
{
    struct llama_model *m = checked(calloc(1, sizeof *m));
    bool known = read_options(path_model, m), go_on = true;
    for (int i = 0; known && go_on && i <= 4; i++) {
        go_on = !params.progress_callback ||
                params.progress_callback((float)i / 4, params.progress_callback_user_data);
        pause_us(m->load_ms * 1000 / 5);
    }
    if (!known || !go_on || !is_placed(m, &params)) { /* no model, or told to stop */
        free(m);
        return NULL;
    }
    build_vocab(&m->vocab);
    return m;
}

struct llama_model_quantize_params llama_model_quantize_default_params(void)
{
    return (struct llama_model_quantize_params){.nthread = 0};
}

/* The same bytes under the other name; as Q8_0 a decode costs no work. */
uint32_t llama_model_quantize(const char *fname_inp, const char *fname_out,
                              const struct llama_model_quantize_params *params)
{
    struct sf_buf file;
    FILE *out = NULL;
    static const char slow[] = "work_us ";
    sf_buf_init(&file, 64U << 20);
    bool ok = sf_file_read(fname_inp, &file, NULL) == SF_OK;
    size_t at = ok ? sf_str_find(sf_buf_str(&file), sf_str(slow)) : file.n;
    bool to_fast = ok && params->ftype == LLAMA_FTYPE_MOSTLY_Q8_0;
    for (at += sizeof slow - 1; to_fast && at < file.n && file.p[at] != '\n'; at++)
        file.p[at] = '0';
    ok = ok && (out = fopen(fname_out, "wb")) && fwrite(file.p, 1, file.n, out) == file.n;
    if (out)
        ok = fclose(out) == 0 && ok;
    sf_buf_fini(&file);
    return ok ? 0 : 1;
}

/* Under a sanitizer too, which has handlers of its own. */
static void end_by(int sig)
{
    (void)signal(sig, SIG_DFL);
    (void)raise(sig);
}

/* Whether a device would have no room for it; says so as the library does. */
static bool is_refused(const struct llama_model *m, const struct llama_context_params *p)
{
    uint64_t kib = p->type_k == GGML_TYPE_Q8_0 ? p->n_ctx / 2 : p->n_ctx;
    bool refused = m->room_mib > 0 && kib > m->room_mib * 1024;
    if (m->crash)
        end_by((int)m->crash);
    if (refused && m->dies == 2)
        end_by(SIGKILL);
    if (refused && m->dies && logged) {
        logged(GGML_LOG_LEVEL_ERROR, "CUDA error: out of memory\n", logged_arg);
        abort();
    }
    return refused;
}

void llama_model_free(struct llama_model *model)
{
    free(model);
}

uint64_t llama_model_n_params(const struct llama_model *model)
{
    return (uint64_t)model->vocab.n;
}

int32_t llama_model_n_layer(const struct llama_model *model)
{
    (void)model;
    return 1;
}

int32_t llama_model_n_head(const struct llama_model *model)
{
    (void)model;
    return 1;
}

int32_t llama_model_n_head_kv(const struct llama_model *model)
{
    (void)model;
    return 1;
}

int32_t llama_model_n_embd(const struct llama_model *model)
{
    (void)model;
    return 2;
}

int32_t llama_model_meta_val_str(const struct llama_model *model, const char *key, char *buf,
                                 size_t buf_size)
{
    (void)model;
    return strcmp(key, "general.name") == 0 ? snprintf(buf, buf_size, "Stub") : -1;
}

const char *llama_model_chat_template(const struct llama_model *model, const char *name)
{
    (void)name;
    return model->chat ? "chatml" : NULL;
}

int32_t llama_chat_apply_template(const char *tmpl, const struct llama_chat_message *chat,
                                  size_t n_msg, bool add_ass, char *buf, int32_t length)
{
    size_t n = 0, room = (size_t)length;
    if (strcmp(tmpl, "chatml") != 0)
        return -1;
    for (size_t i = 0; i <= n_msg && n < room; i++) {
        if (i < n_msg)
            n += (size_t)snprintf(buf + n, room - n, "<|im_start|>%s\n%s<|im_end|>\n", chat[i].role,
                                  chat[i].content);
        else if (add_ass)
            n += (size_t)snprintf(buf + n, room - n, "<|im_start|>assistant\n");
    }
    return (int32_t)n;
}

/* ---- the vocabulary -------------------------------------------------------------------------- */

const struct llama_vocab *llama_model_get_vocab(const struct llama_model *model)
{
    return &model->vocab;
}

int32_t llama_vocab_n_tokens(const struct llama_vocab *vocab)
{
    return vocab->n;
}

bool llama_vocab_is_eog(const struct llama_vocab *vocab, llama_token token)
{
    (void)vocab;
    return token == TOKEN_END;
}

bool llama_vocab_is_control(const struct llama_vocab *vocab, llama_token token)
{
    (void)vocab;
    return token < TOKEN_BYTE;
}

llama_token llama_vocab_bos(const struct llama_vocab *vocab)
{
    (void)vocab;
    return TOKEN_START;
}

bool llama_vocab_get_add_bos(const struct llama_vocab *vocab)
{
    (void)vocab;
    return false;
}

int32_t llama_token_to_piece(const struct llama_vocab *vocab, llama_token token, char *buf,
                             int32_t length, int32_t lstrip, bool special)
{
    (void)lstrip;
    if (token < 0 || token >= vocab->n)
        misuse("piece of a token that is not there");
    size_t n = token < TOKEN_BYTE && !special ? 0 : vocab->lengths[token];
    if ((int32_t)n > length)
        return -(int32_t)n;
    memcpy(buf, vocab->pieces[token], n);
    return (int32_t)n;
}

/* The longest piece that the text begins with: words first, special tokens where they are read. */
static llama_token longest(const struct llama_vocab *v, const char *text, size_t left, bool special)
{
    llama_token best = TOKEN_BYTE + (unsigned char)*text;
    size_t length = 1;
    for (int t = special ? 0 : TOKEN_STOP_HAN; t < v->n; t++)
        if ((t < TOKEN_BYTE || t >= TOKEN_STOP_HAN) && v->lengths[t] > length &&
            v->lengths[t] <= left && memcmp(v->pieces[t], text, v->lengths[t]) == 0) {
            best = t;
            length = v->lengths[t];
        }
    return best;
}

/* lint: callback */
int32_t llama_tokenize(const struct llama_vocab *vocab, const char *text, int32_t text_len,
                       llama_token *tokens, int32_t n_tokens_max, bool add_special,
                       bool parse_special)
{
    int32_t n = 0;
    (void)add_special;
    for (size_t at = 0, end = (size_t)text_len; at < end; n++) {
        llama_token t = longest(vocab, text + at, end - at, parse_special);
        if (n < n_tokens_max)
            tokens[n] = t;
        at += vocab->lengths[t];
    }
    return n <= n_tokens_max ? n : -n;
}

/* ---- the cache ------------------------------------------------------------------------------- */

struct llama_context_params llama_context_default_params(void)
{
    return (struct llama_context_params){.n_ctx = 512, .n_batch = 2048, .n_seq_max = 1};
}

struct llama_context *llama_init_from_model(struct llama_model *model,
                                            struct llama_context_params params)
{
    if (params.n_seq_max > SEQUENCES_MAX || params.n_batch == 0 || is_refused(model, &params))
        return NULL;
    if (model->no_flash && params.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_AUTO && logged)
        logged(GGML_LOG_LEVEL_WARN, "init: Flash Attention not supported, set to disabled\n",
               logged_arg);
    struct llama_context *c = checked(calloc(1, sizeof *c));
    c->model = model;
    c->p = params;
    c->threads = params.n_threads;
    c->cells = checked(calloc(params.n_ctx, sizeof *c->cells));
    c->logits = checked(malloc(params.n_batch * (size_t)model->vocab.n * sizeof *c->logits));
    c->has_row = checked(calloc(params.n_batch, sizeof *c->has_row));
    for (uint32_t i = 0; i < params.n_ctx; i++)
        c->cells[i].pos = -1;
    for (int i = 0; i < SEQUENCES_MAX; i++)
        c->last[i] = -1;
    return c;
}

void llama_free(struct llama_context *ctx)
{
    free(ctx->cells);
    free(ctx->logits);
    free(ctx->has_row);
    free(ctx);
}

uint32_t llama_n_ctx(const struct llama_context *ctx)
{
    return ctx->p.n_ctx;
}

int32_t llama_n_threads(struct llama_context *ctx)
{
    return ctx->threads;
}

void llama_set_n_threads(struct llama_context *ctx, int32_t n_threads, int32_t n_threads_batch)
{
    if (n_threads < 1 || n_threads_batch < 1)
        misuse("no threads");
    ctx->threads = n_threads;
}

llama_memory_t llama_get_memory(const struct llama_context *ctx)
{
    return (llama_memory_t)(uintptr_t)ctx;
}

static struct llama_context *cache_of(llama_memory_t mem, llama_seq_id seq)
{
    struct llama_context *c = (struct llama_context *)(void *)mem;
    if (seq < 0 || (uint32_t)seq >= c->p.n_seq_max)
        misuse("a sequence outside n_seq_max");
    return c;
}

static bool is_seen(const struct cell *cell, llama_seq_id seq)
{
    return cell->pos >= 0 && (cell->seqs[seq / 64] >> (seq % 64) & 1) != 0;
}

static void find_last(struct llama_context *c, llama_seq_id seq)
{
    c->last[seq] = -1;
    for (uint32_t i = 0; i < c->p.n_ctx; i++)
        if (is_seen(&c->cells[i], seq) &&
            (c->last[seq] < 0 || c->cells[i].pos > c->cells[c->last[seq]].pos))
            c->last[seq] = (int)i;
}

void llama_memory_seq_cp(llama_memory_t mem, llama_seq_id seq_id_src, llama_seq_id seq_id_dst,
                         llama_pos p0, llama_pos p1)
{
    struct llama_context *c = cache_of(mem, seq_id_dst);
    (void)cache_of(mem, seq_id_src);
    if (!c->p.kv_unified)
        misuse("seq_cp without a unified cache");
    for (uint32_t i = 0; i < c->p.n_ctx; i++) {
        struct cell *cell = &c->cells[i];
        if (is_seen(cell, seq_id_src) && cell->pos >= p0 && (p1 < 0 || cell->pos < p1))
            cell->seqs[seq_id_dst / 64] |= 1ULL << (seq_id_dst % 64);
    }
    find_last(c, seq_id_dst);
}

static bool is_free(const struct cell *cell)
{
    uint64_t any = 0;
    for (int i = 0; i < SEQUENCE_WORDS; i++)
        any |= cell->seqs[i];
    return any == 0;
}

bool llama_memory_seq_rm(llama_memory_t mem, llama_seq_id seq_id, llama_pos p0, llama_pos p1)
{
    struct llama_context *c = cache_of(mem, seq_id);
    for (uint32_t i = 0; i < c->p.n_ctx; i++) {
        struct cell *cell = &c->cells[i];
        if (!is_seen(cell, seq_id) || cell->pos < p0 || (p1 >= 0 && cell->pos >= p1))
            continue;
        cell->seqs[seq_id / 64] &= ~(1ULL << (seq_id % 64));
        if (is_free(cell))
            cell->pos = -1;
    }
    find_last(c, seq_id);
    return true;
}

/* ---- decoding -------------------------------------------------------------------------------- */

struct llama_batch llama_batch_init(int32_t n_tokens, int32_t embd, int32_t n_seq_max)
{
    size_t n = (size_t)n_tokens;
    (void)embd;
    struct llama_batch b = {.token = checked(calloc(n, sizeof *b.token)),
                            .pos = checked(calloc(n, sizeof *b.pos)),
                            .n_seq_id = checked(calloc(n, sizeof *b.n_seq_id)),
                            .seq_id = checked(calloc(n + 1, sizeof *b.seq_id)),
                            .logits = checked(calloc(n, sizeof *b.logits))};
    for (size_t i = 0; i < n; i++)
        b.seq_id[i] = checked(calloc((size_t)n_seq_max, sizeof **b.seq_id));
    return b;
}

void llama_batch_free(struct llama_batch batch)
{
    for (size_t i = 0; batch.seq_id[i]; i++)
        free(batch.seq_id[i]);
    free(batch.token);
    free(batch.pos);
    free(batch.n_seq_id);
    free(batch.seq_id);
    free(batch.logits);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = (a ^ b) + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* Words follow words; a sentence end becomes likely after eight of them, the end of the text then.
 */
static float logit(const struct cell *cell, llama_token t)
{
    float chance = (float)(mix(cell->hash, (uint64_t)t) >> 40) / (float)(1 << 24);
    if (t >= TOKEN_WORD)
        return 4.0f * chance;
    if (t == TOKEN_BYTE + '.' || t == TOKEN_STOP_HAN)
        return cell->words >= 8 ? 9.0f : -3.0f;
    if (t == TOKEN_END || t == TOKEN_BYTE + '\n')
        return cell->words == 0 ? 4.0f : 2.0f;
    if (t == TOKEN_BYTE + '"')
        return 2.0f;
    if (t == TOKEN_BYTE + ',' || t == TOKEN_COMMA_HAN)
        return cell->words == 4 ? 5.0f : -3.0f;
    return -9.0f + chance;
}

static int take_cell(struct llama_context *c)
{
    for (uint32_t i = 0; i < c->p.n_ctx; i++)
        if (c->cells[i].pos < 0)
            return (int)i;
    return -1;
}

static int feed(struct llama_context *c, const struct llama_batch *b, int i)
{
    llama_seq_id seq = b->seq_id[i][0];
    llama_token t = b->token[i];
    (void)cache_of(llama_get_memory(c), seq);
    if (t < 0 || t >= c->model->vocab.n)
        misuse("a token outside the vocabulary");
    const struct cell *before = c->last[seq] < 0 ? NULL : &c->cells[c->last[seq]];
    if (b->pos[i] != (before ? before->pos + 1 : 0))
        misuse("positions of a sequence with a gap");
    int at = take_cell(c);
    if (at < 0)
        return 1;
    struct cell *cell = &c->cells[at];
    *cell = (struct cell){.pos = b->pos[i], .hash = mix(before ? before->hash : 1, (uint64_t)t)};
    bool ends =
        t == TOKEN_BYTE + '.' || t == TOKEN_STOP_HAN || t < TOKEN_BYTE || t == TOKEN_BYTE + '\n';
    cell->words = ends ? 0 : (before ? before->words : 0) + (t >= TOKEN_WORD);
    cell->seqs[seq / 64] = 1ULL << (seq % 64);
    c->last[seq] = at;
    c->has_row[i] = b->logits[i] != 0;
    float *row = c->logits + (size_t)i * (size_t)c->model->vocab.n;
    for (int k = 0; c->has_row[i] && k < c->model->vocab.n; k++)
        row[k] = logit(cell, k);
    return 0;
}

static void do_harm(const struct llama_context *c)
{
    if (c->n_decodes == c->model->abort_at)
        abort();
    while (c->n_decodes == c->model->stall_at)
        pause_us(1000000);
}

int32_t llama_decode(struct llama_context *ctx, struct llama_batch batch)
{
    if (batch.n_tokens < 1 || (uint32_t)batch.n_tokens > ctx->p.n_batch)
        misuse("an empty batch, or one over n_batch");
    ctx->n_decodes++;
    do_harm(ctx);
    if (ctx->n_decodes == ctx->model->fail_at)
        return -3;
    memset(ctx->has_row, 0, ctx->p.n_batch * sizeof *ctx->has_row);
    for (int i = 0; i < batch.n_tokens; i++)
        if (feed(ctx, &batch, i) != 0)
            return 1;
    uint64_t us = ctx->model->decode_us + ctx->model->token_us * (uint64_t)batch.n_tokens;
    if (us > 0)
        pause_us(us);
    work_us(ctx->model->work_us);
    return 0;
}

void llama_synchronize(struct llama_context *ctx)
{
    (void)ctx;
}

float *llama_get_logits_ith(struct llama_context *ctx, int32_t i)
{
    if (i < 0 || (uint32_t)i >= ctx->p.n_batch || !ctx->has_row[i])
        return NULL;
    return ctx->logits + (size_t)i * (size_t)ctx->model->vocab.n;
}

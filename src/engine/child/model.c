/* SPDX-License-Identifier: MIT */
#include "engine/child/model.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/child/cpu_limit.h"
#include "engine/child/synthetic.h"
#include "engine/child/token_class.h"
#include "engine/protocol.h"

#include <ggml-backend.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK_SYSTEM "\x01sys\x01"
#define MARK_USER "\x01usr\x01"

struct sf_str model_piece(const struct engine_model *m, llama_token t)
{
    if (t < 0 || t >= m->n_vocab)
        return SF_STR("");
    uint32_t from = m->piece_at[t];
    return (struct sf_str){m->pieces + from, m->piece_at[t + 1] - from};
}

enum sf_err model_tokenize(const struct engine_model *m, struct sf_str text, bool special,
                           llama_token *tokens, size_t room, size_t *n)
{
    if (text.n == 0)
        return SF_OK;
    if (text.n > (1U << 20) || *n >= room)
        return SF_ELIMIT;
    int32_t got = llama_tokenize(m->vocab, text.p, (int32_t)text.n, tokens + *n,
                                 (int32_t)(room - *n), false, special);
    if (got < 0) /* the negative count that it would take, or INT32_MIN */
        return SF_ELIMIT;
    *n += (size_t)got;
    return SF_OK;
}

uint64_t model_memory_bytes(void)
{
    struct sf_buf b;
    sf_buf_init(&b, 256);
    uint64_t pages = 0;
    if (sf_file_read("/proc/self/statm", &b, NULL) == SF_OK) {
        struct sf_str s = sf_buf_str(&b), part;
        if (sf_str_next(&s, ' ', &part) && sf_str_next(&s, ' ', &part) &&
            !sf_scan_u64(part, UINT64_MAX >> 16, &pages))
            pages = 0;
    }
    sf_buf_fini(&b);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the library says while a model loads: it returns nothing but NULL. */
static struct {
    bool no_flash;
    volatile sig_atomic_t no_memory;
} heard;

/* Not what it does without: memory that is pinned for faster copies. */
static bool tells_of_memory(const char *text)
{
    return (strstr(text, "failed to allocate") || strstr(text, "unable to allocate") ||
            strstr(text, "out of memory") || strstr(text, "bad_alloc")) &&
           !strstr(text, "pinned");
}

/* ggml ends its process when a GPU has no memory left: the parent learns that from the exit status.
 * Any other abort is one, as soon as this returns. */
static void on_abort(int sig)
{
    if (heard.no_memory)
        _exit(ENGINE_EXIT_MEMORY);
    (void)raise(sig);
}

static void quiet_log(enum ggml_log_level level, const char *text, void *arg)
{
    (void)arg;
    if (tells_of_memory(text))
        heard.no_memory = 1;
    if (strstr(text, "Flash Attention") && strstr(text, "set to disabled"))
        heard.no_flash = true;
    if (level == GGML_LOG_LEVEL_ERROR)
        fprintf(stderr, "llama: %s", text);
}

/* Which of the CPU libraries the loader picked: from the process's own map. */
static void find_variant(char *out, size_t room)
{
    FILE *f = fopen("/proc/self/maps", "re");
    char line[1024];
    snprintf(out, room, "built-in");
    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "libggml-cpu-");
        const char *end = at ? strstr(at, ".so") : NULL;
        if (!end)
            continue;
        at += sizeof "libggml-cpu-" - 1;
        size_t n = (size_t)(end - at);
        n = n < room ? n : room - 1;
        memcpy(out, at, n);
        out[n] = '\0';
        break;
    }
    if (f)
        fclose(f);
}

/* Capitalised words without a lower-case form of one token are taken for names ("Sarah"; "The"
 * not). */
static void mark_names(struct engine_model *m)
{
    char word[64];
    for (llama_token t = 0; t < m->n_vocab; t++) {
        struct sf_str s = model_piece(m, t);
        if (!(m->classes[t] & TOK_CAPITAL) || s.n >= sizeof word)
            continue;
        memcpy(word, s.p, s.n);
        size_t at = word[0] == ' ';
        word[at] = (char)(word[at] | 32);
        llama_token lower[4];
        size_t n = 0;
        if (model_tokenize(m, (struct sf_str){word, s.n}, false, lower, 4, &n) != SF_OK || n != 1)
            m->classes[t] |= TOK_NAME;
    }
}

static enum sf_err build_vocab(struct engine_model *m)
{
    m->vocab = llama_model_get_vocab(m->model);
    m->n_vocab = llama_vocab_n_tokens(m->vocab);
    size_t n = (size_t)m->n_vocab;
    m->classes = sf_alloc(n * sizeof *m->classes);
    m->piece_at = sf_alloc((n + 1) * sizeof *m->piece_at);
    struct sf_buf b;
    sf_buf_init(&b, 64U << 20);
    char piece[512];
    for (llama_token t = 0; m->classes && m->piece_at && t < m->n_vocab; t++) {
        m->piece_at[t] = (uint32_t)b.n;
        int32_t len = llama_token_to_piece(m->vocab, t, piece, sizeof piece, 0, false);
        struct sf_str s = {piece, len > 0 ? (size_t)len : 0};
        m->classes[t] = token_classify(s);
        if (llama_vocab_is_eog(m->vocab, t))
            m->classes[t] |= TOK_END | TOK_CONTROL;
        else if (llama_vocab_is_control(m->vocab, t) || len <= 0)
            m->classes[t] |= TOK_CONTROL;
        sf_buf_add_str(&b, s);
    }
    bool ok = m->classes && m->piece_at && b.err == SF_OK;
    if (ok) {
        m->piece_at[n] = (uint32_t)b.n;
        m->pieces = sf_buf_take(&b);
    }
    sf_buf_fini(&b);
    if (!ok || !m->pieces)
        return SF_ENOMEM;
    mark_names(m);
    return SF_OK;
}

/* Splits the model's chat form around the system and the user text. */
static enum sf_err build_chat(struct engine_model *m)
{
    const char *tmpl = llama_model_chat_template(m->model, NULL);
    const struct llama_chat_message chat[] = {{"system", MARK_SYSTEM}, {"user", MARK_USER}};
    char buf[4096];
    int32_t n = tmpl ? llama_chat_apply_template(tmpl, chat, 2, true, buf, sizeof buf - 1) : -1;
    if (n <= 0 || n >= (int32_t)sizeof buf)
        return SF_OK; /* no chat form known: a base model's prompts */
    buf[n] = '\0';
    char *sys = strstr(buf, MARK_SYSTEM), *user = strstr(buf, MARK_USER);
    if (!sys || !user || user < sys)
        return SF_OK;
    const char *mid = sys + sizeof MARK_SYSTEM - 1;
    m->chat_head = sf_strndup(buf, (size_t)(sys - buf));
    m->chat_mid = sf_strndup(mid, (size_t)(user - mid));
    m->chat_tail = sf_strdup(user + sizeof MARK_USER - 1);
    const struct llama_chat_message two[] = {
        {"system", "s"}, {"user", "u"}, {"assistant", MARK_SYSTEM}, {"user", MARK_USER}};
    n = llama_chat_apply_template(tmpl, two, 4, true, buf, sizeof buf - 1);
    if (n > 0 && n < (int32_t)sizeof buf) {
        buf[n] = '\0';
        sys = strstr(buf, MARK_SYSTEM);
        user = strstr(buf, MARK_USER);
        if (sys && user && user > sys) {
            mid = sys + sizeof MARK_SYSTEM - 1;
            m->chat_next = sf_strndup(mid, (size_t)(user - mid));
        }
    }
    return m->chat_head && m->chat_mid && m->chat_tail ? SF_OK : SF_ENOMEM;
}

struct load_progress {
    model_progress_fn fn;
    void *arg;
    int last;
};

static bool on_progress(float share, void *arg)
{
    struct load_progress *p = arg;
    int permille = (int)(share * 1000.0f);
    if (permille == p->last)
        return true;
    p->last = permille;
    return !p->fn || p->fn(p->arg, permille);
}

/* The device list for "cpu", "cuda", "cuda:N"; `auto` leaves the choice to the library. */
static enum sf_err pick_devices(const char *device, ggml_backend_dev_t list[2], bool *limited,
                                struct sf_errbuf *eb)
{
    list[0] = list[1] = NULL;
    *limited = true;
    struct sf_str d = sf_str(device ? device : "auto");
    if (sf_str_is(d, "auto"))
        *limited = false;
    if (sf_str_is(d, "auto") || sf_str_is(d, "cpu"))
        return SF_OK;
    uint64_t wanted = 0, seen = 0;
    if (!sf_str_is(d, "cuda") && !(sf_str_has_prefix(d, "cuda:") &&
                                   sf_scan_u64((struct sf_str){d.p + 5, d.n - 5}, 255, &wanted)))
        return sf_fail(eb, SF_ECONFIG, "device \"%s\" is unknown: use auto, cpu, cuda or cuda:N",
                       device);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t dev = ggml_backend_dev_get(i);
        if (ggml_backend_dev_type(dev) != GGML_BACKEND_DEVICE_TYPE_GPU)
            continue;
        if (seen++ == wanted)
            list[0] = dev;
    }
    if (!list[0])
        return sf_fail(eb, SF_ECONFIG,
                       "no GPU for device \"%s\" (%d seen): install the GPU libraries of "
                       "llama.cpp or set device: cpu",
                       device, (int)seen);
    return SF_OK;
}

/* Cells of the cache in so many bytes: keys and values of each layer, 16 bits each. */
static int prefix_cells(const struct engine_model *m, int64_t bytes)
{
    int64_t heads = llama_model_n_head(m->model), width = llama_model_n_embd(m->model);
    int64_t cell = 2 * 2 * (int64_t)llama_model_n_layer(m->model) *
                   llama_model_n_head_kv(m->model) * (heads > 0 ? width / heads : width);
    int64_t n = bytes <= 0 || cell <= 0 ? m->n_ctx : bytes / cell;
    if (m->kv_q8 && bytes > 0)
        n = n * 32 / 17; /* 34 bytes hold 32 values */
    return n < m->n_ctx ? (int)n : m->n_ctx;
}

static enum sf_err make_context(struct engine_model *m, const struct model_options *o,
                                struct sf_errbuf *eb)
{
    struct llama_context_params p = llama_context_default_params();
    int n_seq = o->sequences > 0 ? o->sequences : (m->gpu ? 256 : 160);
    m->n_sequences = n_seq > MODEL_MAX_SEQUENCES ? MODEL_MAX_SEQUENCES : n_seq;
    if (m->n_sequences < 8)
        m->n_sequences = 8;
    m->n_ctx = o->context > 0 ? o->context : (m->gpu ? 32768 : 12288);
    int cpus = cpu_limit();
    m->n_threads = o->threads > 0 && o->threads < cpus ? o->threads : cpus;
    p.n_ctx = (uint32_t)m->n_ctx;
    p.n_batch = 512;
    p.n_ubatch = 512;
    p.n_seq_max = (uint32_t)m->n_sequences;
    p.n_threads = p.n_threads_batch = m->n_threads;
    p.kv_unified = true;
    m->flash = o->flash_attention != 0;
    p.flash_attn_type = m->flash ? LLAMA_FLASH_ATTN_TYPE_AUTO : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    m->kv_q8 = o->kv_q8;
    if (o->kv_q8)
        p.type_k = GGML_TYPE_Q8_0;
    if (o->kv_q8 && m->flash)
        p.type_v = GGML_TYPE_Q8_0;
    m->ctx = llama_init_from_model(m->model, p);
    if (!m->ctx)
        return sf_fail(eb, SF_ENOMEM,
                       "no context of %d cells for %s: set generator.local.context lower, or pick "
                       "a smaller model",
                       m->n_ctx, m->name);
    m->flash = m->flash && !heard.no_flash;
    m->n_ctx = (int)llama_n_ctx(m->ctx);
    m->warmth = (float)o->temperature / 0.8f;
    m->top_p = (float)o->top_p;
    m->prefix_cells = prefix_cells(m, o->prefix_cache_bytes);
    return SF_OK;
}

static enum sf_err load(struct engine_model *m, const struct model_options *o,
                        struct load_progress *progress, struct sf_errbuf *eb)
{
    struct llama_model_params p = llama_model_default_params();
    ggml_backend_dev_t devices[2];
    bool limited;
    enum sf_err err = pick_devices(o->device, devices, &limited, eb);
    if (err)
        return err;
    m->synthetic = synthetic_is(o->path);
    if (!m->synthetic && access(o->path, R_OK) != 0)
        return sf_fail_errno(eb, SF_EMODEL, "model file %s cannot be read", o->path);
    if (limited)
        p.devices = devices;
    bool is_split = false;
    for (size_t i = 0; i < MODEL_MAX_GPUS; i++)
        is_split = is_split || o->split[i] > 0;
    if (is_split && llama_max_devices() <= MODEL_MAX_GPUS)
        p.tensor_split = o->split;
    p.n_gpu_layers = o->n_gpu_layers < 0 ? 999 : o->n_gpu_layers;
    if (limited && !devices[0])
        p.n_gpu_layers = 0;
    m->gpu = p.n_gpu_layers > 0 && ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU) != NULL;
    p.progress_callback = on_progress;
    p.progress_callback_user_data = progress;
    if (m->synthetic)
        err = synthetic_open(o->path, p, &m->model, eb);
    else
        m->model = llama_model_load_from_file(o->path, p);
    if (err)
        return err;
    if (!m->model && heard.no_memory)
        return sf_fail(eb, SF_ENOMEM,
                       "no room for %s: a smaller model or quantization, fewer n_gpu_layers",
                       o->path);
    if (!m->model)
        return sf_fail(eb, SF_EMODEL,
                       "model file %s was not loaded: it is damaged, of an unknown kind, or larger "
                       "than the memory",
                       o->path);
    if (llama_model_meta_val_str(m->model, "general.name", m->name, sizeof m->name) <= 0)
        snprintf(m->name, sizeof m->name, "%s",
                 strrchr(o->path, '/') ? strrchr(o->path, '/') + 1 : o->path);
    m->n_params = llama_model_n_params(m->model);
    return SF_OK;
}

enum sf_err model_start_library(const char *lib_dir, struct sf_errbuf *eb)
{
    if (strcmp(llama_version(), MODEL_LLAMA_VERSION) != 0)
        return sf_fail(eb, SF_ECONFIG,
                       "the llama library is version %s, this program is made for %s: run the "
                       "set-up again",
                       llama_version(), MODEL_LLAMA_VERSION);
    struct sigaction action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGABRT, &action, NULL);
    llama_log_set(quiet_log, NULL);
    if (lib_dir && *lib_dir)
        ggml_backend_load_all_from_path(lib_dir);
    else
        ggml_backend_load_all();
    llama_backend_init();
    if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU))
        return sf_fail(eb, SF_ECONFIG, "no CPU library of llama.cpp (libggml-cpu-*.so) in %s",
                       lib_dir ? lib_dir : "the library path");
    return SF_OK;
}

enum sf_err model_open(const struct model_options *o, model_progress_fn fn, void *arg,
                       struct engine_model **out, struct sf_errbuf *eb)
{
    enum sf_err err = model_start_library(o->lib_dir, eb);
    if (err)
        return err;
    struct engine_model *m = sf_alloc(sizeof *m);
    if (!m)
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    struct load_progress progress = {fn, arg, -1};
    err = load(m, o, &progress, eb);
    if (!err)
        err = build_vocab(m);
    if (!err)
        err = build_chat(m);
    if (!err)
        err = make_context(m, o, eb);
    if (!err)
        find_variant(m->cpu_variant, sizeof m->cpu_variant);
    if (!err)
        heard.no_memory = 0; /* what was said so far was got over */
    if (err) {
        model_close(m);
        return err;
    }
    *out = m;
    return SF_OK;
}

void model_close(struct engine_model *m)
{
    if (!m)
        return;
    if (m->ctx)
        llama_free(m->ctx);
    if (m->model)
        llama_model_free(m->model);
    free(m->classes);
    free(m->piece_at);
    free(m->pieces);
    free(m->chat_head);
    free(m->chat_mid);
    free(m->chat_tail);
    free(m->chat_next);
    free(m);
}

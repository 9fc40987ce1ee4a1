/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_MODEL_H
#define SF_ENGINE_CHILD_MODEL_H

#include "base/err.h"
#include "base/str.h"

#include <llama.h>

#define MODEL_LLAMA_VERSION "0.5.0-dev" /* the struct layout of the C API is this version's */
#define MODEL_MAX_SEQUENCES 256
#define MODEL_MAX_GPUS 16

struct model_options {
    const char *path;    /* .gguf, the first file of a split one, or synthetic.h's */
    const char *lib_dir; /* folder with the ggml backends; NULL: where the loader finds them */
    const char *device;  /* "auto" "cpu" "cuda" "cuda:N" */
    int n_gpu_layers;    /* < 0: all */
    int context;         /* cells shared by all sequences; 0: chosen */
    int sequences;       /* 0: chosen; at most MODEL_MAX_SEQUENCES */
    int threads;         /* 0: as many CPUs as the process may use; never more */
    int flash_attention; /* 0 off; else where it is supported */
    bool kv_q8;          /* keys and values in 8 bits; values only with flash attention */
    float split[MODEL_MAX_GPUS]; /* the share of layers of each GPU; all 0: the library decides */
    double temperature; /* as people set it; 0.8, the default, is what the texts are tuned for */
    double top_p;
    int64_t prefix_cache_bytes; /* 0: as much as there is */
};

/* What a token may carry into a text; a slot bans some of these. */
enum token_class {
    TOK_END = 1 << 0,     /* ends the generation */
    TOK_CONTROL = 1 << 1, /* special, unused, half a character */
    TOK_NEWLINE = 1 << 2,
    TOK_MARKUP = 1 << 3, /* brackets, stars, hashes, slashes and the like */
    TOK_DIGIT = 1 << 4,
    TOK_QUOTE = 1 << 5, /* double quotes of any form */
    TOK_COLON = 1 << 6, /* colon, semicolon */
    TOK_LATIN = 1 << 7, /* ASCII letters */
    TOK_HAN = 1 << 8,
    TOK_FOREIGN = 1 << 9, /* letters and signs of other scripts, emoji */
    TOK_META = 1 << 10,   /* words about the text: "chapter", "reader", "narrative" */
    TOK_STOP = 1 << 11,   /* ends a sentence */
    TOK_WORD = 1 << 12,   /* a word of four letters and more, or a Han character */
    TOK_CAPS = 1 << 13,   /* two capitals in a row: "AI", "JSON" */
    TOK_COMMA = 1 << 14,
    TOK_SPACE = 1 << 15,   /* begins with a space */
    TOK_CAPITAL = 1 << 16, /* begins a word with a capital ... */
    TOK_NAME = 1 << 17,    /* ... that the vocabulary does not know in lower case */
    TOK_PERSON = 1 << 18,  /* "I", "we", "you" and their forms */
    TOK_INNER = 1 << 21,   /* begins with a capital and no space before it */
    TOK_HE = 1 << 19,      /* "he", "his", "him", "himself" */
    TOK_SHE = 1 << 20,     /* "she", "her", "hers", "herself" */
};

/* A loaded model with its context. Plain data: the scheduler's thread alone uses `ctx`. */
struct engine_model {
    struct llama_model *model;
    struct llama_context *ctx;
    const struct llama_vocab *vocab;
    int n_vocab, n_ctx, n_sequences, n_threads;
    bool gpu, flash, kv_q8;
    bool synthetic; /* writes nonsense: its texts are not judged */
    char name[128];
    char cpu_variant[64];
    uint64_t n_params;
    float warmth;       /* factor of every text's temperature */
    float top_p;        /* of every text */
    int prefix_cells;   /* of the cache, at most, for prefixes */
    uint32_t *classes;  /* per token, enum token_class */
    uint32_t *piece_at; /* n_vocab + 1 offsets into `pieces` */
    char *pieces;
    /* Around the system and the user text, and between an answer and the next question; NULL: not
     * an instruct model (chat_next alone: unknown). */
    char *chat_head, *chat_mid, *chat_tail, *chat_next;
};

/* Told 0..1000 while loading; false ends the load. */
typedef bool (*model_progress_fn)(void *arg, int permille);

/* Checks the library's version and loads its backends: before anything else of it. SF_ECONFIG. */
SF_MUST_USE enum sf_err model_start_library(const char *lib_dir, struct sf_errbuf *eb);

/* Loads a model and makes its context (flash attention, unified cache), after checking the
 * library's version. errors: SF_EMODEL (file), SF_ECONFIG (library, device), SF_ENOMEM. */
SF_MUST_USE enum sf_err model_open(const struct model_options *o, model_progress_fn progress,
                                   void *arg, struct engine_model **out, struct sf_errbuf *eb);
void model_close(struct engine_model *m);

/* The text of a token, as it stands in a text. Borrowed. */
struct sf_str model_piece(const struct engine_model *m, llama_token t);

/* Tokens of `text` appended at tokens[*n], never more than `room` in all. Special tokens are read
 * only when `special`. SF_ELIMIT when they do not fit (nothing appended). Any thread. */
SF_MUST_USE enum sf_err model_tokenize(const struct engine_model *m, struct sf_str text,
                                       bool special, llama_token *tokens, size_t room, size_t *n);

/* Resident bytes of this process. */
uint64_t model_memory_bytes(void);

#endif

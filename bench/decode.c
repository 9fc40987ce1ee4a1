/* SPDX-License-Identifier: MIT */
/* Raw decoding by our scheduler: N texts of so many tokens behind a shared prefix, nothing judged.
 * Beside llama-batched-bench at the same batch (bench/engine.py). usage:
 *   storyfi-decode MODEL.gguf LIB_DIR TEXTS TOKENS    prints {"load_s", "tokens_per_second", …}
 *   storyfi-decode MODEL.gguf LIB_DIR next DEVICE     prints the log-probabilities of the likeliest
 *       next tokens behind fixed prompts: two devices must agree (bench/gpu.sh) */
#include "base/mem.h"
#include "engine/child/scheduler.h"

#include <string.h>

#define PREFIX_TOKENS 300

static bool never(const struct job *job)
{
    (void)job;
    return false;
}

static double tokens_a_second(struct engine_model *m, struct scheduler *s, size_t n_texts,
                              unsigned n_tokens)
{
    struct job_owner owner;
    struct job_prefix prefix = {.n = 0};
    llama_token *tokens = sf_xalloc(PREFIX_TOKENS * sizeof *tokens);
    struct job *jobs = sf_xalloc(n_texts * sizeof *jobs);
    struct sf_time started = sf_now();
    job_owner_init(&owner);
    while (prefix.n < PREFIX_TOKENS)
        if (model_tokenize(m, SF_STR("The keeper of the light hears the sea speak at night. "),
                           false, tokens, PREFIX_TOKENS, &prefix.n) != SF_OK)
            break;
    prefix.tokens = tokens;
    scheduler_request_begin(s);
    for (size_t i = 0; i < n_texts; i++) {
        struct job *j = &jobs[i];
        job_init(j, &owner);
        j->prefix = &prefix;
        j->prompt = sf_xalloc(sizeof *j->prompt);
        j->n_prompt = 0;
        if (model_tokenize(m, SF_STR("Then"), false, j->prompt, 1, &j->n_prompt) != SF_OK)
            j->prompt[0] = 1, j->n_prompt = 1;
        j->sampling = (struct sampler_params){
            .temperature = 0.8f, .top_p = 0.95f, .min_p = 0.02f, .banned = TOK_END};
        j->max_tokens = n_tokens;
        j->stop = never;
        j->seed = i + 1;
        scheduler_submit(s, j);
    }
    /* The first ended text waited for the prefix; what is counted is from the first token on. */
    int64_t fed = 0;
    while (fed == 0) {
        (void)job_owner_wait(&owner, sf_after(sf_now(), 1));
        pthread_mutex_lock(&owner.lock);
        fed = owner.generated_tokens;
        pthread_mutex_unlock(&owner.lock);
        if (fed == 0)
            started = sf_now();
    }
    for (size_t ended = 0; ended < n_texts;)
        ended += job_owner_wait(&owner, sf_after(sf_now(), 1000)) != NULL;
    double seconds = sf_seconds(sf_between(started, sf_now()));
    double rate = (double)(owner.generated_tokens - fed) / (seconds > 0 ? seconds : 1);
    scheduler_request_end(s);
    for (size_t i = 0; i < n_texts; i++)
        job_fini(&jobs[i]);
    job_owner_fini(&owner);
    free(jobs);
    free(tokens);
    return rate;
}

static const char *const prompts[] = {
    "Once upon a time there was a",
    "The capital of France is",
    "The old keeper climbed the stairs of the lighthouse every evening, lit the lamp, and wrote "
    "one "
    "line into the book. Tonight the book was gone. He looked for it under the bed, behind the "
    "stove and in the boat, and at last he asked the",
};
enum { PROMPTS = sizeof prompts / sizeof *prompts, LIKELIEST = 40, PROMPT_ROOM = 256 };

static int print_likeliest(float *p, size_t n, const char *end)
{
    printf("{");
    for (int k = 0; k < LIKELIEST && n > 0; k++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            best = p[i] > p[best] ? i : best;
        printf("%s\"%zu\": %.4f", k > 0 ? ", " : "", best, (double)p[best]);
        p[best] = -1e30f;
    }
    return printf("}%s", end);
}

/* All prompts in one batch, as texts of an answer are. */
static bool next_tokens(struct engine_model *m, struct scheduler *s)
{
    size_t n = (size_t)m->n_vocab, ended = 0;
    struct job_owner owner;
    struct job jobs[PROMPTS];
    llama_token *all = sf_xalloc(n * sizeof *all);
    float *p = sf_xalloc(PROMPTS * n * sizeof *p);
    bool ok = true;
    job_owner_init(&owner);
    for (size_t t = 0; t < n; t++)
        all[t] = (llama_token)t;
    scheduler_request_begin(s);
    for (size_t i = 0; i < PROMPTS; i++) {
        struct job *j = &jobs[i];
        job_init(j, &owner);
        j->prompt = sf_xalloc(PROMPT_ROOM * sizeof *j->prompt);
        ok &= model_tokenize(m, sf_str(prompts[i]), false, j->prompt, PROMPT_ROOM, &j->n_prompt) ==
              SF_OK;
        j->rank = all;
        j->n_rank = n;
        j->rank_out = p + i * n;
        j->max_tokens = 1;
        scheduler_submit(s, j);
    }
    while (ended < PROMPTS)
        ended += job_owner_wait(&owner, sf_after(sf_now(), 1000)) != NULL;
    scheduler_request_end(s);
    printf("[");
    for (size_t i = 0; i < PROMPTS; i++) {
        ok &= jobs[i].end == JOB_END_STOP;
        (void)print_likeliest(p + i * n, n, i + 1 < PROMPTS ? ", " : "]\n");
        job_fini(&jobs[i]);
    }
    job_owner_fini(&owner);
    free(all);
    free(p);
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t texts = 0, tokens = 0;
    bool next = argc == 5 && strcmp(argv[3], "next") == 0, ok = true;
    if (argc != 5 || (!next && (!sf_scan_u64(sf_str(argv[3]), 250, &texts) ||
                                !sf_scan_u64(sf_str(argv[4]), 4096, &tokens) || texts == 0)))
        return 100;
    struct model_options o = {.path = argv[1],
                              .lib_dir = argv[2],
                              .device = next ? argv[4] : "auto",
                              .n_gpu_layers = -1,
                              .flash_attention = -1,
                              .temperature = 0.8,
                              .top_p = 0.95};
    struct sf_errbuf eb = {0};
    struct engine_model *m = NULL;
    struct scheduler *s = NULL;
    struct sf_time started = sf_now();
    enum sf_err err = model_open(&o, NULL, NULL, &m, &eb);
    if (!err)
        err = scheduler_open(m, NULL, NULL, &s);
    if (err) {
        fprintf(stderr, "storyfi-decode: %s\n", sf_err_text(&eb, err));
        return 111;
    }
    double load = sf_seconds(sf_between(started, sf_now()));
    if (next) {
        ok = next_tokens(m, s);
    } else {
        double rate = tokens_a_second(m, s, texts, (unsigned)tokens);
        printf("{\"load_s\": %.3f, \"tokens_per_second\": %.2f, \"threads\": %d}\n", load, rate,
               m->n_threads);
    }
    scheduler_close(s);
    model_close(m);
    return ok ? 0 : 111;
}

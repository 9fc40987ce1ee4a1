/* SPDX-License-Identifier: MIT */
#include "app/recording.h"

#include "base/hex.h"
#include "base/metric.h"
#include "bittensor/crypto.h"
#include "journal/journal.h"
#include "story/score.h"

#include <stdatomic.h>
#include <string.h>

#define TEXT_CAP (8U << 20)

/* ---- a trail as rows ------------------------------------------------------------------------- */

struct rows {
    struct journal_step steps[GEN_CHAIN_MAX];
    struct journal_attempt attempts[GEN_CHAIN_MAX][GEN_ATTEMPTS_MAX];
};

static struct journal_attempt attempt_row(const struct gen_attempt *a)
{
    return (struct journal_attempt){.code = sf_err_info(a->code)->name,
                                    .reason = a->reason,
                                    .started_ms = a->started_ms,
                                    .took_ms = a->took_ms,
                                    .repair = a->repair,
                                    .prompt_tokens = a->usage.prompt_tokens,
                                    .cached_tokens = a->usage.cached_tokens,
                                    .generated_tokens = a->usage.generated_tokens,
                                    .requests = a->usage.requests,
                                    .cost_usd = a->usage.cost_usd};
}

/* `before`: from the door to the walk. */
static void step_row(const struct gen_step *s, sf_ms before, struct rows *rows, size_t i)
{
    static const enum journal_outcome outcomes[] = {[GEN_STEP_OK] = JOURNAL_ANSWERED,
                                                    [GEN_STEP_FAILED] = JOURNAL_FAILED,
                                                    [GEN_STEP_SKIPPED] = JOURNAL_SKIPPED};
    size_t n = s->attempts < 0 ? 0 : (size_t)s->attempts;
    n = n > GEN_ATTEMPTS_MAX ? GEN_ATTEMPTS_MAX : n;
    for (size_t k = 0; k < n; k++) {
        rows->attempts[i][k] = attempt_row(&s->list[k]);
        rows->attempts[i][k].started_ms += before;
    }
    rows->steps[i] = (struct journal_step){.hop = s->name,
                                           .kind = s->kind,
                                           .account = s->account,
                                           .outcome = outcomes[s->outcome],
                                           .code = sf_err_info(s->code)->name,
                                           .reason = s->reason,
                                           .started_ms = before + s->started_ms,
                                           .took_ms = s->took_ms,
                                           .hedged = s->hedged,
                                           .attempts = rows->attempts[i],
                                           .n_attempts = n};
}

/* ---- a request and its answer ---------------------------------------------------------------- */

#define HASH_HEX 33 /* 128 bits tell stories apart */

/* What is told of a request beside its fields, while the row is put. */
struct told {
    struct sf_buf contexts, output, info;
    char context_hash[65], hashes[JOURNAL_CONTEXTS][HASH_HEX], output_hash[HASH_HEX];
};

/* Whether a JSON number that is written like 1.0 ends at `p`'s ".0". */
static bool is_whole(const char *p, const char *end)
{
    return end - p > 2 && p[0] == '.' && p[1] == '0' && strchr(",]}", p[2]) != NULL;
}

/* A JSON text with 1 for 1.0. */
static void put_plain(const char *p, size_t n, struct sf_buf *out)
{
    bool quoted = false;
    for (const char *end = p + n; p < end; p++) {
        bool escapes = quoted && *p == '\\' && end - p > 1;
        quoted = quoted != (*p == '"');
        if (!quoted && is_whole(p, end)) {
            p++;
            continue;
        }
        sf_buf_putc(out, *p);
        if (escapes) {
            sf_buf_putc(out, *++p);
        }
    }
}

/* Of a JSON text. 1.0 and 1 are the same in it: a page sends back what it got as JavaScript writes
 * it. */
static void short_hash(const char *p, size_t n, char hex[static HASH_HEX])
{
    uint8_t digest[16];
    struct sf_buf plain;
    const char *at = memchr(p, '.', n), *end = p + n;
    while (at != NULL && !is_whole(at, end)) {
        at = memchr(at + 1, '.', (size_t)(end - at - 1));
    }
    sf_buf_init(&plain, n + 1);
    if (at != NULL) {
        put_plain(p, n, &plain);
    }
    bool changed = at != NULL && plain.err == SF_OK;
    crypto_blake2b_128(changed ? plain.p : p, changed ? plain.n : n, digest);
    sf_hex_encode(digest, sizeof digest, hex);
    sf_buf_fini(&plain);
}

/* Each with its hash: an answer of ours comes back as the context of the next part. */
static void take_contexts(struct journal_request *row, const struct story_request *r,
                          struct told *told)
{
    struct sf_buf *text = &told->contexts;
    size_t at[JOURNAL_CONTEXTS + 1] = {0};
    const json_t *const parts[] = {[JOURNAL_BLUEPRINT] = r->blueprint,
                                   [JOURNAL_CHARACTERS] = r->characters,
                                   [JOURNAL_ARC] = r->story_arc};
    for (size_t i = 0; i < JOURNAL_CONTEXTS; i++) {
        if (parts[i] != NULL) {
            json_print(parts[i], text);
        }
        sf_buf_putc(text, '\0');
        at[i + 1] = text->n;
    }
    for (size_t i = 0; i < JOURNAL_CONTEXTS && text->err == SF_OK; i++) {
        told->hashes[i][0] = '\0';
        if (parts[i] != NULL) {
            short_hash(text->p + at[i], at[i + 1] - at[i] - 1, told->hashes[i]);
            row->contexts[i] = (struct journal_context){told->hashes[i], text->p + at[i]};
        }
    }
}

/* Tells whether two requests had the same contexts and asked for the same chapters. */
static void take_context_hash(struct journal_request *row, const struct story_request *r,
                              struct told *told)
{
    uint8_t digest[32];
    char all[JOURNAL_CONTEXTS * HASH_HEX + STORY_CHAPTERS * 4] = "";
    size_t n = 0;
    for (size_t i = 0; i < JOURNAL_CONTEXTS; i++) {
        const char *hash = row->contexts[i].hash;
        n += (size_t)snprintf(all + n, sizeof all - n, "%s,", hash == NULL ? "" : hash);
    }
    for (size_t i = 0; i < r->n_chapter_ids; i++) {
        n += (size_t)snprintf(all + n, sizeof all - n, "%d,", r->chapter_ids[i]);
        row->chapters |= 1U << r->chapter_ids[i];
    }
    crypto_blake2b_256(all, n, digest);
    sf_hex_encode(digest, sizeof digest, told->context_hash);
    row->context_hash = told->context_hash;
}

static void take_request(struct journal_request *row, const struct story_request *r,
                         struct told *told)
{
    take_contexts(row, r, told);
    take_context_hash(row, r, told);
    row->task = story_task_name(r->task);
    row->user_input = r->user_input;
}

static struct metric *score_metric(const char *part, const char *kind)
{
    static const double buckets[] = {0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1};
    char labels[128] = "";
    metric_label(labels, sizeof labels, "part", part);
    metric_label(labels, sizeof labels, "kind", kind);
    return metric_histogram("storyfi_score_ratio", labels,
                            "What the network's rubric gives for an answer, of what it could give, "
                            "by part.",
                            buckets, sizeof buckets / sizeof buckets[0]);
}

static void note_score(const char *kind, double technical, double structure)
{
    static const char *const kinds[] = {"other", "local", "vllm", "custom", "api"};
    static const char *const parts[] = {"technical", "structure"};
    static struct metric *_Atomic held[5][2];
    const double ratios[] = {technical / 30, structure / 40};
    size_t k = sizeof kinds / sizeof kinds[0] - 1;
    while (k > 0 && strcmp(kinds[k], kind) != 0) {
        k--;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct metric *m = atomic_load(&held[k][i]);
        if (m == NULL) {
            m = score_metric(parts[i], kinds[k]);
            atomic_store(&held[k][i], m);
        }
        metric_observe(m, ratios[i]);
    }
}

/* The blueprint's title is the story's. */
static const char *title_of(const struct story_request *r, const json_t *output)
{
    const json_t *const from[] = {r->task == STORY_BLUEPRINT ? output : r->blueprint,
                                  r->task == STORY_ARC ? output : r->story_arc};
    const char *title = NULL;
    for (size_t i = 0; i < 2 && title == NULL; i++) {
        title = json_get_string(from[i], "title");
    }
    return title;
}

static void take_answer(struct journal_request *row, const struct recording *r, struct told *told)
{
    const struct generator *g = r->trail->answered;
    story_score_form(r->request, r->result->output, sf_seconds(row->took_ms), &row->technical,
                     &row->structure);
    row->generator = g->name;
    row->kind = g->type->kind;
    row->model = r->result->name;
    note_score(g->type->kind, row->technical, row->structure);
    row->title = title_of(r->request, r->result->output);
    json_print(r->result->output, &told->output);
    json_t *model_info = app_model_info(r->trail, r->result);
    if (model_info != NULL) {
        json_print(model_info, &told->info);
    }
    json_decref(model_info);
    row->model_info = told->info.err == SF_OK ? sf_buf_z(&told->info) : NULL;
    if (told->output.err == SF_OK) {
        row->output = sf_buf_z(&told->output);
        short_hash(row->output, told->output.n, told->output_hash);
        row->output_hash = told->output_hash;
    }
}

void recording_put(struct app *a, const struct recording *r)
{
    struct told told;
    struct journal *journal = app_journal(a);
    if (r->trail != NULL && r->result != NULL) {
        app_note_speed(a, r->trail, r->result);
    }
    if (journal == NULL) {
        return;
    }
    struct rows rows; /* filled as far as the trail goes */
    sf_buf_init(&told.contexts, TEXT_CAP);
    sf_buf_init(&told.output, TEXT_CAP);
    sf_buf_init(&told.info, 65536);
    struct journal_request row = {.id = r->id,
                                  .origin = request_origin_name(r->origin),
                                  .story_id = r->story_id,
                                  .hotkey = r->hotkey,
                                  .peer = r->peer,
                                  .uid = -1,
                                  .received_ns =
                                      sf_wall_ns() - sf_between(r->received, sf_now()) * 1000000,
                                  .deadline_ms = sf_between(r->received, r->deadline),
                                  .took_ms = sf_between(r->received, r->answered),
                                  .status = r->status,
                                  .message = r->message,
                                  .technical = -1,
                                  .structure = -1,
                                  .seed = r->seed};
    if (r->request != NULL) {
        take_request(&row, r->request, &told);
    }
    if (r->trail != NULL) {
        for (size_t i = 0; i < r->trail->n; i++) {
            step_row(&r->trail->steps[i], sf_between(r->received, r->walked), &rows, i);
        }
        row.steps = rows.steps;
        row.n_steps = r->trail->n;
    }
    if (r->request != NULL && r->trail != NULL && r->trail->answered != NULL && r->result != NULL) {
        take_answer(&row, r, &told);
    }
    if (r->status != 200) { /* nobody got it */
        row.output_hash = NULL;
    }
    journal_put(journal, &row);
    sf_buf_fini(&told.contexts);
    sf_buf_fini(&told.output);
    sf_buf_fini(&told.info);
}

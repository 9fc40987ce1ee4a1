/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"

#include <string.h>

/* One task: what it takes (tokens to decode, prompts included, by experience) and who writes it. */
struct task_plan {
    bool (*write)(struct composer *c);
    int tokens_fixed, tokens_per_chapter;
};
static const struct task_plan plans[STORY_TASK_COUNT] = {
    [STORY_BLUEPRINT] = {compose_blueprint, 500, 0},
    [STORY_CHARACTERS] = {compose_characters, 1700, 0},
    [STORY_ARC] = {compose_arc, 2000, 0},
    [STORY_CHAPTERS_TASK] = {compose_chapters, 150, 520},
};
static const double least_scale = 0.7; /* of lengths; shorter ones break the bounds */

enum sf_err composer_open(struct scheduler *s, const struct engine_model *m,
                          const struct composer_order *order, struct composer **out)
{
    struct composer *c = sf_alloc(sizeof *c);
    if (!c)
        return SF_ENOMEM;
    c->sched = s;
    c->m = m;
    c->o = *order;
    c->rng.state = order->seed ^ 0x9E3779B97F4A7C15u;
    c->scale = 1.0;
    c->started = sf_now();
    for (size_t i = 0; i < CUE_PARTS; i++)
        c->part_used[i] = (unsigned)(sampler_next(&c->rng) % 64);
    atomic_init(&c->canceled, false);
    job_owner_init(&c->owner);
    c->output = order->partial ? json_deep_copy(order->partial) : json_object();
    enum sf_err err = ngram_set_init(&c->shared, 14);
    if (err || !c->output) {
        composer_close(c);
        return SF_ENOMEM;
    }
    *out = c;
    return SF_OK;
}

void composer_close(struct composer *c)
{
    if (!c)
        return;
    composer_clear_slots(c);
    free(c->slots);
    free(c->group_texts);
    free(c->group_of);
    free(c->prefix.tokens);
    free(c->neutral.tokens);
    name_guard_fini(&c->names);
    ngram_set_fini(&c->shared);
    json_decref(c->output);
    job_owner_fini(&c->owner);
    free(c);
}

void composer_cancel(struct composer *c)
{
    atomic_store(&c->canceled, true);
    atomic_store(&c->owner.cancel, true);
    scheduler_wake(c->sched);
}

/* Compares what the task takes with the time there is: says no at once, or sets the scale of
 * lengths. */
static enum sf_err plan_time(struct composer *c, const struct task_plan *plan, struct sf_errbuf *eb)
{
    struct scheduler_stats stats;
    scheduler_stats(c->sched, &stats);
    double rate = stats.tokens_per_second > 0 ? stats.tokens_per_second : 0;
    sf_ms left = sf_until(c->o.deadline), target = sf_until(c->o.target);
    if (left < 300)
        return sf_fail(eb, SF_EDEADLINE, "no time is left for this request");
    if (rate <= 0)
        return SF_OK;
    double tokens =
        plan->tokens_fixed + plan->tokens_per_chapter * (double)c->o.request->n_chapter_ids;
    double n_wanted = (double)json_array_size(c->o.wanted);
    if (n_wanted > 0 && n_wanted * 160 < tokens)
        tokens = n_wanted * 160;
    /* Others' texts share the batches: count what they keep from us. */
    double share = 1.0 / (1.0 + (stats.active + stats.queue) / 24.0);
    double need_ms = tokens / (rate * share) * 1000.0;
    if (need_ms * least_scale > (double)left)
        return sf_fail(
            eb, SF_EUNAVAILABLE,
            "the shortest valid answer takes about %.1f s at %.0f tokens/s with %d texts "
            "under way; %.1f s are left",
            need_ms * least_scale / 1000, rate, stats.active + stats.queue, (double)left / 1000);
    if (need_ms > (double)target && target > 0)
        c->scale = (double)target / need_ms;
    if (c->scale < least_scale)
        c->scale = least_scale;
    return SF_OK;
}

static void fill_usage(struct composer *c, struct composer_usage *u)
{
    double seconds = sf_seconds(sf_between(c->started, sf_now()));
    u->prompt_tokens = c->owner.prompt_tokens;
    u->cached_tokens = c->owner.cached_tokens > 0 ? c->owner.cached_tokens : 0;
    u->generated_tokens = c->owner.generated_tokens;
    u->tokens_per_second = seconds > 0 ? (double)u->generated_tokens / seconds : 0;
    u->slots = c->n_asked;
    u->retried = c->n_retried;
    u->replaced = c->n_replaced;
}

enum sf_err composer_run(struct composer *c, json_t **output, struct composer_usage *usage,
                         struct sf_errbuf *eb)
{
    const struct task_plan *plan = &plans[c->o.request->task];
    enum sf_err err = plan_time(c, plan, eb);
    if (err)
        return err;
    composer_read_context(c);
    err = composer_build_prefix(c, true);
    if (err)
        return sf_fail(eb, err, "the story's context does not fit the prompt");
    bool ok = plan->write(c);
    fill_usage(c, usage);
    if (atomic_load(&c->canceled))
        return sf_fail(eb, SF_ECANCELED, "canceled");
    if (!ok || c->failed)
        return sf_fail(eb, SF_EINTERNAL, "the answer could not be put together");
    if (!c->late && c->n_asked > 0 && c->n_replaced == c->n_asked)
        return sf_fail(eb, SF_EINTERNAL, "the model wrote nothing that can be used");
    *output = json_incref(c->output);
    return SF_OK;
}

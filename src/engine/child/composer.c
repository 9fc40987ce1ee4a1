/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/mem.h"

#include <string.h>

/* One task: who writes it, how much longer its texts get when every aim is at its most, and how far
 * a small model's aims go on to there: in descriptions its second sentence is as good as its first,
 * but in a long chapter it loses the thread. */
struct task_plan {
    bool (*write)(struct composer *c);
    double longest, small_stretch;
};
static const struct task_plan plans[STORY_TASK_COUNT] = {
    [STORY_BLUEPRINT] = {compose_blueprint, 1.5, 0.6},
    [STORY_CHARACTERS] = {compose_characters, 1.9, 0.6},
    [STORY_ARC] = {compose_arc, 1.9, 0.6},
    [STORY_CHAPTERS_TASK] = {compose_chapters, 2.2, 0},
};
static const double least_factor = 0.75; /* of lengths; shorter ones break the bounds */

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
    c->scale = c->factor = 1.0;
    c->started = sf_now();
    for (size_t i = 0; i < CUE_PARTS; i++)
        c->part_used[i] = (unsigned)(sampler_next(&c->rng) % 64);
    atomic_init(&c->canceled, false);
    job_owner_init(&c->owner);
    sf_buf_init(&c->told, 256U << 10);
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
    sf_buf_fini(&c->told);
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

static struct work_size size_of(const struct composer *c)
{
    return (struct work_size){.task = c->o.request->task,
                              .language = (unsigned)c->lang,
                              .n_chapters = c->o.request->n_chapter_ids,
                              .n_wanted = json_array_size(c->o.wanted)};
}

/* Comes into the book of work, or says no at once; sets how long the texts shall be. */
static enum sf_err plan_time(struct composer *c, const struct task_plan *plan, struct sf_errbuf *eb)
{
    struct scheduler_stats stats;
    struct work_size size = size_of(c);
    double factor, seconds;
    scheduler_stats(c->sched, &stats);
    if (sf_until(c->o.deadline) < 300)
        return sf_fail(eb, SF_EDEADLINE, "no time is left for this request");
    double most = 1 + (plan->longest - 1) * (c->o.small ? plan->small_stretch : 1);
    struct work_order o = {.cost = work_book_cost(c->o.book, &size),
                           .rate = stats.tokens_per_second,
                           .owner = &c->owner,
                           .deadline = c->o.deadline,
                           .target = c->o.target,
                           .least_factor = least_factor,
                           .most_factor = most};
    if (work_book_enter(c->o.book, &o, &c->work, &factor, &seconds) != SF_OK)
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "the shortest valid answer takes about %.1f s at %.0f tokens/s with %d "
                       "texts under way, or makes others late; %.1f s are left",
                       seconds, stats.tokens_per_second, stats.active + stats.queue,
                       (double)sf_until(c->o.deadline) / 1000);
    c->factor = factor;
    c->scale = factor < 1 ? factor : 1;
    c->stretch = factor > 1 ? (factor - 1) / (plan->longest - 1) : 0;
    return SF_OK;
}

unsigned composer_aim(const struct composer *c, unsigned usual, unsigned most)
{
    double aim = usual * c->scale;
    if (most > usual)
        aim += (most - usual) * c->stretch;
    return (unsigned)aim;
}

enum slot_form composer_line_form(const struct composer *c)
{
    return c->stretch > 0 ? FORM_TEXT : FORM_SENTENCE;
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
    u->rewritten = c->n_rewritten;
    u->improved = c->n_improved;
}

/* Only answers that nobody hurried say what one takes. */
static void learn(struct composer *c)
{
    struct work_size size = size_of(c);
    struct work_cost seen = {(double)c->owner.fed_tokens, (double)c->owner.generated_tokens};
    if (!c->hurried && !c->late)
        work_book_learn(c->o.book, &size, seen, c->factor);
}

static enum sf_err write_answer(struct composer *c, const struct task_plan *plan,
                                struct composer_usage *usage, struct sf_errbuf *eb)
{
    enum sf_err err = composer_build_prefix(c, true);
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
    learn(c);
    return SF_OK;
}

enum sf_err composer_run(struct composer *c, json_t **output, struct composer_usage *usage,
                         struct sf_errbuf *eb)
{
    const struct task_plan *plan = &plans[c->o.request->task];
    composer_read_context(c);
    enum sf_err err = plan_time(c, plan, eb);
    if (err)
        return err;
    err = write_answer(c, plan, usage, eb);
    work_book_leave(c->o.book, &c->work);
    if (!err)
        *output = json_incref(c->output);
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "app/run.h"

#include "app/recording.h"

struct writing {
    const char *task;
    size_t slots, characters;
    struct progress *progress;
};

static void on_event(void *arg, const struct gen_event *event)
{
    struct writing *w = arg;
    if (event->kind == GEN_EVENT_HOP_STARTED) { /* what another one had written is void */
        w->slots = w->characters = 0;
    }
    w->slots += event->kind == GEN_EVENT_SLOT_DONE ? 1 : 0;
    w->characters += event->kind == GEN_EVENT_SLOT_TEXT ? event->text.n : 0;
    progress_draw(w->progress, -1, "%s: %zu slots, %zu characters", w->task, w->slots,
                  w->characters);
}

enum sf_err run_task(struct app *a, const struct story_request *request,
                     const struct run_options *o, struct run_result *out, struct sf_errbuf *eb)
{
    struct sf_time started = sf_now();
    struct writing writing = {.task = story_task_name(request->task), .progress = o->progress};
    char *prompt = app_prompt(a, request);
    struct gen_call call = {.request = request,
                            .prompt = prompt,
                            .deadline = sf_after(started, o->deadline_ms),
                            .target = sf_after(started, o->target_ms),
                            .seed = o->seed,
                            .on_event = on_event,
                            .event_arg = &writing,
                            .cancel = o->cancel};
    enum sf_err err = gen_chain_generate(app_chain(a), &call, &out->result, &out->trail, eb);
    free(prompt), prompt = NULL;
    out->took_ms = sf_between(started, sf_now());
    progress_clear(o->progress);
    out->id = app_next_id(a);
    recording_put(a, &(struct recording){.id = out->id,
                                         .origin = ORIGIN_CLI,
                                         .request = request,
                                         .received = started,
                                         .walked = started,
                                         .deadline = call.deadline,
                                         .answered = sf_now(),
                                         .status = sf_err_info(err)->http_status,
                                         .message = err == SF_OK ? NULL : sf_err_text(eb, err),
                                         .seed = o->seed,
                                         .trail = &out->trail,
                                         .result = err == SF_OK ? &out->result : NULL});
    return err;
}

void run_print_trail(const struct gen_trail *trail, FILE *out)
{
    static const char *const words[] = {"answered", "failed", "passed over"};
    for (size_t i = 0; i < trail->n; i++) {
        const struct gen_step *s = &trail->steps[i];
        fprintf(out, "%s (%s): %s after %.1f s%s%s\n", s->name, s->kind, words[s->outcome],
                sf_seconds(s->took_ms), s->outcome == GEN_STEP_OK ? "" : ": ", s->reason);
    }
}

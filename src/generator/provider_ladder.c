/* SPDX-License-Identifier: MIT */
#include "generator/provider.h"

#include <string.h>

#define NUMBERS_MAX 8
#define OUTPUT_MIN 256
#define ROOM_MIN 512 /* an answer in less is none */

/* The numbers in a message, in order: what a limit is stands nowhere else. */
static size_t scan_numbers(const char *text, int64_t numbers[static NUMBERS_MAX])
{
    size_t n = 0;
    for (const char *p = text; *p != '\0' && n < NUMBERS_MAX;) {
        size_t digits = strspn(p, "0123456789");
        uint64_t value;
        if (digits > 0 && sf_scan_u64((struct sf_str){p, digits}, 100000000, &value)) {
            numbers[n++] = (int64_t)value;
        }
        p += digits > 0 ? digits : 1;
    }
    return n;
}

/* The largest number named that is less than what was asked for; 0 none. */
static int64_t named_cap(const struct provider_ask *ask, const struct provider_fault *f)
{
    int64_t numbers[NUMBERS_MAX], best = 0;
    size_t n = scan_numbers(f->message, numbers);
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] >= OUTPUT_MIN && numbers[i] < ask->max_tokens && numbers[i] > best) {
            best = numbers[i];
        }
    }
    return best;
}

static bool step_tokens(const struct provider *p, const struct provider_ask *ask,
                        const struct provider_fault *f, struct provider_ability *a)
{
    bool unknown = strcmp(f->code, "unsupported_parameter") == 0;
    int64_t cap = unknown ? 0 : named_cap(ask, f);
    if (cap > 0) {
        a->output_cap = cap;
        return true;
    }
    if (p->has_new_token_name && !a->old_token_name) {
        a->old_token_name = true;
        return true;
    }
    if (unknown || ask->max_tokens / 2 < OUTPUT_MIN) {
        return false;
    }
    a->output_cap = ask->max_tokens / 2;
    return true;
}

/* "maximum context length is 8192 tokens … (1000 in the messages, 8000 in the completion)": the
 * largest number that is less than the prompt and answer asked for is the context. */
static bool step_context(const struct provider_ask *ask, const struct provider_fault *f,
                         struct provider_ability *a)
{
    int64_t numbers[NUMBERS_MAX], room = 0, prompt = 0;
    const char *at = strstr(f->message, "context");
    size_t n = scan_numbers(at == NULL ? "" : at, numbers);
    if (n > 0) {
        room = numbers[0];
    }
    for (size_t i = 1; i < n && prompt == 0; i++) {
        if (numbers[i] < room && numbers[i] != ask->max_tokens) {
            prompt = numbers[i];
        }
    }
    int64_t left = prompt > 0 ? room - prompt - 16 : ask->max_tokens / 2;
    if (left >= ROOM_MIN && left < ask->max_tokens) {
        a->output_cap = left;
        return true;
    }
    int64_t bytes = a->context_bytes > 0 ? a->context_bytes / 2 : (int64_t)ask->user.n / 2;
    a->context_bytes = bytes;
    return bytes >= 1024;
}

static bool set_once(bool *flag)
{
    bool changed = !*flag;
    *flag = true;
    return changed;
}

static bool step_format(const struct provider *p, struct provider_ability *a)
{
    if (a->format + 1 >= p->n_formats) {
        return false;
    }
    a->format++;
    return true;
}

static bool step(const struct provider *p, enum provider_rung rung, const struct provider_ask *ask,
                 const struct provider_fault *f, struct provider_ability *a)
{
    switch (rung) {
    case PROVIDER_RUNG_FORMAT:
        return step_format(p, a);
    case PROVIDER_RUNG_TOKENS:
        return step_tokens(p, ask, f, a);
    case PROVIDER_RUNG_TEMPERATURE:
        return set_once(&a->no_temperature);
    case PROVIDER_RUNG_TOP_P:
        return set_once(&a->no_top_p);
    case PROVIDER_RUNG_STREAM:
        return set_once(&a->no_stream_options);
    case PROVIDER_RUNG_THINKING:
        return set_once(&a->no_thinking);
    case PROVIDER_RUNG_CONTEXT:
        return step_context(ask, f, a);
    }
    return false;
}

static const struct provider_parameter *named_in(const struct provider *p, const char *text)
{
    for (const struct provider_parameter *q = p->parameters; q->name != NULL; q++) {
        if (strstr(text, q->name) != NULL) {
            return q;
        }
    }
    return NULL;
}

/* Nothing is named: the form first, then all that is optional at once. */
static bool step_unnamed(const struct provider *p, struct provider_ability *a)
{
    if (step_format(p, a)) {
        if (p->formats[a->format] == PROVIDER_FORMAT_GUIDED) {
            (void)step_format(p, a); /* for those who say that they do not know its successor */
        }
        return true;
    }
    bool changed = set_once(&a->no_temperature);
    changed = set_once(&a->no_top_p) || changed;
    changed = set_once(&a->no_stream_options) || changed;
    changed = set_once(&a->no_thinking) || changed;
    return (p->has_new_token_name && set_once(&a->old_token_name)) || changed;
}

bool provider_step_down(const struct provider *p, const struct provider_ask *ask,
                        const struct provider_fault *f, struct provider_ability *ability)
{
    if (strcmp(f->code, "context_length_exceeded") == 0 ||
        (f->param[0] == '\0' && strstr(f->message, "maximum context length") != NULL)) {
        return step_context(ask, f, ability);
    }
    /* The message is looked at only where no parameter is named in its own field. */
    const struct provider_parameter *q = named_in(p, f->param[0] != '\0' ? f->param : f->message);
    if (q != NULL) {
        return step(p, q->rung, ask, f, ability);
    }
    return f->param[0] == '\0' && step_unnamed(p, ability);
}

/* SPDX-License-Identifier: MIT */
/* One request of a call: how it is written, what is told while its answer comes, what it was. */
#include "generator/cloud_internal.h"

#include "story/unwrap.h"

#include <string.h>

#define CONTEXT_BYTES_MAX 49152
#define PROMPT_TOKENS 1200      /* of a prompt without contexts */
#define OUTPUT_TOKENS_MAX 16384 /* unless the catalogue or the owner says otherwise */
#define AFTER_END_MS 1000       /* a stream that has ended is given so long to close */

/* ---- usage and events ------------------------------------------------------------------------ */

void cloud_emit(const struct cloud_call *k, struct gen_event event)
{
    if (k->call->on_event != NULL) {
        k->call->on_event(k->call->event_arg, &event);
    }
}

/* About four bytes of ASCII, or one character of another script, are a token. */
static int64_t estimate_tokens(struct sf_str s)
{
    size_t ascii = 0;
    for (size_t i = 0; i < s.n; i++) {
        ascii += (unsigned char)s.p[i] < 0x80 ? 1 : 0;
    }
    return (int64_t)(ascii / 4 + (s.n - ascii) / 3);
}

static int64_t written_by(const struct cloud_sending *s)
{
    int64_t estimate = estimate_tokens(sf_buf_str(&s->reply.text));
    return s->reply.generated_tokens > 0 ? s->reply.generated_tokens : estimate;
}

/* A refused request costs nothing; one that was sent and of which nothing is known in the end is
 * taken for paid, by estimate. Not before: what was told once is not taken back. */
void cloud_add_usage(const struct cloud_sending *s, struct gen_usage *u)
{
    int status = s->transfer == NULL ? 0 : s->transfer->answer.status;
    if (!s->counted) {
        return;
    }
    u->requests++;
    if (status == 0 || status / 100 == 2) {
        int64_t estimate = s->over ? s->prompt_estimate : 0;
        u->prompt_tokens += s->reply.prompt_tokens > 0 ? s->reply.prompt_tokens : estimate;
        u->cached_tokens += s->reply.cached_tokens;
        u->generated_tokens += written_by(s);
    }
}

void cloud_total_usage(const struct cloud_call *k, struct gen_usage *u)
{
    *u = k->spent;
    for (size_t i = 0; i < k->n; i++) {
        cloud_add_usage(&k->sends[i], u);
    }
    u->cost_usd = price_cost_usd(k->price, k->c->price_input, k->c->price_output, u->prompt_tokens,
                                 u->generated_tokens);
    sf_ms took = k->first_text.ms == 0 ? 0 : sf_between(k->first_text, sf_now());
    u->tokens_per_second = took > 0 ? (double)u->generated_tokens / sf_seconds(took) : 0;
}

void cloud_tell_usage(const struct cloud_call *k)
{
    struct gen_usage usage;
    cloud_total_usage(k, &usage);
    cloud_emit(k, (struct gen_event){.kind = GEN_EVENT_USAGE, .usage = &usage});
}

static void note_sent(struct cloud_sending *s)
{
    if (!s->counted && s->transfer->answer.sent) {
        s->counted = true;
        cloud_tell_usage(s->of);
    }
}

static void tell_tokens(struct cloud_call *k)
{
    int64_t tokens = k->spent.generated_tokens;
    for (size_t i = 0; i < k->n; i++) {
        tokens += written_by(&k->sends[i]);
    }
    if (tokens > k->last_tokens) {
        k->last_tokens = tokens;
        cloud_emit(k, (struct gen_event){.kind = GEN_EVENT_TOKENS, .done = tokens});
    }
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static bool on_stream_event(void *arg, const char *event, struct sf_str data)
{
    struct cloud_sending *s = arg;
    provider_read_event(s->of->c->provider, &s->reply, event, data);
    return !s->reply.failed;
}

static enum cloud_mode mode_of(const struct cloud_sending *s, struct sf_str piece)
{
    static const char *const starts[] = {"data:", "event:", ":", "id:", "retry:"};
    struct sf_str type = http_answer_header(&s->transfer->answer, "content-type");
    if (sf_str_has_prefix(type, "text/event-stream")) {
        return CLOUD_MODE_EVENTS;
    }
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (type.n == 0 && sf_str_has_prefix(piece, starts[i])) {
            return CLOUD_MODE_EVENTS;
        }
    }
    return CLOUD_MODE_WHOLE;
}

static bool read_piece(struct cloud_sending *s, struct sf_str piece)
{
    if (s->mode == CLOUD_MODE_UNKNOWN) {
        s->mode = mode_of(s, piece);
    }
    if (s->mode != CLOUD_MODE_EVENTS) {
        return true;
    }
    if (sse_feed(&s->sse, piece, on_stream_event, s) != SF_OK) {
        return false;
    }
    if (s->of->first_text.ms == 0 && s->reply.text.n > 0) {
        s->of->first_text = sf_now();
    }
    if (s->reply.ended && s->ended_at.ms == 0) {
        s->ended_at = sf_now();
    }
    tell_tokens(s->of);
    return true;
}

static bool on_data(void *arg, int status, struct sf_str piece)
{
    struct cloud_sending *s = arg;
    note_sent(s);
    cloud_emit(s->of, (struct gen_event){.kind = GEN_EVENT_HEARTBEAT, .done = (int64_t)piece.n});
    return piece.n == 0 || status / 100 != 2 || read_piece(s, piece);
}

static bool on_tick(void *arg)
{
    struct cloud_sending *s = arg;
    const struct cloud_progress *p = s->of->progress;
    note_sent(s);
    if (p != NULL && s->of->first_text.ms == 0 && p->moved(p->arg)) {
        cloud_emit(s->of, (struct gen_event){.kind = GEN_EVENT_HEARTBEAT});
    }
    bool lingers = s->ended_at.ms != 0 && sf_between(s->ended_at, sf_now()) > AFTER_END_MS;
    return !lingers && !atomic_load(&s->of->c->closing);
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static enum sf_err unwrap(struct cloud_sending *s, struct sf_errbuf *eb)
{
    if (s->reply.text.err != SF_OK) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer is larger than %zu bytes",
                       s->of->c->name, CLOUD_TEXT_MAX);
    }
    if (sf_str_trim(sf_buf_str(&s->reply.text)).n == 0) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer holds no text", s->of->c->name);
    }
    json_t *reply = NULL;
    enum sf_err err = story_unwrap(sf_buf_str(&s->reply.text), false, &reply, eb);
    if (err != SF_OK) {
        return sf_fail_prefix(eb, "%s", s->of->c->name);
    }
    err = story_ask_merge_reply(&s->told, reply, &s->part->output);
    json_decref(reply);
    return err;
}

static enum sf_err broken(const struct cloud_sending *s, struct sf_errbuf *eb)
{
    const struct http_transfer *t = s->transfer;
    if (s->sse.err == SF_ELIMIT || t->err == SF_ELIMIT) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer is larger than is read", s->of->c->name);
    }
    if (t->err == SF_ETRANSIENT && t->answer.status / 100 == 2) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer is cut after %zu bytes: %.200s",
                       s->of->c->name, t->answer.body.n, t->eb.text);
    }
    if (eb != NULL) {
        *eb = t->eb;
    }
    return t->err;
}

static bool is_html(struct sf_str type)
{
    return sf_str_has_prefix(type, "text/html") || sf_str_has_prefix(type, "application/xhtml");
}

/* The whole body of a success that was no stream. */
static void read_whole(struct cloud_sending *s)
{
    struct sf_str type = http_answer_header(&s->transfer->answer, "content-type");
    if (is_html(type)) {
        provider_reply_stop(&s->reply, SF_EINCOMPLETE,
                            "the answer is a web page (%.*s), not JSON: check the endpoint",
                            (int)(type.n < 40 ? type.n : 40), type.p);
        return;
    }
    provider_read_whole(s->of->c->provider, &s->reply, sf_buf_str(&s->transfer->answer.body));
    s->reply.ended = true;
}

static enum sf_err judge_success(struct cloud_sending *s, struct sf_errbuf *eb)
{
    const struct http_transfer *t = s->transfer;
    struct provider_reply *r = &s->reply;
    if (s->mode != CLOUD_MODE_EVENTS && t->err == SF_OK) {
        read_whole(s);
    }
    if (r->failed) {
        return cloud_fail(s->of->c, &r->fault, eb);
    }
    if (r->stop != SF_OK) {
        return sf_fail(eb, r->stop, "%s: %s", s->of->c->name, r->why);
    }
    if (r->ended) {
        return unwrap(s, eb);
    }
    if (t->err != SF_OK) {
        return broken(s, eb);
    }
    return sf_fail(eb, SF_EINCOMPLETE, "%s: the stream is cut: it ended after %zu bytes of text",
                   s->of->c->name, r->text.n);
}

/* Fills the part's result. True when the request was refused for its shape (`fault` says how). */
bool cloud_sending_judge(struct cloud_sending *s, struct provider_fault *fault)
{
    const struct http_transfer *t = s->transfer;
    struct cloud_part *part = s->part;
    bool refused = false;
    s->over = true;
    part->eb = (struct sf_errbuf){.code = SF_OK};
    note_sent(s);
    if (t->answer.status / 100 == 2) {
        part->err = judge_success(s, &part->eb);
        *fault = s->reply.fault;
    } else if (t->answer.status == 0) {
        part->err = broken(s, &part->eb);
    } else {
        cloud_read_fault(s->of->c, &t->answer, fault);
        part->err = cloud_fail(s->of->c, fault, &part->eb);
        refused = part->err == SF_ESHAPE && (fault->status == 400 || fault->status == 422);
    }
    return refused;
}

void cloud_sending_aim(struct cloud_sending *s, const struct http_header *headers, size_t n_headers,
                       struct http_transfer *transfer)
{
    s->transfer = transfer;
    *transfer = (struct http_transfer){.call = {.url = sf_buf_z(&s->url),
                                                .headers = headers,
                                                .n_headers = n_headers,
                                                .body = sf_buf_str(&s->body),
                                                .post = true,
                                                .deadline = s->of->call->deadline,
                                                .max_body_bytes = CLOUD_BODY_MAX,
                                                .on_data = on_data,
                                                .on_tick = on_tick,
                                                .arg = s}};
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return b > 0 && b < a ? b : a;
}

/* The room for the answer, and what it leaves for contexts in the prompt. */
static void plan_sizes(const struct cloud_call *k, struct cloud_sending *s, size_t *context_bytes)
{
    const struct cloud *c = k->c;
    const struct model_price *p = k->price;
    const struct provider_ability *a = &k->ability;
    int64_t tokens = story_ask_output_tokens(&s->part->request, s->part->n_wanted);
    int64_t bytes = CONTEXT_BYTES_MAX;
    if (p != NULL && p->refuses_temperature && tokens < 8192) {
        tokens = 8192; /* it thinks first, and that counts */
    }
    if (tokens < c->provider->min_output_tokens) {
        tokens = c->provider->min_output_tokens;
    }
    if (a->no_thinking && c->provider == &provider_gemini) {
        tokens += 8192; /* thoughts cannot be turned off */
    }
    tokens = least(tokens, OUTPUT_TOKENS_MAX);
    tokens = c->max_tokens > 0 ? c->max_tokens : tokens;
    if (p != NULL) {
        tokens = least(tokens, p->max_output_tokens);
        tokens = p->context_tokens > 0 ? least(tokens, p->context_tokens / 2) : tokens;
        bytes = p->context_tokens > 0
                    ? least(bytes, (p->context_tokens - tokens - PROMPT_TOKENS) * 2)
                    : bytes;
    }
    tokens = least(tokens, a->output_cap);
    s->ask.max_tokens = tokens;
    *context_bytes = (size_t)least(bytes < 1024 ? 1024 : bytes, a->context_bytes);
}

static enum sf_err shape_schema(const struct cloud_call *k, struct cloud_sending *s)
{
    enum story_schema_shape shape = k->c->provider->shape;
    s->ask.format = k->c->provider->formats[k->ability.format];
    if (s->ask.format == PROVIDER_FORMAT_OBJECT || s->ask.format == PROVIDER_FORMAT_NONE) {
        return SF_OK;
    }
    if (s->ask.format == PROVIDER_FORMAT_SIMPLER) {
        shape = STORY_SCHEMA_PLAIN;
    }
    s->ask.schema = story_schema(&s->part->request, shape, s->part->wanted, s->part->n_wanted);
    return s->ask.schema == NULL ? SF_ENOMEM : SF_OK;
}

void cloud_sending_clear(struct cloud_sending *s)
{
    json_decref(s->ask.schema), s->ask.schema = NULL;
    provider_reply_fini(&s->reply);
    sse_fini(&s->sse);
    sf_buf_fini(&s->system);
    sf_buf_fini(&s->user);
    sf_buf_fini(&s->body);
    sf_buf_fini(&s->url);
}

static void sending_init(struct cloud_sending *s)
{
    provider_reply_init(&s->reply, CLOUD_TEXT_MAX);
    sse_init(&s->sse, CLOUD_EVENT_MAX);
    sf_buf_init(&s->system, CLOUD_TEXT_MAX);
    sf_buf_init(&s->user, CLOUD_TEXT_MAX);
    sf_buf_init(&s->body, 2 * CLOUD_TEXT_MAX);
    sf_buf_init(&s->url, 2048);
    s->mode = CLOUD_MODE_UNKNOWN;
    s->ended_at = (struct sf_time){0};
    s->counted = s->over = false;
    s->transfer = NULL;
}

/* Writes the request by the abilities of now. */
enum sf_err cloud_sending_write(const struct cloud_call *k, struct cloud_sending *s)
{
    const struct cloud *c = k->c;
    size_t context_bytes = 0;
    cloud_sending_clear(s);
    sending_init(s);
    s->ask = (struct provider_ask){
        .model = k->model, .ability = k->ability, .temperature = c->temperature, .top_p = c->top_p};
    if (k->price != NULL && k->price->refuses_temperature) {
        s->ask.temperature = s->ask.top_p = -1;
    }
    plan_sizes(k, s, &context_bytes);
    enum sf_err err = shape_schema(k, s);
    if (err != SF_OK) {
        return err;
    }
    s->told = (struct story_ask){.request = &s->part->request,
                                 .prompt = k->call->prompt,
                                 .wanted = s->part->wanted,
                                 .n_wanted = s->part->n_wanted,
                                 .partial = s->part->partial,
                                 .schema_given = s->ask.schema != NULL,
                                 .max_context_bytes = context_bytes,
                                 .seed = s->part->seed};
    story_ask_render(&s->told, &s->system, &s->user);
    s->ask.system = sf_buf_str(&s->system);
    s->ask.user = sf_buf_str(&s->user);
    s->prompt_estimate = estimate_tokens(s->ask.system) + estimate_tokens(s->ask.user);
    json_t *body = c->provider->body(&s->ask);
    if (body != NULL) {
        json_print(body, &s->body);
    }
    json_decref(body);
    c->provider->url(c->endpoint, k->model, PROVIDER_ASK, &s->url);
    if (body == NULL || s->system.err != SF_OK || s->user.err != SF_OK || s->body.err != SF_OK) {
        return SF_ENOMEM;
    }
    return s->url.err;
}

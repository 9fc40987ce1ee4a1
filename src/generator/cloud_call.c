/* SPDX-License-Identifier: MIT */
/* One call: its parts go out side by side, streams are read as they come, refused parameters are
 * left out until the target takes the request. */
#include "generator/cloud_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "story/ask.h"
#include "story/unwrap.h"

#include <string.h>

#define ROUNDS_MAX 12
#define CONTEXT_BYTES_MAX 49152
#define PROMPT_TOKENS 1200      /* of a prompt without contexts */
#define OUTPUT_TOKENS_MAX 16384 /* unless the catalogue or the owner says otherwise */
#define AFTER_END_MS 1000       /* a stream that has ended is given so long to close */

enum stream_mode { MODE_UNKNOWN, MODE_EVENTS, MODE_WHOLE };

/* One request under way. */
struct sending {
    struct cloud_call *of;
    struct cloud_part *part;
    struct http_transfer *transfer;
    struct provider_reply reply;
    struct sse sse;
    enum stream_mode mode;
    struct sf_buf system, user, body, url;
    struct provider_ask ask;
    int64_t prompt_estimate;
    struct sf_time ended_at;
    bool pending; /* to be sent in this round */
    bool counted; /* among the requests of the usage */
};

struct cloud_call {
    struct cloud *c;
    const struct gen_call *call;
    const struct cloud_progress *progress;
    struct provider_ability ability;
    bool walked; /* the ability is not the one that was known */
    char model[128];
    const struct model_price *price;
    struct sending sends[STORY_CHAPTERS];
    size_t n;
    struct gen_usage spent; /* by requests of earlier rounds */
    struct sf_time first_text;
    int64_t last_tokens;
};

/* ---- usage and events ------------------------------------------------------------------------ */

static void emit(const struct cloud_call *k, struct gen_event event)
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

static int64_t written_by(const struct sending *s)
{
    int64_t estimate = estimate_tokens(sf_buf_str(&s->reply.text));
    return s->reply.generated_tokens > 0 ? s->reply.generated_tokens : estimate;
}

/* A refused request costs nothing; one that was sent and of which nothing is known is taken for
 * paid, by estimate. */
static void add_usage(const struct sending *s, struct gen_usage *u)
{
    int status = s->transfer == NULL ? 0 : s->transfer->answer.status;
    if (!s->counted) {
        return;
    }
    u->requests++;
    if (status == 0 || status / 100 == 2) {
        u->prompt_tokens +=
            s->reply.prompt_tokens > 0 ? s->reply.prompt_tokens : s->prompt_estimate;
        u->cached_tokens += s->reply.cached_tokens;
        u->generated_tokens += written_by(s);
    }
}

static void total_usage(const struct cloud_call *k, struct gen_usage *u)
{
    *u = k->spent;
    for (size_t i = 0; i < k->n; i++) {
        add_usage(&k->sends[i], u);
    }
    u->cost_usd = price_cost_usd(k->price, k->c->price_input, k->c->price_output, u->prompt_tokens,
                                 u->generated_tokens);
    sf_ms took = k->first_text.ms == 0 ? 0 : sf_between(k->first_text, sf_now());
    u->tokens_per_second = took > 0 ? (double)u->generated_tokens / sf_seconds(took) : 0;
}

static void tell_usage(const struct cloud_call *k)
{
    struct gen_usage usage;
    total_usage(k, &usage);
    emit(k, (struct gen_event){.kind = GEN_EVENT_USAGE, .usage = &usage});
}

static void note_sent(struct sending *s)
{
    if (!s->counted && s->transfer->answer.sent) {
        s->counted = true;
        tell_usage(s->of);
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
        emit(k, (struct gen_event){.kind = GEN_EVENT_TOKENS, .done = tokens});
    }
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static bool on_stream_event(void *arg, const char *event, struct sf_str data)
{
    struct sending *s = arg;
    provider_read_event(s->of->c->provider, &s->reply, event, data);
    return !s->reply.failed;
}

static enum stream_mode mode_of(const struct sending *s, struct sf_str piece)
{
    static const char *const starts[] = {"data:", "event:", ":", "id:", "retry:"};
    struct sf_str type = http_answer_header(&s->transfer->answer, "content-type");
    if (sf_str_has_prefix(type, "text/event-stream")) {
        return MODE_EVENTS;
    }
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (type.n == 0 && sf_str_has_prefix(piece, starts[i])) {
            return MODE_EVENTS;
        }
    }
    return MODE_WHOLE;
}

static bool read_piece(struct sending *s, struct sf_str piece)
{
    if (s->mode == MODE_UNKNOWN) {
        s->mode = mode_of(s, piece);
    }
    if (s->mode != MODE_EVENTS) {
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
    struct sending *s = arg;
    note_sent(s);
    emit(s->of, (struct gen_event){.kind = GEN_EVENT_HEARTBEAT, .done = (int64_t)piece.n});
    return piece.n == 0 || status / 100 != 2 || read_piece(s, piece);
}

static bool on_tick(void *arg)
{
    struct sending *s = arg;
    const struct cloud_progress *p = s->of->progress;
    note_sent(s);
    if (p != NULL && p->moved(p->arg)) {
        emit(s->of, (struct gen_event){.kind = GEN_EVENT_HEARTBEAT});
    }
    bool lingers = s->ended_at.ms != 0 && sf_between(s->ended_at, sf_now()) > AFTER_END_MS;
    return !lingers && !atomic_load(&s->of->c->closing);
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static enum sf_err unwrap(struct sending *s, struct sf_errbuf *eb)
{
    if (s->reply.text.err != SF_OK) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer is larger than %zu bytes",
                       s->of->c->name, CLOUD_TEXT_MAX);
    }
    if (sf_str_trim(sf_buf_str(&s->reply.text)).n == 0) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s: the answer holds no text", s->of->c->name);
    }
    enum sf_err err = story_unwrap(sf_buf_str(&s->reply.text), false, &s->part->output, eb);
    return err == SF_OK ? err : sf_fail_prefix(eb, "%s", s->of->c->name);
}

static enum sf_err broken(const struct sending *s, struct sf_errbuf *eb)
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
static void read_whole(struct sending *s)
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

static enum sf_err judge_success(struct sending *s, struct sf_errbuf *eb)
{
    const struct http_transfer *t = s->transfer;
    struct provider_reply *r = &s->reply;
    if (s->mode != MODE_EVENTS && t->err == SF_OK) {
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
static bool judge(struct sending *s, struct provider_fault *fault)
{
    const struct http_transfer *t = s->transfer;
    struct cloud_part *part = s->part;
    bool refused = false;
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

/* ---- asking ---------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return b > 0 && b < a ? b : a;
}

/* The room for the answer, and what it leaves for contexts in the prompt. */
static void plan_sizes(const struct cloud_call *k, struct sending *s, size_t *context_bytes)
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

static enum sf_err shape_schema(const struct cloud_call *k, struct sending *s)
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

static void sending_clear(struct sending *s)
{
    json_decref(s->ask.schema), s->ask.schema = NULL;
    provider_reply_fini(&s->reply);
    sse_fini(&s->sse);
    sf_buf_fini(&s->system);
    sf_buf_fini(&s->user);
    sf_buf_fini(&s->body);
    sf_buf_fini(&s->url);
}

static void sending_init(struct sending *s)
{
    provider_reply_init(&s->reply, CLOUD_TEXT_MAX);
    sse_init(&s->sse, CLOUD_EVENT_MAX);
    sf_buf_init(&s->system, CLOUD_TEXT_MAX);
    sf_buf_init(&s->user, CLOUD_TEXT_MAX);
    sf_buf_init(&s->body, 2 * CLOUD_TEXT_MAX);
    sf_buf_init(&s->url, 2048);
    s->mode = MODE_UNKNOWN;
    s->ended_at = (struct sf_time){0};
    s->counted = false;
    s->transfer = NULL;
}

/* Writes the request by the abilities of now. */
static enum sf_err sending_write(const struct cloud_call *k, struct sending *s)
{
    const struct cloud *c = k->c;
    size_t context_bytes = 0;
    sending_clear(s);
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
    story_ask_render(&(struct story_ask){.request = &s->part->request,
                                         .prompt = k->call->prompt,
                                         .wanted = s->part->wanted,
                                         .n_wanted = s->part->n_wanted,
                                         .partial = s->part->partial,
                                         .schema_given = s->ask.schema != NULL,
                                         .max_context_bytes = context_bytes,
                                         .seed = s->part->seed},
                     &s->system, &s->user);
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

/* ---- the target's room for requests ---------------------------------------------------------- */

/* Waits for room for at least one request and takes as much as there is, `want` at most. The queue
 * moving on is progress. 0: the caller is gone. */
static int64_t enter(struct cloud_call *k, int64_t want)
{
    struct cloud *c = k->c;
    const atomic_bool *cancel = k->call->cancel;
    int64_t granted = 0, seen = -1;
    while (granted == 0 && sf_until(k->call->deadline) > 0 && !atomic_load(&c->closing) &&
           (cancel == NULL || !atomic_load(cancel))) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_mutex_lock(&c->lock);
        if (c->under_way >= c->concurrency) {
            (void)pthread_cond_timedwait(&c->changed, &c->lock, &until);
        }
        int64_t room = c->concurrency - c->under_way, now = c->under_way;
        granted = room <= 0 ? 0 : room < want ? room : want;
        c->under_way += granted;
        (void)pthread_mutex_unlock(&c->lock);
        if (granted == 0 && now != seen) {
            seen = now;
            emit(k, (struct gen_event){.kind = GEN_EVENT_QUEUED, .done = 1});
        }
    }
    return granted;
}

static void leave(struct cloud *c, int64_t granted)
{
    (void)pthread_mutex_lock(&c->lock);
    c->under_way -= granted;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static size_t fill_transfers(struct cloud_call *k, struct http_transfer *list,
                             const struct http_header *headers, size_t n_headers)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        struct sending *s = &k->sends[i];
        if (!s->pending) {
            continue;
        }
        s->part->err = sending_write(k, s);
        if (s->part->err != SF_OK) {
            (void)sf_fail(&s->part->eb, s->part->err, "%s: out of memory", k->c->name);
            s->pending = false;
            continue;
        }
        s->transfer = &list[n++];
        *s->transfer = (struct http_transfer){.call = {.url = sf_buf_z(&s->url),
                                                       .headers = headers,
                                                       .n_headers = n_headers,
                                                       .body = sf_buf_str(&s->body),
                                                       .post = true,
                                                       .deadline = k->call->deadline,
                                                       .max_body_bytes = CLOUD_BODY_MAX,
                                                       .on_data = on_data,
                                                       .on_tick = on_tick,
                                                       .arg = s}};
    }
    return n;
}

/* Judges what was sent; parts that were refused for their shape stay pending when there is a step
 * down. The first refusal decides which. */
static void judge_round(struct cloud_call *k)
{
    struct provider_ability next = k->ability;
    bool stepped = false, refused[STORY_CHAPTERS] = {false};
    for (size_t i = 0; i < k->n; i++) {
        struct sending *s = &k->sends[i];
        struct provider_fault fault = {.status = 0};
        if (!s->pending) {
            continue;
        }
        refused[i] = judge(s, &fault);
        if (refused[i] && !stepped) {
            stepped = provider_step_down(k->c->provider, &s->ask, &fault, &next);
            log_event(LOG_DEBUG, LOG_GENERATOR, stepped ? "asks for less" : "nothing less to ask",
                      LOG_S("target", k->c->name), LOG_S("err", s->part->eb.text));
        }
    }
    for (size_t i = 0; i < k->n; i++) {
        k->sends[i].pending = refused[i] && stepped;
    }
    k->ability = next;
    k->walked = k->walked || stepped;
}

/* The transfers go, with what they cost kept. */
static void end_transfers(struct cloud_call *k)
{
    for (size_t i = 0; i < k->n; i++) {
        struct sending *s = &k->sends[i];
        if (s->transfer != NULL) {
            add_usage(s, &k->spent);
            http_answer_fini(&s->transfer->answer);
            s->transfer = NULL;
            s->counted = false;
            sf_buf_clear(&s->reply.text);
            s->reply.generated_tokens = 0;
        }
    }
}

static enum sf_err run_round(struct cloud_call *k)
{
    struct http_header headers[CLOUD_HEADERS_MAX];
    struct http_transfer *list = sf_alloc(STORY_CHAPTERS * sizeof *list);
    struct sf_buf key_line;
    if (list == NULL) {
        return SF_ENOMEM;
    }
    sf_buf_init(&key_line, 8192);
    size_t n = fill_transfers(k, list, headers, cloud_headers(k->c, headers, &key_line));
    int64_t room = n == 0 ? 0 : enter(k, (int64_t)n);
    enum sf_err err = SF_OK;
    if (room > 0) {
        http_client_perform(k->c->client, list, n, (size_t)room, k->call->cancel);
        leave(k->c, room);
        judge_round(k);
        tell_usage(k);
        end_transfers(k);
    } else if (n > 0) {
        bool late = sf_until(k->call->deadline) <= 0;
        err = late ? SF_EDEADLINE : SF_ECANCELED;
    }
    for (size_t i = 0; i < k->n && room == 0; i++) {
        k->sends[i].transfer = NULL;
    }
    sf_buf_wipe(&key_line);
    free(list);
    return err;
}

static bool is_pending(const struct cloud_call *k)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->sends[i].pending) {
            return true;
        }
    }
    return false;
}

static void recall_ability(struct cloud_call *k)
{
    struct cloud *c = k->c;
    (void)pthread_mutex_lock(&c->lock);
    k->ability = c->ability;
    k->ability.format = c->format[k->call->request->task];
    (void)pthread_mutex_unlock(&c->lock);
}

/* What was found is worth remembering when the target took a request of that shape. */
static void remember_ability(const struct cloud_call *k, const struct cloud_part *parts)
{
    struct cloud *c = k->c;
    bool taken = false;
    for (size_t i = 0; i < k->n; i++) {
        taken = taken || parts[i].err == SF_OK || parts[i].err == SF_EINCOMPLETE ||
                parts[i].err == SF_ECONTENT;
    }
    if (!k->walked || !taken) {
        return;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->ability = k->ability;
    c->format[k->call->request->task] = k->ability.format;
    (void)pthread_mutex_unlock(&c->lock);
    log_event(LOG_INFO, LOG_GENERATOR, "target takes less than was asked; remembered",
              LOG_S("target", c->name), LOG_S("model", k->model),
              LOG_I("format", k->ability.format), LOG_I("output_cap", k->ability.output_cap));
}

static void fill_result(const struct cloud_call *k, struct gen_result *result)
{
    const char *answered = k->sends[0].reply.model;
    bool same = answered[0] == '\0' || strcmp(answered, k->model) == 0;
    total_usage(k, &result->usage);
    (void)snprintf(result->name, sizeof result->name, "%s", k->model);
    (void)snprintf(result->provider, sizeof result->provider, "%s", k->c->name);
    (void)snprintf(result->version, sizeof result->version, "%.63s", same ? "" : answered);
    double temperature = k->sends[0].ask.temperature;
    if (temperature >= 0 && !k->ability.no_temperature) {
        result->parameters = json_pack("{s:f}", "temperature", temperature);
    }
}

static enum sf_err run(struct cloud_call *k, struct gen_result *result, struct sf_errbuf *eb)
{
    struct cloud_part parts[STORY_CHAPTERS];
    enum sf_err err = cloud_parts_make(k->call, parts, &k->n);
    if (err != SF_OK) {
        return err;
    }
    for (size_t i = 0; i < k->n; i++) {
        k->sends[i] = (struct sending){.of = k, .part = &parts[i], .pending = true};
    }
    for (int round = 0; round < ROUNDS_MAX && err == SF_OK && is_pending(k); round++) {
        err = run_round(k);
    }
    if (err == SF_OK) {
        remember_ability(k, parts);
        err = cloud_parts_join(k->call, parts, k->n, &result->output, eb);
    } else {
        (void)sf_fail(eb, err, "%s: %s", k->c->name, sf_err_info(err)->text);
    }
    if (k->call->cancel != NULL && atomic_load(k->call->cancel) && err == SF_OK) {
        json_decref(result->output), result->output = NULL;
        err = sf_fail(eb, SF_ECANCELED, "%s: canceled", k->c->name);
    }
    if (err == SF_OK) {
        fill_result(k, result);
    }
    for (size_t i = 0; i < k->n; i++) {
        sending_clear(&k->sends[i]);
    }
    cloud_parts_free(parts, k->n);
    return err;
}

enum sf_err cloud_generate(struct cloud *c, const struct gen_call *call,
                           const struct cloud_progress *progress, struct gen_result *result,
                           struct sf_errbuf *eb)
{
    struct cloud_call *k = sf_alloc(sizeof *k);
    struct gen_result mine = {.output = NULL};
    if (k == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->calls++;
    (void)pthread_mutex_unlock(&c->lock);
    k->c = c;
    k->call = call;
    k->progress = progress;
    enum sf_err err = cloud_model(c, k->model, eb);
    if (err == SF_OK) {
        k->price = price_find(c->name, k->model);
        recall_ability(k);
        err = run(k, &mine, eb);
    }
    if (err == SF_OK) {
        *result = mine;
    }
    free(k);
    (void)pthread_mutex_lock(&c->lock);
    c->calls--;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "journal/journal_insert.h"

#include "base/buf.h"

#include <string.h>

/* A column, and where its value lies in the struct that is bound. */
struct column {
    const char *name;
    enum {
        C_I64,
        C_I64_NEG, /* NULL when negative */
        C_BOOL,
        C_REAL,
        C_REAL_NEG, /* NULL when negative */
        C_TEXT,     /* NULL when NULL or empty */
        C_TEXT_SET, /* "" when NULL */
    } type;
    size_t offset;
};

/* One step or attempt with what stands around it. */
struct part {
    int64_t request, step, attempt, wall_ns;
    const char *outcome;
    struct journal_step s;
    struct journal_attempt a;
};

struct answer_row {
    int64_t request, bytes;
    const char *output, *model_info;
};

struct tally {
    int64_t minute, answers, failures;
    const char *hop, *kind, *account;
    struct journal_attempt sum;
};

#define R(field) offsetof(struct journal_request, field)
#define P(field) offsetof(struct part, field)
#define A(field) offsetof(struct answer_row, field)
#define S(field) offsetof(struct journal_state, field)
#define T(field) offsetof(struct tally, field)
#define G(field) offsetof(struct journal_standing, field)

static const struct column request_columns[] = {
    {"id", C_I64, R(id)},
    {"origin", C_TEXT, R(origin)},
    {"story_id", C_TEXT, R(story_id)},
    {"hotkey", C_TEXT, R(hotkey)},
    {"uid", C_I64_NEG, R(uid)},
    {"peer", C_TEXT, R(peer)},
    {"task", C_TEXT, R(task)},
    {"user_input", C_TEXT, R(user_input)},
    {"context_hash", C_TEXT, R(context_hash)},
    {"received_ns", C_I64, R(received_ns)},
    {"deadline_ms", C_I64, R(deadline_ms)},
    {"took_ms", C_I64, R(took_ms)},
    {"status", C_I64, R(status)},
    {"message", C_TEXT, R(message)},
    {"generator", C_TEXT, R(generator)},
    {"kind", C_TEXT, R(kind)},
    {"model", C_TEXT, R(model)},
    {"technical", C_REAL_NEG, R(technical)},
    {"structure", C_REAL_NEG, R(structure)},
    {"seed", C_I64, R(seed)},
};

static const struct column step_columns[] = {
    {"request", C_I64, P(request)},      {"step", C_I64, P(step)},
    {"wall_ns", C_I64, P(wall_ns)},      {"hop", C_TEXT_SET, P(s.hop)},
    {"kind", C_TEXT_SET, P(s.kind)},     {"account", C_TEXT, P(s.account)},
    {"outcome", C_TEXT_SET, P(outcome)}, {"code", C_TEXT_SET, P(s.code)},
    {"reason", C_TEXT, P(s.reason)},     {"started_ms", C_I64, P(s.started_ms)},
    {"took_ms", C_I64, P(s.took_ms)},    {"hedged", C_BOOL, P(s.hedged)},
};

static const struct column attempt_columns[] = {
    {"request", C_I64, P(request)},
    {"step", C_I64, P(step)},
    {"attempt", C_I64, P(attempt)},
    {"hop", C_TEXT_SET, P(s.hop)},
    {"kind", C_TEXT_SET, P(s.kind)},
    {"account", C_TEXT, P(s.account)},
    {"code", C_TEXT_SET, P(a.code)},
    {"reason", C_TEXT, P(a.reason)},
    {"started_ms", C_I64, P(a.started_ms)},
    {"took_ms", C_I64, P(a.took_ms)},
    {"repair", C_BOOL, P(a.repair)},
    {"prompt_tokens", C_I64, P(a.prompt_tokens)},
    {"cached_tokens", C_I64, P(a.cached_tokens)},
    {"generated_tokens", C_I64, P(a.generated_tokens)},
    {"requests", C_I64, P(a.requests)},
    {"cost_usd", C_REAL, P(a.cost_usd)},
};

static const struct column answer_columns[] = {
    {"request", C_I64, A(request)},
    {"bytes", C_I64, A(bytes)},
    {"output", C_TEXT, A(output)},
    {"model_info", C_TEXT, A(model_info)},
};

static const struct column state_columns[] = {
    {"wall_ns", C_I64, S(wall_ns)},  {"name", C_TEXT_SET, S(name)},
    {"kind", C_TEXT_SET, S(kind)},   {"from_state", C_TEXT_SET, S(from)},
    {"to_state", C_TEXT_SET, S(to)}, {"reason", C_TEXT, S(reason)},
};

static const struct column tally_columns[] = {
    {"minute", C_I64, T(minute)},
    {"hop", C_TEXT_SET, T(hop)},
    {"kind", C_TEXT_SET, T(kind)},
    {"account", C_TEXT_SET, T(account)},
    {"answers", C_I64, T(answers)},
    {"failures", C_I64, T(failures)},
    {"prompt_tokens", C_I64, T(sum.prompt_tokens)},
    {"cached_tokens", C_I64, T(sum.cached_tokens)},
    {"generated_tokens", C_I64, T(sum.generated_tokens)},
    {"requests", C_I64, T(sum.requests)},
    {"cost_usd", C_REAL, T(sum.cost_usd)},
};

static const struct column standing_columns[] = {
    {"wall_ns", C_I64, G(wall_ns)},
    {"netuid", C_I64, G(netuid)},
    {"block", C_I64, G(block)},
    {"hotkey", C_TEXT_SET, G(hotkey)},
    {"uid", C_I64_NEG, G(uid)},
    {"stake_rao", C_I64_NEG, G(stake_rao)},
    {"emission_rao", C_I64_NEG, G(emission_rao)},
    {"incentive", C_I64_NEG, G(incentive)},
    {"position", C_I64_NEG, G(position)},
    {"miners", C_I64_NEG, G(miners)},
    {"immunity_left_blocks", C_I64_NEG, G(immunity_left_blocks)},
};

enum { IN_REQUEST, IN_STEP, IN_ATTEMPT, IN_ANSWER, IN_STATE, IN_TALLY, IN_STANDING };
#define COLUMNS(list) list, sizeof(list) / sizeof(list)[0]
static const struct insert {
    const char *table;
    const struct column *columns;
    size_t n;
    const char *behind;
} inserts[JOURNAL_INSERTS] = {
    [IN_REQUEST] = {"requests", COLUMNS(request_columns), ""},
    [IN_STEP] = {"steps", COLUMNS(step_columns), ""},
    [IN_ATTEMPT] = {"attempts", COLUMNS(attempt_columns), ""},
    [IN_ANSWER] = {"answers", COLUMNS(answer_columns), ""},
    [IN_STATE] = {"generator_states", COLUMNS(state_columns), ""},
    [IN_STANDING] = {"standings", COLUMNS(standing_columns), ""},
    [IN_TALLY] = {"tallies", COLUMNS(tally_columns),
                  " ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,"
                  " failures = failures + excluded.failures,"
                  " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
                  " cached_tokens = cached_tokens + excluded.cached_tokens,"
                  " generated_tokens = generated_tokens + excluded.generated_tokens,"
                  " requests = requests + excluded.requests,"
                  " cost_usd = cost_usd + excluded.cost_usd"},
};

static int prepare_text(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

static int prepare(sqlite3 *db, const struct insert *in, sqlite3_stmt **out)
{
    struct sf_buf sql;
    sf_buf_init(&sql, 8192);
    sf_buf_printf(&sql, "INSERT INTO %s (", in->table);
    for (size_t i = 0; i < in->n; i++) {
        sf_buf_printf(&sql, "%s%s", i == 0 ? "" : ", ", in->columns[i].name);
    }
    sf_buf_puts(&sql, ") VALUES (");
    for (size_t i = 0; i < in->n; i++) {
        sf_buf_puts(&sql, i == 0 ? "?" : ", ?");
    }
    sf_buf_printf(&sql, ")%s", in->behind);
    int code = sql.err != SF_OK ? SQLITE_NOMEM : prepare_text(db, sf_buf_z(&sql), out);
    sf_buf_fini(&sql);
    return code;
}

int journal_inserts_open(sqlite3 *db, struct journal_inserts *in)
{
    *in = (struct journal_inserts){.db = db};
    int code = prepare_text(db, "SAVEPOINT row", &in->begin);
    if (code == SQLITE_OK) {
        code = prepare_text(db, "RELEASE row", &in->end);
    }
    if (code == SQLITE_OK) {
        code = journal_stories_open(db, &in->stories);
    }
    for (size_t i = 0; i < JOURNAL_INSERTS && code == SQLITE_OK; i++) {
        code = prepare(db, &inserts[i], &in->statements[i]);
    }
    if (code != SQLITE_OK) {
        journal_inserts_close(in);
    }
    return code;
}

void journal_inserts_close(struct journal_inserts *in)
{
    for (size_t i = 0; i < JOURNAL_INSERTS; i++) {
        (void)sqlite3_finalize(in->statements[i]);
        in->statements[i] = NULL;
    }
    (void)sqlite3_finalize(in->begin);
    (void)sqlite3_finalize(in->end);
    in->begin = in->end = NULL;
    journal_stories_close(&in->stories);
}

static int bind(sqlite3_stmt *s, int at, const struct column *c, const char *base)
{
    int64_t number = 0;
    double real = 0;
    bool flag = false;
    const char *text = NULL;
    switch (c->type) {
    case C_I64:
    case C_I64_NEG:
        memcpy(&number, base + c->offset, sizeof number);
        return c->type == C_I64_NEG && number < 0 ? sqlite3_bind_null(s, at)
                                                  : sqlite3_bind_int64(s, at, number);
    case C_BOOL:
        memcpy(&flag, base + c->offset, sizeof flag);
        return sqlite3_bind_int(s, at, flag ? 1 : 0);
    case C_REAL:
    case C_REAL_NEG:
        memcpy(&real, base + c->offset, sizeof real);
        return c->type == C_REAL_NEG && real < 0 ? sqlite3_bind_null(s, at)
                                                 : sqlite3_bind_double(s, at, real);
    case C_TEXT:
    case C_TEXT_SET:
        memcpy(&text, base + c->offset, sizeof text);
        if (text == NULL || text[0] == '\0') {
            return c->type == C_TEXT ? sqlite3_bind_null(s, at)
                                     : sqlite3_bind_text(s, at, "", 0, SQLITE_STATIC);
        }
        return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int step(struct journal_inserts *in, sqlite3_stmt *s)
{
    int code = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(in->db);
    (void)sqlite3_reset(s);
    return code;
}

static int run(struct journal_inserts *in, int which, const void *base)
{
    sqlite3_stmt *s = in->statements[which];
    int code = SQLITE_OK;
    for (size_t i = 0; i < inserts[which].n && code == SQLITE_OK; i++) {
        code = bind(s, (int)i + 1, &inserts[which].columns[i], base);
    }
    return code == SQLITE_OK ? step(in, s) : code;
}

static int insert_attempts(struct journal_inserts *in, struct part *p, struct tally *t)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < p->s.n_attempts && code == SQLITE_OK; i++) {
        const struct journal_attempt *a = &p->s.attempts[i];
        p->attempt = (int64_t)i + 1;
        p->a = *a;
        t->sum.prompt_tokens += a->prompt_tokens;
        t->sum.cached_tokens += a->cached_tokens;
        t->sum.generated_tokens += a->generated_tokens;
        t->sum.requests += a->requests;
        t->sum.cost_usd += a->cost_usd;
        code = run(in, IN_ATTEMPT, p);
    }
    return code;
}

/* Somebody gave it up: that says nothing about the generator. */
static bool is_canceled(const struct journal_step *s)
{
    return s->code != NULL && strcmp(s->code, "SF_ECANCELED") == 0;
}

static int insert_step(struct journal_inserts *in, const struct journal_request *r, size_t i)
{
    static const char *const outcomes[] = {"answered", "failed", "skipped"};
    const struct journal_step *s = &r->steps[i];
    struct part p = {.request = r->id,
                     .step = (int64_t)i + 1,
                     .wall_ns = r->received_ns + s->started_ms * 1000000,
                     .outcome = outcomes[s->outcome],
                     .s = *s};
    struct tally t = {.minute = p.wall_ns / 60000000000,
                      .answers = s->outcome == JOURNAL_ANSWERED ? 1 : 0,
                      .failures = s->outcome == JOURNAL_FAILED && !is_canceled(s) ? 1 : 0,
                      .hop = s->hop,
                      .kind = s->kind,
                      .account = s->account};
    int code = run(in, IN_STEP, &p);
    if (code == SQLITE_OK) {
        code = insert_attempts(in, &p, &t);
    }
    if (code == SQLITE_OK && (s->outcome != JOURNAL_SKIPPED || s->n_attempts > 0)) {
        code = run(in, IN_TALLY, &t);
    }
    return code;
}

static int insert_request(struct journal_inserts *in, const struct journal_row *row)
{
    struct journal_request placed = row->request;
    const struct journal_request *r = &placed;
    struct answer_row answer = {.request = r->id,
                                .bytes = row->output_bytes,
                                .output = r->output,
                                .model_info = r->model_info};
    char story[JOURNAL_STORY_ID];
    int code = SQLITE_OK;
    if (r->output_hash != NULL && r->story_id == NULL) {
        code = journal_story_place(&in->stories, r, story);
        placed.story_id = story[0] == '\0' ? NULL : story;
    }
    code = code == SQLITE_OK ? run(in, IN_REQUEST, r) : code;
    for (size_t i = 0; i < r->n_steps && code == SQLITE_OK; i++) {
        code = insert_step(in, r, i);
    }
    if (code == SQLITE_OK && row->output_bytes >= 0) {
        code = run(in, IN_ANSWER, &answer);
    }
    return code;
}

static int insert_kind(struct journal_inserts *in, const struct journal_row *row)
{
    switch (row->kind) {
    case JOURNAL_ROW_REQUEST:
        return insert_request(in, row);
    case JOURNAL_ROW_STATE:
        return run(in, IN_STATE, &row->state);
    case JOURNAL_ROW_STANDING:
        return run(in, IN_STANDING, &row->standing);
    }
    return SQLITE_MISUSE;
}

int journal_insert(struct journal_inserts *in, const struct journal_row *row)
{
    int code = step(in, in->begin);
    if (code != SQLITE_OK) {
        return code;
    }
    code = insert_kind(in, row);
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        int undone = sqlite3_exec(in->db, "ROLLBACK TO row", NULL, NULL, NULL);
        code = undone == SQLITE_OK ? SQLITE_CONSTRAINT : undone;
    }
    int released = step(in, in->end);
    return code == SQLITE_OK ? released : code;
}

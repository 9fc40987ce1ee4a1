/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_H
#define SF_JOURNAL_JOURNAL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

/* What was asked and answered, in an SQLite file. One thread writes; whoever puts something in
 * never waits and never fails for the disk's sake. Other programs may write to the same file. */
struct journal;

struct journal_options {
    const char *path; /* its folder is made */
    int64_t keep_days;
    int64_t max_bytes;
    int64_t id_block;  /* request ids taken in advance: 1 for a command, many for a miner */
    size_t queue_rows; /* what waits for the disk, at most */
    size_t queue_bytes;
    sf_ms commit_ms;    /* at most one commit in so long, unless a batch is full */
    sf_ms retry_ms;     /* pause before a file that could not be written is tried again */
    sf_ms retention_ms; /* how often old rows are looked for */
};
struct journal_options journal_options_default(void);

/* Opens or makes the file, moves a damaged one aside, brings an older one up to date. A file that
 * cannot be used does not fail this: the log says why, once, and the writer tries again (not with a
 * newer program's or another program's file). Errors: SF_ENOMEM. One reference is the caller's. */
SF_MUST_USE enum sf_err journal_open(const struct journal_options *o, struct journal **out);
struct journal *journal_ref(struct journal *j);
/* The last reference writes what waits, as far as the disk takes it, and closes. NULL is fine. */
void journal_close(struct journal *j);

const char *journal_path(const struct journal *j);
/* The owner's limits after a reload. */
void journal_set_limits(struct journal *j, int64_t keep_days, int64_t max_bytes);

/* A request id that nobody else has, rising; never blocks. */
int64_t journal_next_id(struct journal *j);

/* One call of a generator. Every text of these structs is borrowed for the call of journal_put;
 * NULL is no text. */
struct journal_attempt {
    const char *code, *reason; /* "SF_OK" */
    int64_t started_ms, took_ms;
    bool repair;
    int64_t prompt_tokens, cached_tokens, generated_tokens, requests;
    double cost_usd;
};

enum journal_outcome { JOURNAL_ANSWERED, JOURNAL_FAILED, JOURNAL_SKIPPED };

struct journal_step {
    const char *hop, *kind, *account;
    enum journal_outcome outcome;
    const char *code, *reason;
    int64_t started_ms, took_ms;
    bool hedged;
    const struct journal_attempt *attempts;
    size_t n_attempts;
};

/* A part of the story that the request carried: where it was written here the hash is that of the
 * answer (`output_hash`). */
struct journal_context {
    const char *hash, *text; /* NULL: none; the text as JSON */
};
enum { JOURNAL_BLUEPRINT, JOURNAL_CHARACTERS, JOURNAL_ARC, JOURNAL_CONTEXTS };

struct journal_request {
    int64_t id; /* from journal_next_id */
    const char *origin, *story_id,
        /* NULL: found by what the contexts are the answers to */ *hotkey, *peer, *task;
    int64_t uid; /* negative: none */
    const char *user_input, *context_hash;
    struct journal_context contexts[JOURNAL_CONTEXTS];
    unsigned chapters; /* asked for: bit N is chapter N */
    int64_t received_ns, deadline_ms, took_ms, status;
    const char *message, *generator, *kind, *model;
    double technical, structure; /* negative: none */
    uint64_t seed;
    const char *output, *model_info; /* the answer as JSON texts; NULL none */
    const char *output_hash;         /* told apart by it; NULL: part of no story */
    const char *title;               /* of the story, as far as this part knows; NULL */
    const struct journal_step *steps;
    size_t n_steps;
};

struct journal_state {
    int64_t wall_ns;
    const char *name, *kind, *from, *to, *reason;
};

/* What the chain said of the miner at one sync. Negative numbers: not known. */
struct journal_standing {
    int64_t wall_ns, netuid, block;
    const char *hotkey;
    int64_t uid; /* negative: not registered */
    int64_t stake_rao, emission_rao, incentive, position, miners, immunity_left_blocks;
};

/* Queues a copy; what does not fit is dropped and counted. Any thread; never blocks on I/O. */
void journal_put(struct journal *j, const struct journal_request *r);
void journal_put_state(struct journal *j, const struct journal_state *s);
void journal_put_standing(struct journal *j, const struct journal_standing *s);

/* Waits until all that was put so far is on the disk or dropped; false when `span` passes first. */
bool journal_flush(struct journal *j, sf_ms span);

struct journal_status {
    bool writing; /* false: the reason says why, and what to do */
    char reason[512];
    uint64_t written, dropped; /* requests, states, standings, since it was opened */
    size_t waiting;
};
void journal_status(struct journal *j, struct journal_status *out);

#endif

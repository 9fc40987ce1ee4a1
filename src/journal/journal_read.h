/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_READ_H
#define SF_JOURNAL_JOURNAL_READ_H

#include "json/json.h"

/* Reading the journal, also while it is written and after its writer has ended: a read-only
 * connection of its own. One thread at a time. */
struct journal_reader;

/* SF_ENOTFOUND: nothing was recorded yet; SF_ECONFIG: a newer or older storyfi's, or no journal;
 * SF_EPARSE: damaged; SF_EIO, SF_EBUSY, SF_ENOMEM. The text has cause and remedy. */
SF_MUST_USE enum sf_err journal_reader_open(const char *path, struct journal_reader **out,
                                            struct sf_errbuf *eb);
void journal_reader_close(struct journal_reader *r); /* NULL is fine */

/* What `journal_list` looks for; NULL and 0 mean any. */
struct journal_filter {
    const char *task, *origin, *generator;
    int64_t status_min, status_max;
    int64_t since_ns;
    int64_t before_id; /* only older ones: the next page */
    int64_t limit;     /* at least 1 */
    const char *text;  /* stands in user_input or the generator's name; ASCII case ignored */
};

/* Requests, newest first: an array of objects, their members named as the columns, "time" beside
 * (ISO 8601, UTC), and of user_input the first 160 characters. Caller owns. */
SF_MUST_USE enum sf_err journal_list(struct journal_reader *r, const struct journal_filter *f,
                                     json_t **out, struct sf_errbuf *eb);

/* One request as journal_list shows it, with user_input, context_hash, seed and "steps": [{hop, …,
 * "attempts": [{…}]}], and "answer": {"bytes","output","model_info"} or null, when `answer`.
 * SF_ENOTFOUND: no such request. Caller owns. */
SF_MUST_USE enum sf_err journal_trail(struct journal_reader *r, int64_t id, bool answer,
                                      json_t **out, struct sf_errbuf *eb);

/* Per generator since a time, an array of objects: hop, kind, account, answers, failures, p50_ms,
 * p95_ms (of answers; null none), requests, prompt_tokens, cached_tokens, generated_tokens,
 * cost_usd. Caller owns. */
SF_MUST_USE enum sf_err journal_figures(struct journal_reader *r, int64_t since_ns, json_t **out,
                                        struct sf_errbuf *eb);

/* What a provider's account was charged in one minute. */
struct journal_spending {
    const char *account; /* borrowed for the call */
    int64_t wall_ns;     /* the minute's end */
    int64_t requests;
    double cost_usd;
};
typedef void (*journal_spending_fn)(void *arg, const struct journal_spending *s);
SF_MUST_USE enum sf_err journal_spending(struct journal_reader *r, int64_t since_ns,
                                         journal_spending_fn fn, void *arg, struct sf_errbuf *eb);

/* Answers and failures of the generator `hop` since a time. */
SF_MUST_USE enum sf_err journal_share(struct journal_reader *r, const char *hop, int64_t since_ns,
                                      int64_t *answers, int64_t *failures, struct sf_errbuf *eb);

/* State changes of generators, newest first. Caller owns. */
SF_MUST_USE enum sf_err journal_states(struct journal_reader *r, int64_t since_ns, int64_t limit,
                                       json_t **out, struct sf_errbuf *eb);

/* What the chain said of the miner, newest first: an array of objects, their members named as the
 * columns of `standings`. Caller owns. */
SF_MUST_USE enum sf_err journal_standings(struct journal_reader *r, int64_t since_ns, int64_t limit,
                                          json_t **out, struct sf_errbuf *eb);

/* How it went in `n` steps of time up to now, oldest first: {"t" (epoch s), "answers", "failures",
 * "valid_share" (of all requests; null none), "p50_ms", "p95_ms" (of answers; null none), "late"
 * (408)}. At least 1 step; caller owns. */
struct journal_series {
    int64_t since_ns, step_ns;
    int64_t n;
    const char *origin; /* NULL any */
};
SF_MUST_USE enum sf_err journal_series(struct journal_reader *r, const struct journal_series *o,
                                       json_t **out, struct sf_errbuf *eb);

/* ---- stories: answers that are parts of one ---- */

struct journal_story_filter {
    const char *origin, *text; /* NULL any; text as above, of user_input and title */
    int64_t before;            /* only older ones than this last_request; 0 all */
    int64_t limit;
    bool fragments; /* also answers that no other one joined */
};

/* Newest first: an array of {"id","title","user_input","language" ("zh" "en"),"origin","hotkey",
 * "received_ns","time","last_request","chapters" (how many),"complete"}. Caller owns. */
SF_MUST_USE enum sf_err journal_stories(struct journal_reader *r,
                                        const struct journal_story_filter *f, json_t **out,
                                        struct sf_errbuf *eb);

/* One story, as journal_stories shows it but "chapters", with "blueprint", "characters",
 * "story_arc" (null: there is none, or it is not kept), "chapters" [in order], "requests"
 * [{"id","task","generator"}]. Parts that the caller brought along are there too: "foreign" lists
 * their names. SF_ENOTFOUND. Caller owns. */
SF_MUST_USE enum sf_err journal_story(struct journal_reader *r, int64_t id, json_t **out,
                                      struct sf_errbuf *eb);

#endif

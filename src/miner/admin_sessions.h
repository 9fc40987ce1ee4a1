/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_SESSIONS_H
#define SF_MINER_ADMIN_SESSIONS_H

#include "base/clock.h"
#include "base/str.h"

#include <pthread.h>

/* Who has logged in: a table of fixed size in memory, so that a restart logs all out. Thread-safe.
 */
#define SESSION_ID_LEN 64 /* hex digits of 32 random bytes */
#define SESSIONS_MAX 64   /* one more, and the one that was idle longest ends */
#define SESSION_IDLE_MS ((sf_ms)12 * 3600 * 1000)
#define SESSION_LIFE_MS ((sf_ms)7 * 24 * 3600 * 1000)

struct admin_session {
    char id[SESSION_ID_LEN + 1]; /* "" free */
    struct sf_time since, used;
};

struct admin_sessions {
    pthread_mutex_t lock;
    struct admin_session list[SESSIONS_MAX];
};

void admin_sessions_init(struct admin_sessions *s);
void admin_sessions_fini(struct admin_sessions *s); /* wipes */

void admin_sessions_begin(struct admin_sessions *s, char id[static SESSION_ID_LEN + 1]);
/* Whether a session of this id is under way; notes its use. */
bool admin_sessions_has(struct admin_sessions *s, struct sf_str id);
void admin_sessions_end(struct admin_sessions *s, struct sf_str id);

#endif

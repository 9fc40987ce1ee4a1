/* SPDX-License-Identifier: MIT */
#include "miner/admin_sessions.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"

#include <string.h>

void admin_sessions_init(struct admin_sessions *s)
{
    memset(s, 0, sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
}

void admin_sessions_fini(struct admin_sessions *s)
{
    (void)pthread_mutex_destroy(&s->lock);
    sf_wipe(s, sizeof *s);
}

static bool is_over(const struct admin_session *e, struct sf_time now)
{
    return e->id[0] == '\0' || sf_between(e->used, now) > SESSION_IDLE_MS ||
           sf_between(e->since, now) > SESSION_LIFE_MS;
}

/* Under the lock. Looks at every place whatever is in it; NULL: no such session. */
static struct admin_session *find(struct admin_sessions *s, struct sf_str id)
{
    struct admin_session *found = NULL;
    struct sf_time now = sf_now();
    for (size_t i = 0; id.n == SESSION_ID_LEN && i < SESSIONS_MAX; i++) {
        struct admin_session *e = &s->list[i];
        if (sf_equal_const_time(e->id, id.p, SESSION_ID_LEN) && !is_over(e, now)) {
            found = e;
        }
    }
    return found;
}

void admin_sessions_begin(struct admin_sessions *s, char id[static SESSION_ID_LEN + 1])
{
    uint8_t bytes[SESSION_ID_LEN / 2];
    sf_random(bytes, sizeof bytes);
    sf_hex_encode(bytes, sizeof bytes, id);
    sf_wipe(bytes, sizeof bytes);
    (void)pthread_mutex_lock(&s->lock);
    struct sf_time now = sf_now();
    struct admin_session *place = &s->list[0];
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct admin_session *e = &s->list[i];
        if (is_over(e, now)) {
            place = e;
            break;
        }
        if (sf_between(e->used, place->used) > 0) {
            place = e;
        }
    }
    place->since = place->used = now;
    memcpy(place->id, id, SESSION_ID_LEN + 1);
    (void)pthread_mutex_unlock(&s->lock);
}

bool admin_sessions_has(struct admin_sessions *s, struct sf_str id)
{
    (void)pthread_mutex_lock(&s->lock);
    struct admin_session *e = find(s, id);
    if (e != NULL) {
        e->used = sf_now();
    }
    (void)pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

void admin_sessions_end(struct admin_sessions *s, struct sf_str id)
{
    (void)pthread_mutex_lock(&s->lock);
    struct admin_session *e = find(s, id);
    if (e != NULL) {
        sf_wipe(e, sizeof *e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* SPDX-License-Identifier: MIT */
#include "base/log_repeat.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>

#define WINDOW_MS 60000

struct event {
    uint64_t key; /* 0: free */
    struct sf_time began;
    unsigned n; /* in this minute */
    struct log_repeated told;
};

static struct event events[LOG_REPEAT_EVENTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct sf_str event_name(const char *message)
{
    const char *colon = strstr(message, ": ");
    return (struct sf_str){message, colon == NULL ? strlen(message) : (size_t)(colon - message)};
}

/* FNV-1a; never 0. */
static uint64_t key_of(enum log_area area, struct sf_str name)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)area;
    for (size_t i = 0; i < name.n; i++) {
        h = (h ^ (unsigned char)name.p[i]) * UINT64_C(1099511628211);
    }
    return h == 0 ? 1 : h;
}

static bool is_over(const struct event *e)
{
    sf_ms age = sf_between(e->began, sf_now());
    return age >= WINDOW_MS || age < 0;
}

/* Its place, or one to take for it: free, or of an event that is over and told of. NULL: none. */
static struct event *find(uint64_t key)
{
    struct event *place = NULL;
    for (size_t i = 0; i < LOG_REPEAT_EVENTS; i++) {
        struct event *e = &events[i];
        if (e->key == key) {
            return e;
        }
        if (place == NULL && (e->key == 0 || (e->told.left_out == 0 && is_over(e)))) {
            place = e;
        }
    }
    return place;
}

bool log_repeat_pass(enum log_level level, enum log_area area, const char *message,
                     uint64_t *left_out)
{
    struct sf_str name = event_name(message);
    uint64_t key = key_of(area, name);
    bool pass = true;
    *left_out = 0;
    (void)pthread_mutex_lock(&lock);
    struct event *e = find(key);
    if (e != NULL && e->key != key) {
        *e = (struct event){.key = key, .began = sf_now(), .told = {.area = area}};
        (void)snprintf(e->told.message, sizeof e->told.message, "%.*s", SF_STR_ARG(name));
    }
    if (e != NULL) {
        if (is_over(e)) {
            e->began = sf_now();
            e->n = 0;
        }
        e->told.level = level;
        pass = e->n < LOG_REPEAT_PER_MINUTE;
        e->n += pass ? 1 : 0;
        e->told.left_out += pass ? 0 : 1;
        if (pass) {
            *left_out = e->told.left_out;
            e->told.left_out = 0;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return pass;
}

bool log_repeat_take(bool all, struct log_repeated *out)
{
    bool found = false;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < LOG_REPEAT_EVENTS && !found; i++) {
        struct event *e = &events[i];
        found = e->key != 0 && e->told.left_out > 0 && (all || is_over(e));
        if (found) {
            *out = e->told;
            e->told.left_out = 0;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

/* SPDX-License-Identifier: MIT */
#include "miner/ask_query.h"

#include <string.h>
#include <time.h>

#define NUMBER_ROOM 48
#define SECONDS_MAX 4102444800 /* the year 2100 */

static void say_wrong(struct ask *q, const char *name, const char *takes)
{
    if (q->wrong[0] == '\0') {
        (void)snprintf(q->wrong, sizeof q->wrong, "%s: takes %s", name, takes);
    }
}

/* Whether the query names it at all. */
static bool is_there(const struct ask *q, const char *name)
{
    struct sf_str rest = sf_str(q->request->query), part;
    size_t n = strlen(name);
    while (sf_str_next(&rest, '&', &part)) {
        if (sf_str_has_prefix(part, name) && (part.n == n || part.p[n] == '=')) {
            return true;
        }
    }
    return false;
}

const char *ask_text(struct ask *q, const char *name, char *out, size_t room)
{
    char takes[64];
    if (!is_there(q, name)) {
        return NULL;
    }
    if (!request_argument(q->request, name, out, room)) {
        (void)snprintf(takes, sizeof takes, "at most %zu bytes of encoded text", room - 1);
        say_wrong(q, name, takes);
        return NULL;
    }
    return out[0] == '\0' ? NULL : out;
}

const char *ask_word(struct ask *q, const char *name, const char *const *words, size_t n)
{
    char given[NUMBER_ROOM], takes[160] = "one of";
    const char *word = ask_text(q, name, given, sizeof given);
    for (size_t i = 0; word != NULL && i < n; i++) {
        if (strcmp(words[i], word) == 0) {
            return words[i];
        }
    }
    if (word != NULL) {
        for (size_t i = 0; i < n; i++) {
            size_t used = strlen(takes);
            (void)snprintf(takes + used, sizeof takes - used, " %s", words[i]);
        }
        say_wrong(q, name, takes);
    }
    return NULL;
}

int64_t ask_number(struct ask *q, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    char given[NUMBER_ROOM], takes[96];
    int64_t value = fallback;
    const char *text = ask_text(q, name, given, sizeof given);
    if (text != NULL && !sf_scan_i64(sf_str(text), min, max, &value)) {
        (void)snprintf(takes, sizeof takes, "a whole number from %lld to %lld", (long long)min,
                       (long long)max);
        say_wrong(q, name, takes);
    }
    return value;
}

bool ask_flag(struct ask *q, const char *name)
{
    static const char *const words[] = {"1", "true", "0", "false"};
    const char *word = ask_word(q, name, words, sizeof words / sizeof words[0]);
    return word == words[0] || word == words[1];
}

/* "2026-11-24T23:50:10": the separators say which number comes. */
static bool read_iso(struct sf_str s, int64_t *seconds)
{
    static const struct {
        size_t digits;
        uint64_t min, max;
        char before;
    } fields[] = {{4, 1970, 2100, 0}, {2, 1, 12, '-'}, {2, 1, 31, '-'},
                  {2, 0, 23, 'T'},    {2, 0, 59, ':'}, {2, 0, 60, ':'}};
    uint64_t v[6] = {0};
    size_t at = 0, i = 0;
    if (s.n > 0 && s.p[s.n - 1] == 'Z') {
        s.n--;
    }
    for (; i < 6 && at < s.n; i++) {
        at += fields[i].before != 0 && s.p[at] == fields[i].before ? 1 : 0;
        bool separated = i == 0 || s.p[at - 1] == fields[i].before;
        if (!separated || s.n - at < fields[i].digits ||
            !sf_scan_u64((struct sf_str){s.p + at, fields[i].digits}, fields[i].max, &v[i]) ||
            v[i] < fields[i].min) {
            return false;
        }
        at += fields[i].digits;
    }
    struct tm tm = {.tm_year = (int)v[0] - 1900,
                    .tm_mon = (int)v[1] - 1,
                    .tm_mday = (int)v[2],
                    .tm_hour = (int)v[3],
                    .tm_min = (int)v[4],
                    .tm_sec = (int)v[5]};
    *seconds = (int64_t)timegm(&tm);
    return at == s.n && (i == 3 || i >= 5);
}

int64_t ask_time_ns(struct ask *q, const char *name, int64_t fallback)
{
    char given[NUMBER_ROOM];
    const char *text = ask_text(q, name, given, sizeof given);
    double epoch = 0;
    int64_t seconds = 0;
    if (text == NULL) {
        return fallback;
    }
    if (sf_scan_double(sf_str(text), &epoch) && epoch >= 0 && epoch <= SECONDS_MAX) {
        return (int64_t)(epoch * 1e3) * 1000000;
    }
    if (read_iso(sf_str(text), &seconds)) {
        return seconds * 1000000000;
    }
    say_wrong(q, name, "seconds since the epoch, or a time in UTC like 2026-11-24T23:50:00Z");
    return fallback;
}

bool ask_path_id(const char *path, const char *prefix, int64_t *id, const char **rest)
{
    size_t n = strlen(prefix);
    if (strncmp(path, prefix, n) != 0) {
        return false;
    }
    size_t digits = strspn(path + n, "0123456789");
    *rest = path + n + digits;
    return sf_scan_i64((struct sf_str){path + n, digits}, 1, INT64_MAX, id);
}

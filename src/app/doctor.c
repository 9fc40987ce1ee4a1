/* SPDX-License-Identifier: MIT */
#include "app/doctor.h"

#include "app/miner_address.h"
#include "base/mem.h"
#include "http/client.h"

#include <stdarg.h>
#include <string.h>

void doctor_fini(struct doctor_report *r)
{
    free(r->list), r->list = NULL;
    r->n = r->room = 0;
}

bool doctor_is_well(const struct doctor_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->list[i].check.verdict == GEN_CHECK_FAIL) {
            return false;
        }
    }
    return true;
}

bool doctor_is_canceled(const struct doctor_report *r)
{
    return r->cancel != NULL && atomic_load(r->cancel);
}

void doctor_area(struct doctor_report *r, const char *area)
{
    (void)snprintf(r->area, sizeof r->area, "%s", area);
}

void doctor_add(struct doctor_report *r, const struct gen_checks *checks)
{
    for (size_t i = 0; i < checks->n; i++) {
        if (r->n == r->room) {
            size_t room = r->room == 0 ? 32 : 2 * r->room;
            struct doctor_line *list =
                room > DOCTOR_LINES_MAX ? NULL : sf_realloc(r->list, room * sizeof *list);
            if (list == NULL) {
                return;
            }
            r->list = list;
            r->room = room;
        }
        struct doctor_line *line = &r->list[r->n++];
        line->check = checks->list[i];
        memcpy(line->area, r->area, sizeof line->area);
        if (r->on_line != NULL) {
            r->on_line(r->arg, line);
        }
    }
}

void doctor_say(struct doctor_report *r, enum gen_verdict verdict, const char *what,
                const char *remedy, const char *fmt, ...)
{
    char text[256];
    struct gen_checks *one = sf_alloc(sizeof *one);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (one != NULL) {
        gen_checks_add(one, verdict, what, remedy, "%s", text);
        doctor_add(r, one);
    }
    free(one);
}

static const struct {
    enum gen_verdict verdict;
    const char *what, *remedy;
} of_level[] = {
    [CONF_NOTE] = {GEN_CHECK_OK, "configuration", ""},
    [CONF_WARNING] = {GEN_CHECK_WARN, "key", "correct or remove it: storyfi config check"},
    [CONF_ERROR] = {GEN_CHECK_FAIL, "value", "correct it: storyfi config check"},
};

void doctor_configuration(struct doctor_report *r, const struct conf_diagnostics *found)
{
    doctor_area(r, "configuration");
    for (size_t i = 0; i < found->n; i++) {
        const struct conf_diagnostic *d = &found->v[i];
        doctor_say(r, of_level[d->level].verdict, of_level[d->level].what,
                   of_level[d->level].remedy, "%s%s%s%s%s", d->where,
                   d->where[0] != '\0' ? ": " : "", d->key, d->key[0] != '\0' ? ": " : "", d->text);
    }
}

void doctor_find_miner(const struct conf *conf, struct doctor_miner *out)
{
    struct http_answer answer;
    *out = (struct doctor_miner){.runs = false};
    if (conf->admin.port == 0) {
        return;
    }
    if (miner_get(conf, "/status", 3000, &answer, NULL) == SF_OK && answer.status == 200 &&
        json_parse(sf_buf_str(&answer.body), JSON_LIMITS_DEFAULT, &out->status, NULL) == SF_OK) {
        out->runs = json_get_string(out->status, "version") != NULL &&
                    json_get_int(out->status, "pid", &out->pid) &&
                    json_get_int(json_get_object(out->status, "axon"), "port", &out->axon_port);
    }
    http_answer_fini(&answer);
}

void doctor_miner_fini(struct doctor_miner *m)
{
    json_decref(m->status), m->status = NULL;
}

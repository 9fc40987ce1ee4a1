/* SPDX-License-Identifier: MIT */
/* Free looks at a target: the probe, and what doctor finds out. */
#include "generator/cloud_internal.h"

#include <string.h>
#include <time.h>

#define PROBE_MS 5000
#define CHECK_MS 10000
#define SHUTDOWN_SOON_DAYS 30

/* Servers that are only compatible may have no list of models: they are reachable all the same. */
static bool has_no_list(const struct cloud *c, int status)
{
    bool foreign = strcmp(c->endpoint, c->provider->base) != 0;
    return foreign && (status == 404 || status == 405 || status == 501);
}

/* A key of narrow rights may write and yet not list. */
static bool may_not_list(int status)
{
    return status == 403;
}

enum sf_err cloud_probe(struct cloud *c, struct sf_errbuf *eb)
{
    struct http_answer answer;
    struct provider_fault fault;
    enum sf_err err = cloud_get(c, NULL, PROBE_MS, &answer, eb);
    bool unknown = has_no_list(c, answer.status) || may_not_list(answer.status);
    if (err == SF_OK && answer.status != 200 && !unknown) {
        cloud_read_fault(c, &answer, &fault);
        err = cloud_fail(c, &fault, eb);
    }
    http_answer_fini(&answer);
    return err;
}

/* ---- doctor ---------------------------------------------------------------------------------- */

static void check_key(const struct cloud *c, struct gen_checks *out)
{
    char shown[24];
    size_t n = strlen(c->key);
    if (n == 0) {
        gen_checks_add(out, GEN_CHECK_OK, "key present", "", "none needed");
        return;
    }
    (void)snprintf(shown, sizeof shown, "%s…%s", strncmp(c->key, "sk-", 3) == 0 ? "sk-" : "",
                   n < 16 ? "" : c->key + n - 4);
    gen_checks_add(out, GEN_CHECK_OK, "key present", "", "%s is set (%s)", c->key_variable, shown);
}

/* "2026-12-01…" or seconds since 1970; days from now. False: neither. */
static bool days_until(const json_t *date, int64_t *out)
{
    struct tm t = {.tm_isdst = 0};
    uint64_t year, month, day;
    int64_t now = sf_wall_ns() / 1000000000, then = 0;
    struct sf_str s = {json_string_value(date), json_string_length(date)};
    if (json_is_integer(date)) {
        then = json_integer_value(date);
    } else if (s.n >= 10 && sf_scan_u64((struct sf_str){s.p, 4}, 9999, &year) &&
               sf_scan_u64((struct sf_str){s.p + 5, 2}, 12, &month) &&
               sf_scan_u64((struct sf_str){s.p + 8, 2}, 31, &day)) {
        t.tm_year = (int)year - 1900;
        t.tm_mon = (int)month - 1;
        t.tm_mday = (int)day;
        then = timegm(&t);
    } else {
        return false;
    }
    *out = (then - now) / 86400;
    return true;
}

static const json_t *find_model(const struct cloud *c, const json_t *list, const char *model)
{
    const json_t *array = json_get_array(list, c->provider->models_array);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *entry = json_array_get(array, i);
        struct sf_str id = json_get_str(entry, c->provider->models_id);
        struct sf_str bare = id;
        if (sf_str_has_prefix(id, "models/")) {
            bare = (struct sf_str){id.p + 7, id.n - 7};
        }
        if (sf_str_is(id, model) || sf_str_is(bare, model)) {
            return entry;
        }
    }
    return NULL;
}

/* The listed name that is nearest to the one configured; "" for an empty list. */
static const char *nearest_model(const struct cloud *c, const json_t *list, const char *model)
{
    const json_t *array = json_get_array(list, c->provider->models_array);
    const char *best = "";
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *id = json_get_string(json_array_get(array, i), c->provider->models_id);
        size_t distance = id == NULL ? SIZE_MAX : sf_str_distance(id, model);
        if (distance < least) {
            least = distance;
            best = id;
        }
    }
    return best;
}

static void check_model(struct cloud *c, const json_t *list, struct gen_checks *out)
{
    char model[128];
    int64_t days = 0;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = cloud_model(c, model, &eb);
    if (err != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "model listed", "set the model's name", "%s",
                       sf_err_text(&eb, err));
        return;
    }
    const json_t *entry = find_model(c, list, model);
    if (entry == NULL) {
        gen_checks_add(out, GEN_CHECK_FAIL, "model listed",
                       "choose a model of the list, or check the name",
                       "%.100s is not among the %zu models listed; the nearest name is %.100s",
                       model, json_array_size(json_get_array(list, c->provider->models_array)),
                       nearest_model(c, list, model));
        return;
    }
    if (!days_until(json_object_get(entry, "shutdown_date"), &days) || days > SHUTDOWN_SOON_DAYS) {
        gen_checks_add(out, GEN_CHECK_OK, "model listed", "", "%s", model);
    } else {
        gen_checks_add(out, days < 0 ? GEN_CHECK_FAIL : GEN_CHECK_WARN, "model listed",
                       "choose a newer model", "%.100s %s (%lld days)", model,
                       days < 0 ? "was shut down" : "is about to be shut down",
                       (long long)(days < 0 ? -days : days));
    }
}

static void check_answer(struct cloud *c, const struct http_answer *answer, struct gen_checks *out)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct provider_fault fault;
    json_t *list = NULL;
    if (has_no_list(c, answer->status)) {
        gen_checks_add(out, GEN_CHECK_WARN, "key accepted", "",
                       "not known: the server has no list of models (%d)", answer->status);
        return;
    }
    if (answer->status != 200) {
        cloud_read_fault(c, answer, &fault);
        enum sf_err err = cloud_fail(c, &fault, &eb);
        bool account = err == SF_EACCOUNT, unknown = may_not_list(answer->status);
        const char *remedy = !account ? "" : "make a new key, or check the account";
        if (account && unknown) {
            remedy = "it may be fine all the same: try storyfi generate --mode api";
        } else if (account && c->key[0] == '\0') {
            remedy = "it wants a key: name its variable in api_key_env";
        }
        gen_checks_add(out, unknown ? GEN_CHECK_WARN : GEN_CHECK_FAIL,
                       account ? "key accepted" : "models listed", remedy, "%.240s", eb.text);
        return;
    }
    gen_checks_add(out, GEN_CHECK_OK, "key accepted", "", "%s answers the list of models",
                   c->endpoint);
    if (json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &list, &eb) != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "model listed", "is the endpoint's path right?",
                       "the list of models is no JSON: %.150s", eb.text);
        return;
    }
    check_model(c, list, out);
    json_decref(list);
}

void cloud_check(struct cloud *c, struct gen_checks *out)
{
    struct http_answer answer;
    struct sf_errbuf eb = {.code = SF_OK};
    check_key(c, out);
    enum sf_err err = cloud_get(c, NULL, CHECK_MS, &answer, &eb);
    if (err != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "endpoint reachable",
                       "check the network, the proxy and the endpoint", "%.240s",
                       sf_err_text(&eb, err));
    } else {
        gen_checks_add(out, GEN_CHECK_OK, "endpoint reachable", "", "%s", c->endpoint);
        check_answer(c, &answer, out);
    }
    http_answer_fini(&answer);
}

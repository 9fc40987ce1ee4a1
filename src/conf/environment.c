/* SPDX-License-Identifier: MIT */
#include "conf/environment.h"

#include "base/mem.h"

#include <string.h>
#include <unistd.h>

static bool is_named(const char *variable, const char *const *names, size_t n)
{
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < n; i++) {
        size_t name = strlen(names[i]);
        bool prefix = name > 0 && names[i][name - 1] == '*';
        size_t compared = prefix ? name - 1 : name;
        if (length >= compared && (prefix || length == compared) &&
            memcmp(variable, names[i], compared) == 0) {
            return true;
        }
    }
    return false;
}

static char *pair_text(const struct conf_pair *p)
{
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    sf_buf_printf(&b, "%s=%s", p->name, p->value);
    return sf_buf_take(&b);
}

char **conf_environment_pick(const char *const *names, size_t n, const struct conf_pairs *extra)
{
    size_t room = 1 + (extra == NULL ? 0 : extra->n), used = 0;
    for (char **v = environ; *v != NULL; v++) {
        room++;
    }
    char **list = sf_alloc(room * sizeof *list);
    bool ok = list != NULL;
    for (char **v = environ; ok && *v != NULL; v++) {
        if (is_named(*v, names, n)) {
            list[used] = sf_strdup(*v);
            ok = list[used++] != NULL;
        }
    }
    for (size_t i = 0; ok && extra != NULL && i < extra->n; i++) {
        list[used] = pair_text(&extra->v[i]);
        ok = list[used++] != NULL;
    }
    if (!ok) {
        conf_environment_free(list);
        return NULL;
    }
    return list;
}

void conf_environment_free(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        sf_wipe(list[i], strlen(list[i]));
        free(list[i]), list[i] = NULL;
    }
    free(list);
}

static bool looks_wanted(struct sf_str name)
{
    static const char *const marks[] = {"_KEY", "_TOKEN", "API_", "_URL", "MODEL"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (sf_str_find(name, sf_str(marks[i])) < name.n) {
            return true;
        }
    }
    return false;
}

void conf_environment_withheld(const char *const *names, size_t n, struct sf_buf *out)
{
    for (char **v = environ; *v != NULL; v++) {
        struct sf_str name = {*v, strcspn(*v, "=")};
        if (!is_named(*v, names, n) && looks_wanted(name) && out->n < 160) {
            sf_buf_printf(out, "%s%.*s", out->n == 0 ? "" : ", ", SF_STR_ARG(name));
        }
    }
}

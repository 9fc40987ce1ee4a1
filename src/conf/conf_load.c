/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"
#include "conf/dotenv.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_VARS 4096
#define MAX_RECORDS 32
#define MAX_WHERE 192

struct loader {
    const struct conf_source *source;
    struct conf *conf;
    struct conf_report report;
    const char *cwd;
    enum sf_err err;       /* SF_ENOMEM and the like: ends the load; findings do not */
    const char *path;      /* of the file being read, as shown */
    const char *text_file; /* .env being read */
};

/* ------------------------------------------------------------------ variables */

static struct conf_var *add_var(struct loader *l, struct sf_str name, struct sf_str value)
{
    struct conf_internal *in = l->conf->internal;
    struct conf_var *v = conf_alloc(l->conf, sizeof *v);
    if (v == NULL) {
        l->err = SF_ENOMEM;
        return NULL;
    }
    v->name = conf_keep(l->conf, name);
    v->value = conf_keep(l->conf, value);
    v->file = "";
    if (v->name == NULL || v->value == NULL) {
        l->err = SF_ENOMEM;
        return NULL;
    }
    *in->vars_tail = v;
    in->vars_tail = &v->next;
    return v;
}

static void read_environment(struct loader *l)
{
    const char *const *env = l->source->environment;
    if (env == NULL) {
        env = (const char *const *)environ;
    }
    for (size_t i = 0; l->err == SF_OK && env != NULL && env[i] != NULL && i < MAX_VARS; i++) {
        const char *eq = strchr(env[i], '=');
        if (eq != NULL && eq != env[i]) {
            (void)add_var(l, (struct sf_str){env[i], (size_t)(eq - env[i])}, sf_str(eq + 1));
        }
    }
    const char *home = conf_env(l->conf, "HOME");
    l->conf->internal->home = home != NULL && home[0] == '/' ? home : NULL;
}

/* Of a name that a file holds twice the last counts, as in the shell. */
static struct conf_var *same_in_file(struct loader *l, struct sf_str name)
{
    for (struct conf_var *v = l->conf->internal->vars; v != NULL; v = v->next) {
        if (v->file == l->text_file && sf_str_is(name, v->name)) {
            return v;
        }
    }
    return NULL;
}

static void take_dotenv(void *arg, const struct dotenv_entry *entry, unsigned line,
                        const char *problem)
{
    struct loader *l = arg;
    if (l->err != SF_OK) {
        return;
    }
    if (entry == NULL) {
        char where[MAX_WHERE];
        (void)snprintf(where, sizeof where, "%.150s:%u", l->text_file, line);
        conf_say(&l->report, CONF_WARNING, where, "", "line skipped: %s", problem);
        return;
    }
    struct conf_var *v = same_in_file(l, entry->name);
    if (v == NULL) {
        v = add_var(l, entry->name, entry->value);
    } else if ((v->value = conf_keep(l->conf, entry->value)) == NULL) {
        l->err = SF_ENOMEM;
    }
    if (v != NULL) {
        v->file = l->text_file;
        v->line = line;
    }
}

static void say_dotenv(struct loader *l, enum sf_err err, const struct sf_errbuf *eb)
{
    if (err == SF_ENOMEM) {
        l->err = err;
    } else if (err != SF_OK && err != SF_ENOTFOUND) {
        conf_say(&l->report, CONF_WARNING, l->text_file, "", "not read: %s", sf_err_text(eb, err));
    }
}

/* Whether `path` lies in a folder that this user may not look into (a service's user started from
 * root's home): for what is only looked for, that is as if it were not there. */
static bool in_closed_folder(const char *path)
{
    return access(path, F_OK) != 0 && errno == EACCES;
}

/* Reads `dir`/.env when it is there. What is wrong with it never ends the load. */
static void read_dotenv(struct loader *l, const char *dir)
{
    struct sf_errbuf eb = {0};
    struct sf_buf text;
    sf_buf_init(&text, DOTENV_MAX_BYTES);
    l->text_file = strcmp(dir, ".") == 0 ? ".env" : conf_keepf(l->conf, "%s/.env", dir);
    if (l->text_file == NULL) {
        l->err = SF_ENOMEM;
        return;
    }
    enum sf_err err =
        in_closed_folder(l->text_file) ? SF_ENOTFOUND : sf_file_read(l->text_file, &text, &eb);
    if (err == SF_OK) {
        err = dotenv_parse(sf_buf_str(&text), take_dotenv, l, &eb);
    }
    say_dotenv(l, err, &eb);
    sf_buf_wipe(&text);
}

static bool same_folder(const char *a, const char *b)
{
    char *ra = realpath(a, NULL), *rb = realpath(b, NULL);
    bool same = ra != NULL && rb != NULL && strcmp(ra, rb) == 0;
    free(ra);
    free(rb);
    return same;
}

static void read_dotenvs(struct loader *l)
{
    if (l->source->dotenv.p != NULL) {
        struct sf_errbuf eb = {0};
        l->text_file = ".env";
        say_dotenv(l, dotenv_parse(l->source->dotenv, take_dotenv, l, &eb), &eb);
        return;
    }
    if (l->source->no_file) {
        return;
    }
    const char *dir = l->conf->dir;
    bool two = l->conf->file[0] != '\0' && !same_folder(dir, l->cwd);
    if (two) {
        read_dotenv(l, dir); /* the one beside the file comes first and so wins */
    }
    if (l->err == SF_OK) {
        read_dotenv(l, l->cwd);
    }
}

/* ------------------------------------------------------------------ the tree of values */

static void set_defaults(struct loader *l, const struct conf_table *table, char *base)
{
    for (size_t i = 0; l->err == SF_OK && i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        if (row->type == CONF_SECTION) {
            set_defaults(l, row->table, base + row->offset);
        } else {
            l->err = conf_value_default(l->conf, row, base + row->offset);
        }
    }
}

static void apply_map(struct loader *l, const struct conf_table *table, char *base,
                      const char *prefix, const struct yaml_node *map);

static const struct conf_row *row_of(const struct conf_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        if (strcmp(name, row->name) == 0 || (row->alias != NULL && strcmp(name, row->alias) == 0)) {
            return row;
        }
    }
    return NULL;
}

static void where_is(const struct loader *l, const struct yaml_node *node, char out[MAX_WHERE])
{
    (void)snprintf(out, MAX_WHERE, "%.150s:%u", l->path, node->line);
}

/* Names that hold a key in other programs: here the file is no place for one. */
static bool names_a_key(const char *name)
{
    static const char *const names[] = {"api_key", "apikey", "key", "token", "secret", "password"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (sf_str_is_nocase(sf_str(name), names[i])) {
            return true;
        }
    }
    return false;
}

static void say_unknown(struct loader *l, const struct conf_table *table, const char *prefix,
                        const struct yaml_node *node)
{
    char where[MAX_WHERE], key[CONF_MAX_KEY], elsewhere[CONF_MAX_KEY];
    enum conf_level level = l->source->strict ? CONF_ERROR : CONF_WARNING;
    where_is(l, node, where);
    (void)snprintf(key, sizeof key, "%.50s%s%.40s", prefix, prefix[0] != '\0' ? "." : "",
                   node->key);
    const char *near = conf_nearest(table, node->key);
    if (names_a_key(node->key) && row_of(table, "api_key_env") != NULL) {
        conf_say(&l->report, level, where, key,
                 "secrets are not read from this file: put it into .env and name the variable with "
                 "api_key_env");
    } else if (near != NULL) {
        conf_say(&l->report, level, where, key, "unknown key, ignored; the nearest known is \"%s\"",
                 near);
    } else if (conf_nearest_key(node->key, elsewhere, sizeof elsewhere) != NULL) {
        conf_say(&l->report, level, where, key,
                 "unknown key here, ignored; the nearest known is \"%s\"", elsewhere);
    } else {
        conf_say(&l->report, level, where, key,
                 "unknown key, ignored; `storyfi config print` lists the known ones");
    }
}

static void apply_records(struct loader *l, const struct conf_row *row, char *base, const char *key,
                          const struct yaml_node *node)
{
    char where[MAX_WHERE];
    where_is(l, node, where);
    bool one = node->kind == YAML_MAP && (row->flags & CONF_ONE_OK) != 0;
    size_t n = 0;
    for (const struct yaml_node *c = node->child; !one && c != NULL; c = c->next) {
        n++;
    }
    if ((!one && node->kind != YAML_LIST) || n > MAX_RECORDS) {
        conf_say(&l->report, CONF_ERROR, where, key, "takes %s, at most %d",
                 (row->flags & CONF_ONE_OK) != 0 ? "keys with values, or a list of them"
                                                 : "a list of keys with values",
                 MAX_RECORDS);
        return;
    }
    n = one ? 1 : n;
    char *v = conf_alloc(l->conf, (n + 1) * row->table->size);
    if (v == NULL) {
        l->err = SF_ENOMEM;
        return;
    }
    struct conf_records list = {.v = v, .n = n, .set = true};
    memcpy(base, &list, sizeof list);
    const struct yaml_node *c = one ? node : node->child;
    for (size_t i = 0; l->err == SF_OK && i < n; i++, c = c->next, v += row->table->size) {
        char element[CONF_MAX_KEY];
        (void)snprintf(element, sizeof element, "%.64s[%u]", key, (unsigned)i);
        where_is(l, c, where);
        l->err = conf_set_origin(l->conf, element, where);
        set_defaults(l, row->table, v);
        apply_map(l, row->table, v, element, c);
    }
}

static void apply_value(struct loader *l, const struct conf_row *row, char *base, const char *key,
                        const struct yaml_node *node)
{
    char where[MAX_WHERE];
    where_is(l, node, where);
    if (row->type == CONF_SECTION) {
        if ((row->flags & CONF_PRESENT) != 0) {
            bool present = node->kind != YAML_NULL;
            memcpy(base, &present, sizeof present);
        }
        apply_map(l, row->table, base, key, node);
    } else if (row->type == CONF_RECORDS) {
        if (node->kind != YAML_NULL) {
            apply_records(l, row, base, key, node);
        }
    } else {
        struct conf_give give = {l->conf, &l->report, row, base, key, where};
        l->err = conf_value_set(&give, node);
    }
    if (l->err == SF_OK && node->kind != YAML_NULL) {
        l->err = conf_set_origin(l->conf, key, where);
    }
}

static bool was_there_before(const struct yaml_node *map, const struct yaml_node *node,
                             const struct conf_table *table)
{
    for (const struct yaml_node *c = map->child; c != node; c = c->next) {
        if (strcmp(c->key, node->key) == 0 || row_of(table, c->key) == row_of(table, node->key)) {
            return row_of(table, node->key) != NULL;
        }
    }
    return false;
}

static void apply_map(struct loader *l, const struct conf_table *table, char *base,
                      const char *prefix, const struct yaml_node *map)
{
    char where[MAX_WHERE];
    if (map->kind == YAML_NULL) {
        return; /* a section whose lines are all commented out */
    }
    if (map->kind != YAML_MAP) {
        where_is(l, map, where);
        conf_say(&l->report, CONF_ERROR, where, prefix,
                 "takes keys with values under it (KEY: value)");
        return;
    }
    for (const struct yaml_node *c = map->child; l->err == SF_OK && c != NULL; c = c->next) {
        const struct conf_row *row = row_of(table, c->key);
        if (row == NULL) {
            say_unknown(l, table, prefix, c);
            continue;
        }
        char key[CONF_MAX_KEY];
        (void)snprintf(key, sizeof key, "%.50s%s%.40s", prefix, prefix[0] != '\0' ? "." : "",
                       row->name);
        if (was_there_before(map, c, table)) {
            where_is(l, c, where);
            conf_say(&l->report, CONF_WARNING, where, key, "set twice here; this one counts");
        }
        apply_value(l, row, base + row->offset, key, c);
    }
}

/* ------------------------------------------------------------------ the file */

static const char *joined(struct loader *l, const char *dir, const char *name)
{
    const char *path = strcmp(dir, ".") == 0 ? conf_keep(l->conf, sf_str(name))
                                             : conf_keepf(l->conf, "%s/%s", dir, name);
    if (path == NULL) {
        l->err = SF_ENOMEM;
    }
    return path;
}

static enum sf_err read_file(struct loader *l, const char *path, struct sf_buf *text,
                             struct sf_errbuf *eb)
{
    sf_buf_clear(text);
    enum sf_err err = sf_file_read(path, text, eb);
    if (err != SF_OK) {
        return err;
    }
    char *dir = sf_path_dir(path);
    l->conf->file = path;
    l->conf->dir = dir == NULL ? NULL : conf_keep(l->conf, sf_str(dir));
    free(dir), dir = NULL;
    l->path = path;
    if (l->conf->dir == NULL) {
        l->conf->dir = ".";
        return SF_ENOMEM;
    }
    return SF_OK;
}

/* Finds and reads the file into `text`; without any, conf->file stays "". */
static enum sf_err find_file(struct loader *l, struct sf_buf *text, struct sf_errbuf *eb)
{
    if (l->source->config_path != NULL) {
        char *path = sf_path_expand(l->source->config_path, l->conf->internal->home);
        const char *kept = path == NULL ? NULL : conf_keep(l->conf, sf_str(path));
        free(path), path = NULL;
        return kept == NULL ? SF_ENOMEM : read_file(l, kept, text, eb);
    }
    const char *xdg = conf_env(l->conf, "XDG_CONFIG_HOME");
    const char *home = l->conf->internal->home;
    const char *user = NULL;
    if (xdg != NULL && xdg[0] == '/') {
        user = joined(l, xdg, "storyfi/generator_config.yaml");
    } else if (home != NULL) {
        user = joined(l, home, ".config/storyfi/generator_config.yaml");
    }
    const char *places[] = {joined(l, l->cwd, "config/generator_config.yaml"), user,
                            "/etc/storyfi/generator_config.yaml"};
    for (size_t i = 0; l->err == SF_OK && i < sizeof places / sizeof places[0]; i++) {
        bool skipped = places[i] == NULL || in_closed_folder(places[i]);
        enum sf_err err = skipped ? SF_ENOTFOUND : read_file(l, places[i], text, eb);
        if (err != SF_ENOTFOUND) {
            return err;
        }
    }
    return l->err;
}

static void apply_file(struct loader *l, struct sf_str text)
{
    struct sf_errbuf eb = {0};
    struct yaml_node *root = NULL;
    enum sf_err err = sf_yaml_parse(text, YAML_LIMITS_DEFAULT, &root, &eb);
    if (err == SF_ENOMEM) {
        l->err = err;
    } else if (err != SF_OK) {
        conf_say(&l->report, CONF_ERROR, l->path, "", "%s", sf_err_text(&eb, err));
    } else if (root != NULL) {
        apply_map(l, &conf_root, (char *)l->conf, "", root);
    }
    sf_yaml_free(root);
}

/* ------------------------------------------------------------------ environment and flags */

/* A value given as text: [a, b] and {A: b} are read as YAML, a list also as a,b. */
static void apply_text(struct loader *l, const char *key, const char *text, const char *where)
{
    size_t offset;
    const struct conf_row *row = conf_find(sf_str(key), &offset);
    SF_BUG_ON(row == NULL);
    struct conf_give give = {l->conf, &l->report, row, (char *)l->conf + offset, key, where};
    struct yaml_node *node = NULL;
    struct sf_buf list;
    sf_buf_init(&list, 64U << 10);
    if (row->type == CONF_LIST && text[0] != '[') {
        sf_buf_printf(&list, "[%s]", text);
        text = sf_buf_z(&list);
    }
    struct sf_errbuf eb = {0};
    enum sf_err err = SF_OK;
    if (row->type == CONF_LIST) {
        err = sf_yaml_parse(sf_str(text), YAML_LIMITS_DEFAULT, &node, &eb);
    } else {
        node = sf_alloc(sizeof *node);
        if (node == NULL || (node->text = sf_strdup(text)) == NULL) {
            err = SF_ENOMEM;
        } else {
            *node = (struct yaml_node){.kind = YAML_STRING, .quoted = true, .text = node->text};
        }
    }
    if (err == SF_ENOMEM) {
        l->err = err;
    } else if (err != SF_OK) {
        conf_say(&l->report, CONF_ERROR, where, key, "%s", sf_err_text(&eb, err));
    } else if (node != NULL) {
        l->err = conf_value_set(&give, node);
    }
    if (l->err == SF_OK) {
        l->err = conf_set_origin(l->conf, key, where);
    }
    sf_yaml_free(node);
    sf_buf_fini(&list);
}

/* A key given outside the file makes its section present: "generator.vllm.endpoint". */
static void mark_present(struct loader *l, const char *key)
{
    for (const char *dot = strchr(key, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        size_t offset;
        const struct conf_row *row = conf_find((struct sf_str){key, (size_t)(dot - key)}, &offset);
        if (row != NULL && (row->flags & CONF_PRESENT) != 0) {
            bool present = true;
            memcpy((char *)l->conf + offset, &present, sizeof present);
        }
    }
}

struct env_pass {
    struct loader *l;
    bool files; /* the variables of .env files, else of the environment */
};

static const struct conf_var *find_var(const struct env_pass *p, const char *name)
{
    for (const struct conf_var *v = p->l->conf->internal->vars; v != NULL; v = v->next) {
        bool from_file = v->file[0] != '\0';
        if (from_file == p->files && v->value[0] != '\0' && strcmp(v->name, name) == 0) {
            return v;
        }
    }
    return NULL;
}

static void apply_var(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct env_pass *p = arg;
    char general[CONF_MAX_KEY + 16], where[MAX_WHERE];
    bool scalar = row->type < CONF_MAP;
    (void)base;
    if (!scalar || p->l->err != SF_OK || strchr(key, '[') != NULL) {
        return;
    }
    conf_env_name(key, general, sizeof general);
    const struct conf_var *v = row->env != NULL ? find_var(p, row->env) : NULL;
    bool sdk = v != NULL;
    v = sdk ? v : find_var(p, general);
    if (v == NULL) {
        return;
    }
    if (p->files) {
        (void)snprintf(where, sizeof where, "%.140s:%u", v->file, v->line);
    } else {
        (void)snprintf(where, sizeof where, "environment %.150s", v->name);
    }
    static const char *const no[] = {"false", "no", "off", "0"};
    const char *text = v->value;
    if (sdk && (row->flags & CONF_TRUTHY) != 0) {
        text = "true";
        for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
            text = sf_str_is_nocase(sf_str(v->value), no[i]) ? "false" : text;
        }
    }
    mark_present(p->l, key);
    apply_text(p->l, key, text, where);
}

static void apply_setting(struct loader *l, const struct conf_setting *s)
{
    const char *key = s->key;
    char where[MAX_WHERE], name[CONF_MAX_KEY], near[CONF_MAX_KEY];
    size_t offset;
    while (*key == '-') {
        key++;
    }
    (void)snprintf(where, sizeof where, "flag --%.150s", key);
    const struct conf_row *row = conf_find(sf_str(key), &offset);
    if (row == NULL || row->type >= CONF_MAP || (row->flags & CONF_SECRET) != 0) {
        bool hint = conf_nearest_key(key, near, sizeof near) != NULL;
        conf_say(&l->report, CONF_ERROR, where, "", "unknown flag%s%s",
                 hint ? "; the nearest known is --" : "", hint ? near : "");
        return;
    }
    bool is_switch = row->type == CONF_BOOL || row->type == CONF_SWITCH3;
    if (s->value == NULL && !is_switch) {
        conf_say(&l->report, CONF_ERROR, where, key, "needs a value behind it");
        return;
    }
    /* The full name, where an alias was given. */
    const char *dot = strrchr(key, '.');
    size_t n_prefix = dot == NULL ? 0 : (size_t)(dot - key) + 1;
    (void)snprintf(name, sizeof name, "%.*s%s", (int)(n_prefix < 64 ? n_prefix : 64), key,
                   row->name);
    mark_present(l, name);
    apply_text(l, name, s->value == NULL ? "true" : s->value, where);
}

/* ------------------------------------------------------------------ all of it */

/* The YAML text, from wherever the source says; findings instead of errors. */
static void find_text(struct loader *l, struct sf_buf *text)
{
    struct sf_errbuf eb = {0};
    if (l->source->yaml.p != NULL) {
        l->conf->file = l->path = "(text)";
        sf_buf_add_str(text, l->source->yaml);
        l->err = text->err == SF_ENOMEM ? SF_ENOMEM : SF_OK;
        return;
    }
    if (l->source->no_file) {
        return;
    }
    enum sf_err err = find_file(l, text, &eb);
    if (err == SF_ENOMEM) {
        l->err = err;
    } else if (err != SF_OK) {
        bool named = l->source->config_path != NULL;
        conf_say(&l->report, CONF_ERROR, named ? "flag --config" : "", "", "%s%s",
                 sf_err_text(&eb, err),
                 named && err == SF_ENOTFOUND
                     ? "; storyfi config init with the same --config writes a commented one"
                     : "");
    } else if (l->conf->file[0] != '\0') {
        conf_say(&l->report, CONF_NOTE, l->conf->file, "", "configuration read");
    } else {
        conf_say(&l->report, CONF_NOTE, "", "", "no configuration file found: defaults");
    }
}

static void load_all(struct loader *l)
{
    struct sf_buf text;
    sf_buf_init(&text, YAML_LIMITS_DEFAULT.max_bytes);
    read_environment(l);
    if (l->err == SF_OK) {
        set_defaults(l, &conf_root, (char *)l->conf);
    }
    if (l->err == SF_OK) {
        find_text(l, &text);
    }
    if (l->err == SF_OK) {
        read_dotenvs(l);
    }
    if (l->err == SF_OK && l->conf->file[0] != '\0') {
        apply_file(l, sf_buf_str(&text));
    }
    sf_buf_wipe(&text);
    for (int pass = 0; l->err == SF_OK && pass < 2; pass++) {
        struct env_pass p = {.l = l, .files = pass == 0};
        conf_visit(NULL, apply_var, &p);
    }
    for (size_t i = 0; l->err == SF_OK && i < l->source->n_settings; i++) {
        apply_setting(l, &l->source->settings[i]);
    }
    if (l->err == SF_OK) {
        l->err = conf_finish(l->conf, &l->report);
    }
}

enum sf_err conf_load(const struct conf_source *source, const struct conf **out,
                      struct conf_diagnostics *diagnostics, struct sf_errbuf *eb)
{
    struct conf_diagnostics unread = {0};
    struct loader l = {.source = source,
                       .conf = conf_new(),
                       .report = {.list = diagnostics != NULL ? diagnostics : &unread, .eb = eb},
                       .cwd = source->cwd != NULL ? source->cwd : ".",
                       .path = ""};
    enum sf_err err = SF_OK;
    if (l.conf == NULL) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    load_all(&l);
    if (l.err != SF_OK) {
        err = sf_fail(eb, l.err, "%s", sf_err_info(l.err)->text);
    } else {
        err = l.report.first;
    }
    if (err == SF_OK) {
        *out = l.conf;
    } else {
        conf_unref(l.conf);
    }
    conf_diagnostics_fini(&unread);
    return err;
}

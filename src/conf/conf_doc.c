/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include <string.h>

/* ------------------------------------------------------------------ flags */

struct flags_pass {
    conf_flag_fn fn;
    void *arg;
};

static bool is_switch(const struct conf_row *row)
{
    return row->type == CONF_BOOL || row->type == CONF_SWITCH3;
}

static bool is_flag(const char *key, const struct conf_row *row)
{
    return row->type < CONF_MAP && (row->flags & CONF_SECRET) == 0 && strchr(key, '[') == NULL;
}

static const char *value_hint(const struct conf_row *row)
{
    static const char *const hints[] = {
        [CONF_INT] = "N",         [CONF_REAL] = "X",     [CONF_SECONDS] = "SECONDS",
        [CONF_MILLIS] = "MS",     [CONF_BYTES] = "SIZE", [CONF_TEXT] = "TEXT",
        [CONF_CHOICE] = "WORD",   [CONF_PATH] = "PATH",  [CONF_URL] = "URL",
        [CONF_VARIABLE] = "NAME", [CONF_LIST] = "A,B"};
    if (row->choices != NULL && row->type != CONF_LIST) {
        return row->choices;
    }
    return hints[row->type];
}

static void one_flag(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    const struct flags_pass *p = arg;
    (void)base;
    if (is_flag(key, row)) {
        p->fn(p->arg, &(struct conf_flag){.key = key,
                                          .value = is_switch(row) ? NULL : value_hint(row),
                                          .env = row->env,
                                          .help = row->doc,
                                          .common = (row->flags & CONF_COMMON) != 0});
    }
}

void conf_flags(conf_flag_fn fn, void *arg)
{
    conf_visit(NULL, one_flag, &(struct flags_pass){fn, arg});
}

bool conf_flag_find(struct sf_str flag, bool *takes_value)
{
    size_t offset;
    if (!sf_str_has_prefix(flag, "--")) {
        return false;
    }
    const struct conf_row *row = conf_find((struct sf_str){flag.p + 2, flag.n - 2}, &offset);
    if (row == NULL || !is_flag("", row)) {
        return false;
    }
    *takes_value = !is_switch(row);
    return true;
}

/* ------------------------------------------------------------------ doc/config.md */

static void put_cell(struct sf_buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        sf_buf_puts(out, *p == '|' ? "\\" : "");
        sf_buf_putc(out, *p);
    }
}

static void doc_row(struct sf_buf *out, const char *prefix, const struct conf_row *row)
{
    struct sf_buf takes;
    sf_buf_init(&takes, 4096);
    conf_value_takes(row, &takes);
    sf_buf_printf(out, "| `%s%s`", prefix, row->name);
    if (row->alias != NULL) {
        sf_buf_printf(out, " (or `%s`)", row->alias);
    }
    sf_buf_puts(out, " | ");
    put_cell(out, sf_buf_z(&takes));
    if (row->type == CONF_RECORDS || row->type == CONF_LIST || row->type == CONF_MAP) {
        sf_buf_puts(out, " | not set");
    } else if (row->fallback[0] == '\0') {
        sf_buf_puts(out, " | empty");
    } else {
        sf_buf_printf(out, " | `%s`", row->fallback);
    }
    sf_buf_printf(out, " | %s | ", (row->flags & CONF_RELOAD) != 0 ? "yes" : "");
    put_cell(out, row->doc);
    if (row->env != NULL) {
        sf_buf_printf(out, " Environment: `%s`.", row->env);
    }
    sf_buf_puts(out, " |\n");
    sf_buf_fini(&takes);
}

static void doc_table(struct sf_buf *out, const char *key, const struct conf_table *table);

static void doc_rows(struct sf_buf *out, const char *prefix, const struct conf_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        /* Small sections of values stand with their parent: "limits.cost_per_day". */
        if (row->type == CONF_SECTION && table->rows != conf_root.rows && row->table->n <= 2) {
            char inner[CONF_MAX_KEY];
            (void)snprintf(inner, sizeof inner, "%.40s%.40s.", prefix, row->name);
            doc_rows(out, inner, row->table);
        } else if (row->type != CONF_SECTION && row->doc != NULL) {
            doc_row(out, prefix, row);
        }
    }
}

static void doc_table(struct sf_buf *out, const char *key, const struct conf_table *table)
{
    sf_buf_printf(out, "\n## %s%s%s\n\n", key[0] != '\0' ? "`" : "",
                  key[0] != '\0' ? key : "Top level", key[0] != '\0' ? ":`" : "");
    if (table->doc != NULL) {
        sf_buf_printf(out, "%s\n\n", table->doc);
    }
    sf_buf_puts(out, "| key | takes | default | reload | meaning |\n"
                     "| --- | --- | --- | --- | --- |\n");
    doc_rows(out, "", table);
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        bool own =
            (row->type == CONF_SECTION && (table->rows == conf_root.rows || row->table->n > 2)) ||
            (row->type == CONF_RECORDS && row->doc == NULL);
        if (own) {
            char inner[CONF_MAX_KEY];
            (void)snprintf(inner, sizeof inner, "%.40s%s%.40s", key, key[0] != '\0' ? "." : "",
                           row->name);
            doc_table(out, inner, row->table);
        }
    }
}

void conf_doc_markdown(struct sf_buf *out)
{
    sf_buf_puts(
        out,
        "<!-- Made by `storyfi config doc` from src/conf/table.c: change it there. -->\n"
        "# Configuration\n\n"
        "One YAML file, `generator_config.yaml`. `storyfi config init` writes a commented one,\n"
        "`storyfi config check` says what is wrong with one, `storyfi config print` shows every "
        "value\n"
        "with where it came from.\n\n"
        "## Where values come from\n\n"
        "Later wins:\n\n"
        "1. the defaults below;\n"
        "2. the file: `--config FILE`, else the first that is there of "
        "`./config/generator_config.yaml`,\n"
        "   `$XDG_CONFIG_HOME/storyfi/generator_config.yaml` (`~/.config/storyfi/…`) and\n"
        "   `/etc/storyfi/generator_config.yaml`; without any, the default model answers;\n"
        "3. `.env` beside that file or in the working directory (of both, the one beside the "
        "file);\n"
        "4. the environment;\n"
        "5. flags.\n\n"
        "Every key that is not in a list is a flag, `--axon.port 8091` or `--axon.port=8091`, and "
        "a\n"
        "variable in the environment or `.env`: `STORYFI_` and the key in capitals, its dots as\n"
        "underscores (`STORYFI_GENERATOR_MODE`). Where the table names a `BT_…` variable, that one "
        "is\n"
        "looked at first. Switches (true or false) take no value on the command line:\n"
        "`--logging.info`; `--logging.info=false` turns one off. A variable that is set but empty "
        "counts\n"
        "as not set. Of the `BT_LOGGING_…` variables any text means true, but for `false`, `no`, "
        "`off`\n"
        "and `0`.\n\n"
        "An unknown key is an error in `storyfi config check` and a warning everywhere else. A "
        "value of\n"
        "the wrong type or out of range is an error everywhere. A key with nothing behind it (or "
        "`null`)\n"
        "is not set. Sizes are `500MB` (a million bytes each) or `500MiB`; `~` in paths is the "
        "home\n"
        "folder. \"reload\" says whether a running miner takes a change over at SIGHUP.\n\n"
        "## Keys of providers\n\n"
        "They are read from the environment or `.env` only, never from the YAML file, and are "
        "never\n"
        "shown in full. `.env` has one `NAME=value` a line, with `export` in front and quotes "
        "around the\n"
        "value if you like. What the examples show (`sk-your-key-here`, `your-key-here`) counts as "
        "not\n"
        "set.\n");
    doc_table(out, "", &conf_root);
}

/* ------------------------------------------------------------------ the example files */

/* What is not commented out in the example. */
static const char *const active[] = {
    "generator.",
    "generator.mode",
    "generator.local.",
    "generator.local.model_name",
    "generator.local.device",
    "generator.local.quantization",
    "generator.local.use_flash_attention",
};

static bool is_active(const char *key)
{
    for (size_t i = 0; i < sizeof active / sizeof active[0]; i++) {
        if (strcmp(active[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void put_indent(struct sf_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sf_buf_puts(out, "  ");
    }
}

/* A sentence as comment lines of at most 100 columns. */
static void put_comment(struct sf_buf *out, size_t indent, const char *text)
{
    struct sf_str rest = sf_str(text), word;
    size_t column = 0;
    while (sf_str_next(&rest, ' ', &word)) {
        if (column == 0 || column + word.n + 1 > 98) {
            sf_buf_puts(out, column > 0 ? "\n" : "");
            put_indent(out, indent);
            sf_buf_puts(out, "#");
            column = 2 * indent + 1;
        }
        sf_buf_printf(out, " %.*s", SF_STR_ARG(word));
        column += word.n + 1;
    }
    sf_buf_putc(out, '\n');
}

static void put_sample(struct sf_buf *out, const struct conf_row *row)
{
    const char *sample = row->sample != NULL ? row->sample : row->fallback;
    bool list = row->type == CONF_LIST || row->type == CONF_MAP || row->type == CONF_RECORDS;
    bool quote = conf_is_text(row->type) && sample[0] != '\0';
    if (list) {
        sf_buf_printf(out, " %s", sample[0] != '\0' ? sample : row->type == CONF_MAP ? "{}" : "[]");
    } else if (quote) {
        sf_buf_printf(out, " \"%s\"", sample);
    } else {
        sf_buf_printf(out, " %s", sample[0] != '\0' ? sample : "\"\"");
    }
}

static void example_table(struct sf_buf *out, const char *prefix, const struct conf_table *table,
                          size_t indent)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        bool section = row->type == CONF_SECTION || (row->type == CONF_RECORDS && row->doc == NULL);
        char key[CONF_MAX_KEY];
        (void)snprintf(key, sizeof key, "%.60s%.30s%s", prefix, row->name, section ? "." : "");
        sf_buf_puts(out, section ? "\n" : "");
        put_comment(out, indent, section ? row->table->doc : row->doc);
        put_indent(out, indent);
        sf_buf_printf(out, "%s%s:", is_active(key) ? "" : "# ", row->name);
        if (section) {
            sf_buf_puts(out, "\n");
            example_table(out, key, row->table, indent + 1);
        } else {
            put_sample(out, row);
            sf_buf_puts(out, "\n");
        }
    }
}

void conf_example(struct sf_buf *out)
{
    sf_buf_puts(out,
                "# Configuration of storyfi. Copy it to config/generator_config.yaml; as it stands "
                "it runs the\n"
                "# small default model on this machine. What is commented out shows the default or "
                "a sample: to\n"
                "# use it, take away the \"# \" of its line and of the section it stands in.\n"
                "# `storyfi config check` finds mistakes; doc/config.md explains everything.\n\n");
    example_table(out, "", &conf_root, 0);
}

static void env_row(void *arg, const char *key, const struct conf_row *row, const void *base)
{
    struct sf_buf *out = arg;
    (void)base;
    (void)key;
    if (row->env != NULL) {
        put_comment(out, 0, row->doc);
        sf_buf_printf(out, "#%s=%s\n", row->env,
                      strcmp(row->fallback, "-1") == 0 ? "" : row->fallback);
    }
}

void conf_example_env(struct sf_buf *out)
{
    sf_buf_puts(
        out,
        "# Secrets and settings for storyfi. Copy it to .env and fill in what you use; keep it to\n"
        "# yourself (chmod 600 .env). As it stands all keys count as not set. A key that is set "
        "here\n"
        "# makes its provider the backup behind the local model.\n\n"
        "# Keys of cloud providers; the configuration names them by api_key_env.\n"
        "OPENAI_API_KEY=sk-your-key-here\n"
        "GEMINI_API_KEY=your-key-here\n"
        "ANTHROPIC_API_KEY=your-key-here\n\n"
        "# Settings of the Bittensor SDK, as its own programs read them; flags win over them. "
        "Every\n"
        "# other key of the configuration can stand here too: STORYFI_GENERATOR_MODE=local\n\n");
    conf_visit(NULL, env_row, out);
}

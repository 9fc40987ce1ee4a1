/* SPDX-License-Identifier: MIT */
#include "base/roff.h"
#include "conf/conf_internal.h"

#include <stdio.h>
#include <string.h>

/* The manual page generator_config.yaml(5). Same table and order as doc/config.md (conf_doc.c). */

static bool is_list(const struct conf_row *row)
{
    return row->type == CONF_RECORDS || row->type == CONF_LIST || row->type == CONF_MAP;
}

static void put_row(struct sf_buf *out, const char *prefix, const struct conf_row *row)
{
    struct sf_buf takes;
    char name[CONF_MAX_KEY];
    sf_buf_init(&takes, 4096);
    conf_value_takes(row, &takes);
    (void)snprintf(name, sizeof name, "%.40s%.40s", prefix, row->name);
    roff_item(out, name, NULL);
    roff_text(out, row->doc);
    sf_buf_puts(out, "Takes ");
    roff_plain(out, sf_buf_z(&takes));
    if (!is_list(row) && row->fallback[0] != '\0') {
        sf_buf_puts(out, "; default ");
        roff_bold(out, row->fallback);
    }
    sf_buf_puts(out, ".\n");
    if (row->alias != NULL) {
        sf_buf_puts(out, "Also called ");
        roff_bold(out, row->alias);
        sf_buf_puts(out, ".\n");
    }
    if (row->env != NULL) {
        sf_buf_puts(out, "Environment: ");
        roff_bold(out, row->env);
        sf_buf_puts(out, ".\n");
    }
    if ((row->flags & CONF_RELOAD) != 0) {
        sf_buf_puts(out, "Taken over at SIGHUP.\n");
    }
    sf_buf_fini(&takes);
}

/* Small sections of values stand with their parent: "limits.cost_per_day". */
static bool is_small(const struct conf_table *table, const struct conf_row *row)
{
    return row->type == CONF_SECTION && table != &conf_root && row->table->n <= 2;
}

static void put_rows(struct sf_buf *out, const char *prefix, const struct conf_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        if (is_small(table, row)) {
            char inner[CONF_MAX_KEY];
            (void)snprintf(inner, sizeof inner, "%.40s%.40s.", prefix, row->name);
            put_rows(out, inner, row->table);
        } else if (row->type != CONF_SECTION && row->doc != NULL) {
            put_row(out, prefix, row);
        }
    }
}

static void put_table(struct sf_buf *out, const char *key, const struct conf_table *table)
{
    roff_subsection(out, key[0] != '\0' ? key : "Top level");
    if (table->doc != NULL) {
        roff_text(out, table->doc);
    }
    put_rows(out, "", table);
    for (size_t i = 0; i < table->n; i++) {
        const struct conf_row *row = &table->rows[i];
        bool records = row->type == CONF_RECORDS && row->doc == NULL;
        if (records || (row->type == CONF_SECTION && !is_small(table, row))) {
            char inner[CONF_MAX_KEY];
            (void)snprintf(inner, sizeof inner, "%.40s%s%.40s", key, key[0] != '\0' ? "." : "",
                           row->name);
            put_table(out, inner, row->table);
        }
    }
}

void conf_man(struct sf_buf *out)
{
    roff_text(
        out,
        "One YAML file. `storyfi config init` writes a commented one, `storyfi config check` says "
        "what is wrong with one, `storyfi config print` shows every value with where it came "
        "from.\n\n"
        "Later wins: the defaults below; the file that --config names, else the first that is "
        "there of ./config/generator_config.yaml, $XDG_CONFIG_HOME/storyfi/generator_config.yaml "
        "and /etc/storyfi/generator_config.yaml; .env beside that file or in the working "
        "directory; the environment; flags.\n\n"
        "Every key that is not in a list is a flag, `--axon.port 8091` or `--axon.port=8091`, and "
        "a variable: STORYFI_ and the key in capitals, its dots as underscores. Where a key names "
        "a BT_ variable, that one is looked at first. Switches take no value on the command line; "
        "`--logging.info=false` turns one off.\n\n"
        "An unknown key is an error in `storyfi config check` and a warning everywhere else. A "
        "value of the wrong type or out of range is an error everywhere. Sizes are 500MB (a "
        "million bytes each) or 500MiB; ~ in paths is the home folder.\n\n"
        "Keys of providers are read from the environment or .env only, never from this file, and "
        "are never shown in full.\n");
    roff_section(out, "KEYS");
    put_table(out, "", &conf_root);
}

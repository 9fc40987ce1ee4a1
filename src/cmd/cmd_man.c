/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/man_page.h"

#include <errno.h>
#include <string.h>

static const struct arg_option options[] = {
    {"--list", NULL, "Print the names of all pages."},
    {"--write", "DIR", "Write all pages into man1 and man5 of this folder."},
};
const struct args_spec cmd_man_spec = {
    .name = "man",
    .synopsis = "[PAGE] | --list | --write DIR",
    .summary = "Print a manual page, made from the tables of commands and configuration.",
    .details = "PAGE is a command or generator_config.yaml; without it the program's own page. To "
               "read one: storyfi man miner | man -l -",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .max_words = 1,
};

static void put(const char *name, FILE *out)
{
    struct sf_buf page;
    sf_buf_init(&page, MAN_PAGE_MAX);
    if (!man_page(name, &page)) {
        fatal(100, "man: no page %s (storyfi man --list)", name);
    }
    if (page.err != SF_OK || fwrite(sf_buf_z(&page), 1, page.n, out) != page.n ||
        fflush(out) != 0) {
        fatal(111, "man: %s: cannot be written: %s", name, strerror(errno));
    }
    sf_buf_fini(&page);
}

static void put_name(void *arg, const char *file)
{
    (void)arg;
    puts(file);
}

/* FILE.1 goes to DIR/man1. */
static void put_file(void *arg, const char *file)
{
    char dir[4096], path[4200];
    struct sf_errbuf eb = {.code = SF_OK};
    (void)snprintf(dir, sizeof dir, "%.4000s/man%c", (const char *)arg, file[strlen(file) - 1]);
    (void)snprintf(path, sizeof path, "%s/%.80s", dir, file);
    enum sf_err err = sf_dir_make(dir, 0777, &eb);
    if (err != SF_OK) {
        fatal(111, "man: %s", sf_err_text(&eb, err));
    }
    FILE *out = fopen(path, "we");
    if (out != NULL) {
        put(file, out);
        (void)fclose(out);
    } else {
        fatal(111, "man: %s: %s", path, strerror(errno));
    }
}

int cmd_man(int argc, char **argv)
{
    struct args a;
    args_parse(&a, &cmd_man_spec, argc, argv);
    const char *dir = args_get(&a, "--write");
    if (dir != NULL) {
        char copy[4096];
        (void)snprintf(copy, sizeof copy, "%.4000s", dir);
        man_page_each(put_file, copy);
    } else if (args_has(&a, "--list")) {
        man_page_each(put_name, NULL);
    } else {
        put(a.n_words > 0 ? a.words[0] : "storyfi", stdout);
    }
    args_fini(&a);
    return 0;
}

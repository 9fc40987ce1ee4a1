/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"

#include <signal.h>
#include <string.h>

static void print_help(FILE *out)
{
    size_t n;
    const struct command *all = commands_all(&n);
    fputs("Usage: storyfi COMMAND [OPTIONS]\n\n"
          "The miner of the StoryFi subnet: answers validators with interactive stories.\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "  %-12s %s\n", all[i].spec->name, all[i].spec->summary);
    }
    fputs("\nstoryfi COMMAND --help tells more of each.\n", out);
}

static const char *nearest(const char *name)
{
    size_t n, best = 3;
    const struct command *all = commands_all(&n);
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = sf_str_distance(name, all[i].spec->name);
        if (d < best) {
            best = d;
            found = all[i].spec->name;
        }
    }
    return found;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    settings_use();
    if (argc < 2) {
        print_help(stderr);
        return 100;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    size_t n;
    const struct command *all = commands_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, all[i].spec->name) == 0) {
            return all[i].run(argc - 1, argv + 1);
        }
    }
    const char *guess = nearest(name);
    fatal(100, "unknown command %s%s%s%s (see storyfi --help)", name,
          guess == NULL ? "" : "; did you mean ", guess == NULL ? "" : guess,
          guess == NULL ? "" : "?");
}

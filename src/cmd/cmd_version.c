/* SPDX-License-Identifier: MIT */
#include "cmd/commands.h"
#include "story/task.h"

static const struct arg_option options[] = {
    {"--json", NULL, "Print a JSON object."},
};

const struct args_spec cmd_version_spec = {
    .name = "version",
    .synopsis = "[--json]",
    .summary = "Print the program's and the protocol's version.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

int cmd_version(int argc, char **argv)
{
    struct args a;
    args_parse(&a, &cmd_version_spec, argc, argv);
    if (args_has(&a, "--json")) {
        printf("{\"storyfi\":\"%s\",\"protocol\":\"%s\"}\n", STORYFI_VERSION,
               STORY_PROTOCOL_VERSION);
    } else {
        printf("storyfi %s (protocol %s)\n", STORYFI_VERSION, STORY_PROTOCOL_VERSION);
    }
    args_fini(&a);
    return 0;
}

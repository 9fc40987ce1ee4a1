/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_COMMANDS_H
#define SF_CMD_COMMANDS_H

#include "cmd/args.h"

/* The subcommands, in the order of the help: X(name). Each has a cmd_<name>.c with
 * `int cmd_<name>(int argc, char **argv)` and `const struct args_spec cmd_<name>_spec`. */
#define COMMANDS(X)                                                                                \
    X(miner)                                                                                       \
    X(status)                                                                                      \
    X(history)                                                                                     \
    X(trail)                                                                                       \
    X(generate)                                                                                    \
    X(story)                                                                                       \
    X(serve)                                                                                       \
    X(query)                                                                                       \
    X(score)                                                                                       \
    X(generators)                                                                                  \
    X(models)                                                                                      \
    X(bench)                                                                                       \
    X(doctor)                                                                                      \
    X(config)                                                                                      \
    X(wallet)                                                                                      \
    X(chain)                                                                                       \
    X(backup)                                                                                      \
    X(restore)                                                                                     \
    X(completion)                                                                                  \
    X(man)                                                                                         \
    X(version)

#define COMMAND_DECLARE(name)                                                                      \
    int cmd_##name(int argc, char **argv);                                                         \
    extern const struct args_spec cmd_##name##_spec;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

struct command {
    const struct args_spec *spec;
    int (*run)(int argc, char **argv);
};

const struct command *commands_all(size_t *n);

#endif

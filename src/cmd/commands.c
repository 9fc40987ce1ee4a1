/* SPDX-License-Identifier: MIT */
#include "cmd/commands.h"

const struct command *commands_all(size_t *n)
{
#define COMMAND_ROW(name) {&cmd_##name##_spec, cmd_##name},
    static const struct command all[] = {COMMANDS(COMMAND_ROW)};
#undef COMMAND_ROW
    *n = sizeof all / sizeof all[0];
    return all;
}

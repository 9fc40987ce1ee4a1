/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_STATUS_WATCH_H
#define SF_CMD_STATUS_WATCH_H

#include "conf/conf.h"

/* Shows how the miner is, each second, until q, Ctrl-C or SIGTERM: on a terminal the whole screen,
 * in colour unless NO_COLOR is set; else a line when something has changed. Gives the exit code. */
int status_watch(const struct conf *conf);

#endif

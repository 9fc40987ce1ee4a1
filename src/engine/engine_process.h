/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_ENGINE_PROCESS_H
#define SF_ENGINE_ENGINE_PROCESS_H

#include "base/err.h"

#include <sys/types.h>

/* Starts the program behind `program_fd` (opened O_PATH) with one end of a fresh socket as
 * descriptor 3, in a process group of its own, with `environment` and lib_dir as library path. *fd
 * is our end: close it with close(2). */
SF_MUST_USE enum sf_err engine_process_start(int program_fd, const char *lib_dir,
                                             const char *const *environment, pid_t *pid, int *fd,
                                             struct sf_errbuf *eb);

/* Kills and reaps; says in words how it ended ("killed by signal 9 (Killed)", "exit status 3").
 * Returns what waitpid told; -1 when it was alive and had to be killed here. */
int engine_process_end(pid_t pid, char *how, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
#include "engine/engine_ladder.h"

#include "engine/protocol.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define TRIES 3

enum engine_end engine_end_of(enum sf_err err, int status)
{
    bool killed = status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool told = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == ENGINE_EXIT_MEMORY;
    if (err == SF_ENOMEM || (err == SF_ECRASH && (killed || told))) {
        return ENGINE_END_ROOM;
    }
    return err == SF_ECONFIG  ? ENGINE_END_DEVICE
           : err == SF_EMODEL ? ENGINE_END_FILE
                              : ENGINE_END_OTHER;
}

/* The first behind `no` on another device; `n` none. */
static size_t other_device(const struct engine_size *sizes, size_t n, size_t no)
{
    size_t i = no + 1;
    while (i < n && strcmp(sizes[i].device, sizes[no].device) == 0) {
        i++;
    }
    return i;
}

struct engine_step engine_step_after(const struct engine_size *sizes, size_t n, size_t no,
                                     enum engine_end end, unsigned failed)
{
    size_t next = end == ENGINE_END_ROOM     ? no + 1
                  : end == ENGINE_END_DEVICE ? other_device(sizes, n, no)
                                             : n;
    if (next < n) {
        return (struct engine_step){next, ENGINE_PAUSE_NONE};
    }
    if (end == ENGINE_END_OTHER && failed < TRIES) {
        return (struct engine_step){no, ENGINE_PAUSE_BACKOFF};
    }
    return (struct engine_step){0, ENGINE_PAUSE_LONG};
}

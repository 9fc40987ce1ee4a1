/* SPDX-License-Identifier: MIT */
#include "app/origin.h"

#include "base/err.h"

static const char *const names[ORIGIN_COUNT] = {
    [ORIGIN_VALIDATOR] = "validator",
    [ORIGIN_PLAYGROUND] = "playground",
    [ORIGIN_CLI] = "cli",
    [ORIGIN_SERVE] = "serve",
};

const char *request_origin_name(enum request_origin origin)
{
    SF_BUG_ON((unsigned)origin >= ORIGIN_COUNT);
    return names[origin];
}

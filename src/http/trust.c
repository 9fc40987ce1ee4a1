/* SPDX-License-Identifier: MIT */
#include "http/trust.h"

#include <stdio.h>

/* Of the whole program: written before there are threads, only read after. */
static char trusted[4096];

void http_trust(const char *ca_file)
{
    (void)snprintf(trusted, sizeof trusted, "%s", ca_file);
}

const char *http_trusted(void)
{
    return trusted;
}

/* SPDX-License-Identifier: MIT */
#include "engine/child/synthetic.h"

/* The stub has no weights to make. */
bool synthetic_is(const char *path)
{
    (void)path;
    return false;
}

enum sf_err synthetic_open(const char *path, struct llama_model_params params,
                           struct llama_model **out, struct sf_errbuf *eb)
{
    (void)path, (void)params, (void)out;
    return sf_fail(eb, SF_EMODEL, "the stub makes no random weights");
}

/* SPDX-License-Identifier: MIT */
#include "generator/generator.h"

void gen_result_fini(struct gen_result *r)
{
    json_decref(r->output), r->output = NULL;
    json_decref(r->parameters), r->parameters = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "generator/generator.h"

#include <string.h>

void gen_result_fini(struct gen_result *r)
{
    json_decref(r->output), r->output = NULL;
    json_decref(r->parameters), r->parameters = NULL;
}

bool generator_is(const struct generator *g, const char *only)
{
    size_t n = only == NULL ? 0 : strlen(only);
    return only == NULL || strcmp(g->type->kind, only) == 0 ||
           (strncmp(g->name, only, n) == 0 && (g->name[n] == '\0' || g->name[n] == '.'));
}

/* SPDX-License-Identifier: MIT */
#include "generator/check.h"

#include <stdarg.h>

void gen_checks_add(struct gen_checks *c, enum gen_verdict verdict, const char *what,
                    const char *remedy, const char *fmt, ...)
{
    struct gen_check *line = &c->list[c->n < GEN_CHECKS_MAX ? c->n++ : GEN_CHECKS_MAX - 1];
    va_list ap;
    line->verdict = verdict;
    (void)snprintf(line->what, sizeof line->what, "%s", what);
    (void)snprintf(line->remedy, sizeof line->remedy, "%s", remedy);
    va_start(ap, fmt);
    (void)vsnprintf(line->text, sizeof line->text, fmt, ap);
    va_end(ap);
}

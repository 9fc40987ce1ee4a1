/* SPDX-License-Identifier: MIT */
#include "app/progress.h"

#include <stdarg.h>

#define PAUSE_MS 100
#define WIDTH 30

void progress_init(struct progress *p, FILE *out_or_null)
{
    *p = (struct progress){.out = out_or_null};
}

void progress_draw(struct progress *p, int permille, const char *fmt, ...)
{
    va_list ap;
    if (p->out == NULL || (p->drawn && sf_between(p->shown, sf_now()) < PAUSE_MS)) {
        return;
    }
    p->shown = sf_now();
    p->drawn = true;
    fputs("\r\x1b[K", p->out);
    va_start(ap, fmt);
    (void)vfprintf(p->out, fmt, ap);
    va_end(ap);
    if (permille >= 0) {
        int full = (permille > 1000 ? 1000 : permille) * WIDTH / 1000;
        fprintf(p->out, " [%.*s%*s] %d %%", full, "##############################", WIDTH - full,
                "", permille / 10);
    }
    (void)fflush(p->out);
}

void progress_clear(struct progress *p)
{
    if (p->out != NULL && p->drawn) {
        fputs("\r\x1b[K", p->out);
        (void)fflush(p->out);
    }
    p->drawn = false;
}

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_PROGRESS_H
#define SF_APP_PROGRESS_H

#include "base/clock.h"
#include "base/err.h"

#include <stdio.h>

/* One line on a terminal that is drawn again and again, at most ten times a second. */
struct progress {
    FILE *out; /* NULL: nothing is shown */
    struct sf_time shown;
    bool drawn;
};

void progress_init(struct progress *p, FILE *out_or_null);
/* "label [#####     ] 45 %"; permille < 0: the label alone. */
void progress_draw(struct progress *p, int permille, const char *fmt, ...) SF_PRINTF(3, 4);
void progress_clear(struct progress *p); /* takes the line away */

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_ERROR_GUIDE_H
#define SF_CMD_ERROR_GUIDE_H

#include "base/buf.h"

/* What an error means to an operator, and what to do; NULL when there is no such row (a test keeps
 * that from happening). */
const char *error_guide_cause(enum sf_err code);
const char *error_guide_remedy(enum sf_err code);

/* doc/guide/errors.md: every row of the error table with its meaning. */
void error_guide_markdown(struct sf_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_ERROR_GUIDE_H
#define SF_CMD_ERROR_GUIDE_H

#include "base/buf.h"

/* doc/guide/errors.md: every row of the error table, with cause and remedy. */
void error_guide_markdown(struct sf_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_TOKEN_CLASS_H
#define SF_ENGINE_CHILD_TOKEN_CLASS_H

#include "base/str.h"

/* What a token's text would bring into a slot: bits of enum token_class (model.h). Text that is no
 * whole UTF-8 counts as TOK_CONTROL. */
uint32_t token_classify(struct sf_str piece);

#endif

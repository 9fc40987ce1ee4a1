/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_UNWRAP_H
#define SF_STORY_UNWRAP_H

#include "json/json.h"

/* The JSON object in a generator's text: plain, in a ```json fence, or alone among prose.
 * SF_EINCOMPLETE: none, cut, malformed, or an array at the top. `raw` makes {"generated_text": …}
 * of text that holds no JSON instead. Caller owns *out. */
SF_MUST_USE enum sf_err story_unwrap(struct sf_str text, bool raw, json_t **out,
                                     struct sf_errbuf *eb);

#endif

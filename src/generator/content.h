/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_CONTENT_H
#define SF_GENERATOR_CONTENT_H

#include "generator/generator.h"

/* What every custom generator answers: {"content": …}, of a script, a service or a plugin. */

/* The story in an answer: `content` (or `generated_content`), an object or a text that holds one.
 * SF_EINCOMPLETE says what is wrong with `where` ("stdout"). Caller owns *out. */
SF_MUST_USE enum sf_err content_take(const json_t *answer, const char *where, json_t **out,
                                     struct sf_errbuf *eb);

/* The same from an answer's bytes, which must be one JSON object of at most `max_bytes`; `answer`
 * (may be NULL) gets the whole of it, owned. */
SF_MUST_USE enum sf_err content_parse(struct sf_str text, size_t max_bytes, const char *where,
                                      json_t **out, json_t **answer, struct sf_errbuf *eb);

/* Fills name, version, provider, parameters and usage from an answer's `model_info` and `usage`,
 * as a `storyfi serve` sends them; what is absent, too long or of another type is left as it is.
 * model_info.mode is not looked at. */
void content_read_info(const json_t *answer, struct gen_result *result);

/* A foreign text made fit to be shown and sent: the valid UTF-8 that fits, control characters as
 * spaces. */
void content_copy_text(struct sf_str text, char *out, size_t n_out);

#endif

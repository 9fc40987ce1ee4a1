/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_PROTOCOL_H
#define SF_ENGINE_PROTOCOL_H

#include "base/clock.h"
#include "json/json.h"

/* Parent and child of the engine speak messages over a stream socket: four bytes of length,
 * little-endian, then that many bytes of one JSON object with a "type". doc/engine.md lists them.
 */
#define ENGINE_PROTOCOL 1
#define ENGINE_LLAMA_VERSION "0.5.0-dev"
#define ENGINE_MESSAGE_MAX (8U << 20)
#define ENGINE_CHILD_FD 3
/* The child's exit status when the library ends it because no memory is left (ggml does, on a GPU):
 * that is told in no message. */
#define ENGINE_EXIT_MEMORY 77

/* Collects what arrives until a message is whole. */
struct protocol_reader {
    struct sf_buf pending;
};
void protocol_reader_init(struct protocol_reader *r);
void protocol_reader_fini(struct protocol_reader *r);

/* Reads what the socket has (once) into the reader. SF_OK also when there was nothing; SF_ECRASH:
 * the peer closed; SF_EIO. */
SF_MUST_USE enum sf_err protocol_fill(struct protocol_reader *r, int fd);
/* Adds bytes that came otherwise (tests, fuzzing). */
void protocol_feed(struct protocol_reader *r, struct sf_str bytes);

/* Takes the next whole message; *out is NULL when none is whole yet. SF_EPARSE: a length of zero or
 * over the limit, or what is no JSON object with a type; the stream is of no use after it. */
SF_MUST_USE enum sf_err protocol_next(struct protocol_reader *r, json_t **out);

/* Writes one message whole. SF_EIO when the peer is gone or takes nothing for as long as the
 * socket's send timeout: the stream is of no use after it. `message_own` is released always. */
SF_MUST_USE enum sf_err protocol_write(int fd, json_t *message_own);

/* The types that "quantize" takes, the usual ones first; NULL at the end. */
extern const char *const engine_quantize_types[];
/* As the list spells it, case ignored; NULL: none of them. */
const char *engine_quantize_type(const char *name);

/* The code that stands by name in an error message; SF_EINTERNAL for an unknown one. */
enum sf_err protocol_error_code(const char *name);

#endif

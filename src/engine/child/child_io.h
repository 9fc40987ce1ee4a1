/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_CHILD_IO_H
#define SF_ENGINE_CHILD_CHILD_IO_H

#include "json/json.h"

/* Messages to and from the parent on one socket: 4 bytes of length, little-endian, and a JSON
 * object. */
enum { CHILD_MESSAGE_MAX = 8 << 20 };

/* Reads the next message; NULL: the socket is closed or the peer does not keep to the form. */
json_t *child_read(int fd);
/* Writes one message, whole, from any thread. False: the parent is gone. */
bool child_write(int fd, json_t *message_own);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_KEY_PASSWORD_H
#define SF_BITTENSOR_KEY_PASSWORD_H

#include "base/buf.h"

/* The password of an encrypted keyfile in a variable: BT_PW_ and the file's path in capitals, '/'
 * and '.' as '_'; its value is base64 of the password's bytes XORed with the variable's name.
 * source: opentensor/btwallet@93b3761 src/keyfile.rs. */

void key_password_variable(const char *path, struct sf_buf *name);

/* SF_EPARSE when the value is not of that form; wipe `password` with sf_buf_wipe. */
SF_MUST_USE enum sf_err key_password_decode(const char *name, const char *value,
                                            struct sf_buf *password, struct sf_errbuf *eb);
void key_password_encode(const char *name, struct sf_str password, struct sf_buf *value);

#endif

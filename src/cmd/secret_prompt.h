/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_SECRET_PROMPT_H
#define SF_CMD_SECRET_PROMPT_H

#include "bittensor/wallet.h"
#include "conf/conf.h"

/* Secrets come from the terminal with its echo off, from standard input, or from a variable; never
 * from the command line, which every user of the machine can read. */

/* Asks on the terminal; the answer is trimmed. SF_EUNAVAILABLE: there is no terminal;
 * SF_ECANCELED: Ctrl-C, Ctrl-D or an empty answer. Wipe `out`. */
SF_MUST_USE enum sf_err secret_ask(const char *prompt, struct sf_buf *out, struct sf_errbuf *eb);
/* The same twice; SF_EINVAL when the two differ. */
SF_MUST_USE enum sf_err secret_ask_twice(const char *prompt, struct sf_buf *out,
                                         struct sf_errbuf *eb);
/* All of standard input where that is no terminal, else secret_ask. */
SF_MUST_USE enum sf_err secret_get(const char *prompt, struct sf_buf *out, struct sf_errbuf *eb);

/* Passwords of keyfiles: the variable as `conf` sees it, then the terminal. Borrows `conf`. */
struct wallet_unlock secret_unlock(const struct conf *conf);

#endif

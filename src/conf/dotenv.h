/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_DOTENV_H
#define SF_CONF_DOTENV_H

#include "base/buf.h"

#define DOTENV_MAX_BYTES (256U << 10)
#define DOTENV_MAX_VALUE (16U << 10)

/* One line of a .env file: `NAME=value`, or with `export ` in front. */
struct dotenv_entry {
    struct sf_str name;
    struct sf_str value; /* quotes and escapes resolved; borrowed until the callback returns */
    unsigned line;       /* from 1 */
};

/* What the reader says: either an entry or the reason why a line is skipped (never the value). */
typedef void (*dotenv_fn)(void *arg, const struct dotenv_entry *entry, unsigned line,
                          const char *problem);

/* Reads a .env text: one assignment a line, "export " in front allowed, '#' comments (behind a
 * value after white space), 'single' quotes literal, "double" quotes with \n \r \t \" \\ \$. Lines
 * that are nothing of this are reported and skipped. Nothing is expanded. Errors: SF_ELIMIT,
 * SF_ENOMEM. */
SF_MUST_USE enum sf_err dotenv_parse(struct sf_str text, dotenv_fn fn, void *arg,
                                     struct sf_errbuf *eb);

#endif

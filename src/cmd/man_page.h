/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_MAN_PAGE_H
#define SF_CMD_MAN_PAGE_H

#include "base/buf.h"

/* The manual pages, from the tables of commands and configuration. */
#define MAN_PAGE_MAX (1U << 20)

typedef void (*man_page_each_fn)(void *arg, const char *file); /* "storyfi-miner.1" */
void man_page_each(man_page_each_fn fn, void *arg);

/* Writes the page called `name` ("storyfi", "storyfi-miner", "miner", "generator_config.yaml", with
 * or without ".1" or ".5"); false when there is none, with nothing written. */
bool man_page(const char *name, struct sf_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_BOOK_H
#define SF_MINER_ADMIN_BOOK_H

#include "miner/admin_route.h"

/* POST /api/book with a story.json: its playable book as a download. */
extern const struct admin_routes admin_book_routes;

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_MODELS_H
#define SF_MINER_ADMIN_MODELS_H

#include "miner/admin_route.h"

/* GET /api/models, POST /api/models/pull, /pull/cancel and /use. */
extern const struct admin_routes admin_models_routes;

#endif

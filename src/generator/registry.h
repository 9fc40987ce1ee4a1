/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_REGISTRY_H
#define SF_GENERATOR_REGISTRY_H

#include "generator/api.h"
#include "generator/endpoint.h"
#include "generator/local.h"
#include "generator/plugin.h"
#include "generator/remote.h"
#include "generator/script.h"
#include "generator/vllm.h"

/* The type of a kind ("local"), NULL for an unknown one. A type without `open` is a kind the
 * configuration knows and this version does not have: it is named in the chain, never called. */
const struct generator_type *registry_find(const char *kind);

#endif

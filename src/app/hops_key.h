/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_HOPS_KEY_H
#define SF_APP_HOPS_KEY_H

#include "app/hops_internal.h"

/* Names of a provider's account and hops. */

/* "openai api.openai.com #1a2b3c4d": provider, host, and a fingerprint of the key, never the key.
 * `key` may be NULL. */
void hops_account(const char *provider, const char *endpoint, const char *key,
                  char out[static sizeof(((struct gen_chain_hop *)0)->account)]);

/* `wish`, or "wish-2", "wish-3" … until nobody has it. */
void hops_unique_name(const struct hops *a, const char *wish, char out[static 64]);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_PRICES_H
#define SF_GENERATOR_PRICES_H

#include <stdbool.h>
#include <stdint.h>

/* The catalogue of cloud models: what they cost and how much they take. It knows the list prices of
 * a day (see prices.c); `api.price` overrides them, and a model that is not listed works all the
 * same, at an unknown price. */
struct model_price {
    const char *provider; /* "openai" "gemini" "anthropic" */
    const char *model;    /* also found under its dated versions: "gpt-4o-mini-2024-07-18" */
    double input, output; /* US dollars a million tokens */
    int64_t context_tokens;
    int64_t max_output_tokens;
    bool refuses_temperature; /* sampling parameters are answered with 400 */
    bool is_default;          /* of its provider: asked when no model is configured */
};

/* The row of a model, by its exact name or a version of it ("-2024-07-18", "-20251001", "-001",
 * "-latest", "-preview-…"); Gemini's "models/" in front is passed over. NULL: not listed, or a
 * provider whose prices nobody knows ("custom"). */
const struct model_price *price_find(const char *provider, const char *model);

/* The cheap model that is asked when none is configured; NULL for other providers. */
const char *price_default_model(const char *provider);

/* What tokens cost. An override of 0 or more stands in for the catalogue's price, a negative one
 * does not; what is known from neither (`p` may be NULL) counts nothing. Cached input is counted in
 * full: an upper bound. */
double price_cost_usd(const struct model_price *p, double input_override, double output_override,
                      int64_t prompt_tokens, int64_t generated_tokens);

#endif

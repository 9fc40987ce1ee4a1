/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_LEDGER_H
#define SF_APP_LEDGER_H

#include "app/app.h"

/* What the journal knows of earlier requests, for the chain and for people. Each opens a reader of
 * its own and blocks for some milliseconds. */

/* Charges the accounts of the chain with what the last day cost, so that limits hold across
 * restarts. */
void ledger_charge(struct app *a);

/* Mode `auto`: tells the chain what an answer of each hop is expected to be worth, by its record of
 * the last days. Nothing in other modes. */
void ledger_weigh(struct app *a);

/* Per generator of the last `span`, as journal_figures has it. NULL: no journal, or not readable
 * now. Caller owns. */
json_t *ledger_figures(const struct app *a, sf_ms span);

#endif

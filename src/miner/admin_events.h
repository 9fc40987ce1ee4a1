/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_EVENTS_H
#define SF_MINER_ADMIN_EVENTS_H

#include "json/json.h"

/* GET /api/events: those who look on, and the thread that tells them. It sleeps while nobody does;
 * else it looks ten times a second at the requests in flight and once at the status. */
struct admin;
struct admin_events;

SF_MUST_USE enum sf_err admin_events_open(struct admin *a, struct admin_events **out);
/* Ends the streams and the thread. NULL: nothing. */
void admin_events_close(struct admin_events *e);

/* Tells all who look on, from any thread; never blocks on I/O. Takes the data over (NULL: nothing).
 * What somebody who begins to look on later should know belongs into /api/status too. */
void admin_events_tell(struct admin_events *e, const char *event, json_t *data_own);

/* /api/status: the state of the miner, its rates, the requests in flight. May wait for the disk.
 * NULL: out of memory. Caller owns. */
json_t *admin_api_status(struct admin *a);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_DOCTOR_H
#define SF_MINER_ADMIN_DOCTOR_H

#include "base/err.h"

/* POST /api/doctor: `storyfi doctor` inside the miner, told line by line. One at a time, on a
 * thread of its own, given up when its reader leaves. */
struct admin_doctor;

SF_MUST_USE enum sf_err admin_doctor_open(struct admin_doctor **out);
/* Gives up what runs; a check that does not end soon is left behind. NULL: nothing. */
void admin_doctor_close(struct admin_doctor *d);

#endif

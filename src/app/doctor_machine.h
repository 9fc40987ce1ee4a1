/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_DOCTOR_MACHINE_H
#define SF_APP_DOCTOR_MACHINE_H

#include "app/doctor.h"

/* Parts of doctor_machine that judge figures, apart from taking them: for its tests. */

/* `free_bytes` of the state folder's disk (-1 unknown) against what the journal may grow to. */
void doctor_judge_disk(struct doctor_report *r, int64_t free_bytes, int64_t journal_bytes);

/* The limits of open files and core dumps (-1: unlimited). */
void doctor_judge_limits(struct doctor_report *r, int64_t files, int64_t core_bytes,
                         int64_t connections);

/* The Date header of a server ("Tue, 24 Nov 2026 20:36:21 GMT") against our clock, in seconds since
 * the epoch. */
void doctor_judge_clock(struct doctor_report *r, struct sf_str date, int64_t now_seconds,
                        const char *server);

#endif

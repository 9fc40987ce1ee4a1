/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_LOCK_FILE_H
#define SF_MINER_LOCK_FILE_H

#include "base/err.h"

/* One miner per state directory and hotkey. The file stays; the lock goes with the process.
 * SF_ECONFIG names the process that holds it. *fd is to be closed at the end. */
SF_MUST_USE enum sf_err lock_file_take(const char *state_dir, const char *hotkey, int *fd,
                                       struct sf_errbuf *eb);

/* Whether any miner runs with this state directory: SF_ECONFIG names its process. */
SF_MUST_USE enum sf_err lock_file_check(const char *state_dir, struct sf_errbuf *eb);

#endif

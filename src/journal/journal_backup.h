/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_BACKUP_H
#define SF_JOURNAL_JOURNAL_BACKUP_H

#include "base/err.h"

/* Copies the journal at `from` into the new file `to`, as it is at one moment, while others write
 * to it, and reads the copy through. `to` is one file, without -wal and -shm. On errors it may be
 * there in part. SF_ENOTFOUND: there is no journal; SF_ECONFIG: a newer storyfi's, or another
 * program's database; SF_EPARSE: damaged; SF_EIO: a disk is full or fails; SF_EBUSY. Blocks. */
SF_MUST_USE enum sf_err journal_backup(const char *from, const char *to, struct sf_errbuf *eb);

/* Reads a journal through that nobody writes to. SF_OK: it is whole and this program can use it;
 * errors as above. */
SF_MUST_USE enum sf_err journal_verify(const char *path, struct sf_errbuf *eb);

/* Makes a journal that is to be moved away one file (its -wal goes into it). SF_EBUSY: somebody has
 * it open. What is no journal, or cannot be opened, is left as it is: SF_OK. */
SF_MUST_USE enum sf_err journal_retire(const char *path, struct sf_errbuf *eb);

#endif

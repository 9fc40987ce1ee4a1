/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_PART_H
#define SF_APP_MODEL_PART_H

#include "base/buf.h"
#include "base/clock.h"

/* A file on its way: FILE.part has the bytes, FILE.part.state which of them are there. The lock on
 * FILE.part keeps a second download out; both survive a crash, and what the state says is on disk.
 */
#define PART_MAX_SEGMENTS 16
#define PART_PATH_MAX 1100

struct part_segment {
    int64_t begin, end; /* of the file */
    int64_t done;       /* bytes from begin that are here */
};

struct model_part {
    int fd; /* -1: not open */
    char dest[PART_PATH_MAX], path[PART_PATH_MAX], state[PART_PATH_MAX];
    int64_t total;      /* 0: nothing begun */
    char identity[160]; /* what the server calls this content; "" not known: no resume */
    struct part_segment segments[PART_MAX_SEGMENTS];
    size_t n;
    struct sf_time saved;
};

/* Opens or makes dest.part and locks it. SF_EBUSY: another process is at it. SF_EIO. A state that
 * makes no sense counts as nothing begun. The caller ends it with model_part_close in any case. */
SF_MUST_USE enum sf_err model_part_open(const char *dest, struct model_part *p,
                                        struct sf_errbuf *eb);
/* Keeps what is there. */
void model_part_close(struct model_part *p);
/* Starts over with room for `total` bytes taken on the disk at once. SF_EIO: the disk is full. */
SF_MUST_USE enum sf_err model_part_begin(struct model_part *p, int64_t total, const char *identity,
                                         size_t n_segments, struct sf_errbuf *eb);
/* Puts bytes behind those of segment `i`. SF_EIO; SF_EINVAL: behind its end. */
SF_MUST_USE enum sf_err model_part_write(struct model_part *p, size_t i, struct sf_str bytes,
                                         struct sf_errbuf *eb);
/* Bytes to disk, then the state. */
SF_MUST_USE enum sf_err model_part_save(struct model_part *p, struct sf_errbuf *eb);
int64_t model_part_done(const struct model_part *p);
/* The whole file under its own name, on disk when this returns; the state is gone. */
SF_MUST_USE enum sf_err model_part_finish(struct model_part *p, struct sf_errbuf *eb);
void model_part_discard(struct model_part *p);

/* The text of the state file; false when it makes no sense. For tests and fuzzing. */
bool model_part_parse_state(struct sf_str text, struct model_part *p);

#endif

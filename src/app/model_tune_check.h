/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_TUNE_CHECK_H
#define SF_APP_MODEL_TUNE_CHECK_H

#include "app/model_devices.h"
#include "app/model_store.h"
#include "app/model_tune_choice.h"
#include "app/models.h"

/* Layouts that a file may be written in: four bits and above, and none with fewer bits than the
 * file has (of 16 bits: than 8), since fewer are a choice of the owner's (`quantization`). */
struct tune_layout {
    const char *shown, *type, *output_type;
};
/* Fills out[1 …] by the type that the file's name tells; returns the number of rows, with out[0].
 */
size_t tune_layouts(const char *file, struct tune_layout out[static TUNE_ROWS]);

/* What decides whether a model is worth tuning by itself, looked up. */
struct tune_facts {
    char original[MODEL_PATH_MAX], kept[MODEL_PATH_MAX]; /* the file, and where the other goes */
    int64_t bytes;                                       /* of the file; 0: not here */
    int64_t written_bytes; /* the most that lies there while it works */
    int64_t room_bytes;    /* on the disk; -1 unknown */
    int64_t limit_bytes;   /* that models_max_size leaves; -1 no limit */
    size_t layouts;        /* to be tried */
    int cpus;
    bool is_split, fits, on_gpu, can_write, has_engine;
    char plan[200];  /* why it does not fit */
    char known[24];  /* what was kept before ("as it is"); "" not tuned yet */
    bool known_here; /* and its file is there */
};
/* Of a model's name or a file's path. Reads the file's head, asks for the devices (seconds). */
void tune_facts_read(const struct conf *conf, const char *name, struct tune_facts *out);

/* Whether it is done without being asked for; else `why` says why not, with the remedy. Pure. */
bool tune_is_sensible(const struct tune_facts *f, char *why, size_t n);

/* Whether what it writes has room; else `why` says so. A part of the above. */
bool tune_has_room(const struct tune_facts *f, char *why, size_t n);

/* "writes up to 430 MB, about 30 s", said before it begins. Pure. */
void tune_cost_text(const struct tune_facts *f, char *out, size_t n);

#endif

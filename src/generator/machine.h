/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_MACHINE_H
#define SF_GENERATOR_MACHINE_H

#include <stdint.h>

/* What this machine has for a model, as the kernel tells it. */
struct machine {
    int64_t memory_bytes;      /* MemAvailable; -1 unknown */
    int64_t memory_room_bytes; /* until the memory limit of our cgroup or one above; -1 no limit */
    char gpu_driver[96];       /* version of the NVIDIA driver that is loaded, "" none */
    int gpus;                  /* device nodes /dev/nvidia<N> */
};

/* Reads /proc, /sys and /dev below `root` ("" is this machine; tests give a folder). What cannot be
 * read stays unknown. Blocks on nothing. */
void machine_read(const char *root, struct machine *out);

/* What a new process may still take: the smaller of the two; -1 unknown. */
int64_t machine_memory(const struct machine *m);

/* Bytes free for us on the file system of `path` (or of the nearest parent that is there); -1
 * unknown. */
int64_t machine_disk(const char *path);

/* "4.9 GB", "512 MB", "3 KB": decimal, as disks and models are sold. */
#define MACHINE_SIZE_MAX 24
const char *machine_size(int64_t bytes, char out[static MACHINE_SIZE_MAX]);

#endif

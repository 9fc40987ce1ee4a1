/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over a folder of seeds without libFuzzer: each seed as it is, cut at up to 64
 * places, and with up to 256 single bits flipped, always the same ones. usage: x_replay FOLDER */
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <string.h>

#define SEED_MAX_BYTES ((size_t)1 << 20)
#define CUTS 64
#define FLIPS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The target gets a block of exactly n bytes, so that a sanitizer sees a read behind the end. */
static void run_exact(const char *bytes, size_t n)
{
    uint8_t *copy = sf_xalloc(n ? n : 1);

    if (n) {
        memcpy(copy, bytes, n);
    }
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_seed(struct sf_buf *seed)
{
    size_t bits = seed->n * 8;

    run_exact(seed->p, seed->n);
    for (size_t i = 0; i < CUTS && i < seed->n; i++) {
        run_exact(seed->p, seed->n * i / CUTS);
    }
    for (size_t i = 0; i < FLIPS && i < bits; i++) {
        size_t bit = bits <= FLIPS ? i : i * (bits / FLIPS) + i % 8;
        char mask = (char)(1 << (bit % 8));

        seed->p[bit / 8] ^= mask;
        run_exact(seed->p, seed->n);
        seed->p[bit / 8] ^= mask;
    }
}

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct sf_errbuf eb = {0};
    struct dirent **names = NULL;
    int n_names = argc == 2 ? scandir(argv[1], &names, is_seed, alphasort) : -1;
    int failed = 0;

    if (n_names <= 0) {
        fprintf(stderr, "usage: %s FOLDER_WITH_SEEDS (none found)\n", argv[0]);
        return 100;
    }
    for (int i = 0; i < n_names; i++) {
        struct sf_buf seed;
        char *path = sf_path_join(argv[1], names[i]->d_name);

        sf_buf_init(&seed, SEED_MAX_BYTES);
        if (!path || sf_file_read(path, &seed, &eb) != SF_OK) {
            fprintf(stderr, "%s: %s\n", names[i]->d_name, sf_err_text(&eb, SF_EIO));
            failed++;
        } else {
            run_seed(&seed);
        }
        sf_buf_fini(&seed);
        free(path);
        free(names[i]);
    }
    free(names);
    printf("%d seeds replayed, %d unreadable\n", n_names, failed);
    return failed ? 1 : 0;
}

/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target once over every file in the folders named: the corpora as a test, without
 * libFuzzer. Exit 0 says that all were run; what a target finds ends the program. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    static char chunk[1U << 20];
    if (f == NULL) {
        perror(path);
        return 1;
    }
    size_t n = fread(chunk, 1, sizeof chunk, f);
    (void)fclose(f);
    /* A block of exactly that size, so that reading past the end is seen. */
    uint8_t *data = malloc(n > 0 ? n : 1);
    if (data == NULL) {
        return 1;
    }
    memcpy(data, chunk, n);
    (void)LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 0;
}

static int run_folder(const char *path, size_t *n_run)
{
    DIR *dir = opendir(path);
    int failed = 0;
    if (dir == NULL) {
        perror(path);
        return 1;
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char name[4096];
        if (e->d_name[0] == '.' ||
            snprintf(name, sizeof name, "%s/%s", path, e->d_name) >= (int)sizeof name) {
            continue;
        }
        failed |= run_file(name);
        (*n_run)++;
    }
    (void)closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    size_t n_run = 0;
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        failed |= run_folder(argv[i], &n_run);
    }
    printf("%zu inputs\n", n_run);
    return failed || n_run == 0;
}

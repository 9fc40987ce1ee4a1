/* SPDX-License-Identifier: MIT */
#include "generator/own_file.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <sys/stat.h>

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *own_file_find(const char *path, const char *dir)
{
    if (is_file(path)) {
        return strchr(path, '/') != NULL ? sf_strdup(path) : sf_path_join(".", path);
    }
    char *beside = sf_path_join(dir, path);
    if (beside != NULL && !is_file(beside)) {
        free(beside), beside = NULL;
    }
    return beside;
}

/* SPDX-License-Identifier: MIT */
#include "app/model_tune_record.h"

#include "base/file.h"
#include "json/json.h"

#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 1100
#define RECORD_CAP 4096

void tune_record_path(const char *tuned, char *out, size_t n)
{
    size_t length = strlen(tuned);
    size_t stem = length > 5 ? length - 5 : length; /* without ".gguf" */
    (void)snprintf(out, n, "%.*s.json", (int)stem, tuned);
}

bool tune_record_read(const char *tuned, const char *original, struct tune_record *out)
{
    char path[PATH_ROOM];
    struct sf_buf b;
    struct stat st;
    json_t *root = NULL;
    tune_record_path(tuned, path, sizeof path);
    sf_buf_init(&b, RECORD_CAP);
    *out = (struct tune_record){.bytes = 0};
    bool good =
        sf_file_read(path, &b, NULL) == SF_OK &&
        json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &root, NULL) == SF_OK &&
        json_get_int(root, "bytes", &out->bytes) && json_get_int(root, "mtime", &out->mtime) &&
        json_get_number(root, "gain", &out->gain) && json_get_string(root, "kept") != NULL &&
        stat(original, &st) == 0 && st.st_size == out->bytes && st.st_mtime == out->mtime;
    if (good) {
        (void)snprintf(out->kept, sizeof out->kept, "%.23s", json_get_string(root, "kept"));
    }
    json_decref(root);
    sf_buf_fini(&b);
    return good;
}

enum sf_err tune_record_write(const char *tuned, const char *original, const char *kept,
                              double gain, struct sf_errbuf *eb)
{
    char path[PATH_ROOM];
    struct sf_buf b;
    struct stat st;
    if (stat(original, &st) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%.200s", original);
    }
    tune_record_path(tuned, path, sizeof path);
    sf_buf_init(&b, RECORD_CAP);
    json_t *root = json_pack("{s:I, s:I, s:s, s:f}", "bytes", (json_int_t)st.st_size, "mtime",
                             (json_int_t)st.st_mtime, "kept", kept, "gain", gain);
    json_print(root, &b);
    json_decref(root);
    sf_buf_putc(&b, '\n');
    enum sf_err err = b.err != SF_OK ? sf_fail(eb, b.err, "out of memory")
                                     : sf_file_write(path, sf_buf_str(&b), 0644, eb);
    sf_buf_fini(&b);
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "app/model_store.h"

#include "app/model_catalogue.h"
#include "app/model_part.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PINS_CAP (1U << 20)
#define MAX_LOCAL 2000

void model_cache_path(const struct conf *conf, const char *rest, char *out, size_t n)
{
    const char *cache = conf_env(conf, "STORYFI_CACHE");
    const char *xdg = conf_env(conf, "XDG_CACHE_HOME");
    const char *home = conf_env(conf, "HOME");
    if (cache != NULL && cache[0] != '\0') {
        (void)snprintf(out, n, "%s/%s", cache, rest);
    } else if (xdg != NULL && xdg[0] != '\0') {
        (void)snprintf(out, n, "%s/storyfi/%s", xdg, rest);
    } else {
        (void)snprintf(out, n, "%s/.cache/storyfi/%s", home == NULL ? "" : home, rest);
    }
}

void model_store_dir(const struct conf *conf, char *out, size_t n)
{
    if (conf->generator.local.models_dir[0] != '\0') {
        (void)snprintf(out, n, "%s", conf->generator.local.models_dir);
    } else {
        model_cache_path(conf, "models", out, n);
    }
}

/* ---- stamps ---------------------------------------------------------------------------------- */

bool model_stamp_read(const char *path, struct model_stamp *out)
{
    char name[MODEL_PATH_MAX + 32];
    struct sf_buf b;
    struct stat st;
    struct sf_str sum, size;
    (void)snprintf(name, sizeof name, "%.1023s.verified", path);
    sf_buf_init(&b, 512);
    *out = (struct model_stamp){.bytes = 0};
    bool good = sf_file_read(name, &b, NULL) == SF_OK && stat(path, &st) == 0;
    struct sf_str text = sf_str_trim(sf_buf_str(&b));
    good = good && sf_str_next(&text, ' ', &sum) && sum.n == 64 && sf_str_next(&text, ' ', &size) &&
           sf_scan_i64(size, 0, INT64_MAX, &out->bytes) &&
           sf_scan_i64(sf_str_trim(text), 0, INT64_MAX, &out->mtime);
    if (good) {
        (void)snprintf(out->sha256, sizeof out->sha256, "%.*s", SF_STR_ARG(sum));
    }
    sf_buf_fini(&b);
    return good && st.st_size == out->bytes && st.st_mtime == out->mtime;
}

enum sf_err model_stamp_write(const char *path, const char *sha256, struct sf_errbuf *eb)
{
    char name[MODEL_PATH_MAX + 32], text[160];
    struct stat st;
    if (stat(path, &st) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%s", path);
    }
    (void)snprintf(name, sizeof name, "%.1023s.verified", path);
    (void)snprintf(text, sizeof text, "%s %lld %lld\n", sha256, (long long)st.st_size,
                   (long long)st.st_mtime);
    return sf_file_write(name, sf_str(text), 0644, eb);
}

/* ---- pins ------------------------------------------------------------------------------------ */

static json_t *read_pins(const char *dir, char *path, size_t n)
{
    struct sf_buf b;
    json_t *root = NULL;
    (void)snprintf(path, n, "%.1000s/pins.json", dir);
    sf_buf_init(&b, PINS_CAP);
    if (sf_file_read(path, &b, NULL) == SF_OK &&
        json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &root, NULL) != SF_OK) {
        root = NULL;
    }
    sf_buf_fini(&b);
    if (!json_is_object(root)) {
        json_decref(root);
        root = json_object();
    }
    return root;
}

void model_pin_read(const char *dir, const char *key, char sha256[static 65])
{
    char path[MODEL_PATH_MAX + 16];
    json_t *root = read_pins(dir, path, sizeof path);
    const char *z = json_get_string(json_object_get(root, key), "sha256");
    bool good = z != NULL && strlen(z) == 64 && strspn(z, "0123456789abcdef") == 64;
    (void)snprintf(sha256, 65, "%s", good ? z : "");
    json_decref(root);
}

static enum sf_err write_pins(const char *path, json_t *root, struct sf_errbuf *eb)
{
    struct sf_buf b;
    sf_buf_init(&b, PINS_CAP);
    json_print_pretty(root, &b);
    sf_buf_putc(&b, '\n');
    enum sf_err err = b.err != SF_OK ? sf_fail(eb, b.err, "%s: too large", path)
                                     : sf_file_write(path, sf_buf_str(&b), 0644, eb);
    sf_buf_fini(&b);
    return err;
}

enum sf_err model_pin_write(const char *dir, const char *key, const char *sha256,
                            struct sf_errbuf *eb)
{
    char path[MODEL_PATH_MAX + 16], day[32] = "";
    time_t now = (time_t)(sf_wall_ns() / 1000000000);
    struct tm tm;
    json_t *root = read_pins(dir, path, sizeof path);
    if (gmtime_r(&now, &tm) != NULL) {
        (void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
    }
    enum sf_err err = SF_OK;
    if (json_object_set_new(root, key, json_pack("{s:s, s:s}", "sha256", sha256, "since", day)) !=
        0) {
        err = sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    err = err == SF_OK ? write_pins(path, root, eb) : err;
    json_decref(root);
    return err;
}

/* ---- the folder ------------------------------------------------------------------------------ */

int64_t model_store_bytes(const char *dir)
{
    struct model_local *list = NULL;
    size_t n = 0;
    int64_t sum = 0;
    if (model_store_list(dir, &list, &n, NULL) == SF_OK) {
        for (size_t i = 0; i < n; i++) {
            sum += list[i].bytes;
        }
        free(list);
    }
    return sum;
}

bool model_split_name(const char *file, unsigned *no, unsigned *count, size_t *stem)
{
    /* -00001-of-00005.gguf */
    size_t n = strlen(file);
    uint64_t a = 0, b = 0;
    if (n < 21 || file[n - 20] != '-' || strncmp(file + n - 14, "-of-", 4) != 0 ||
        strcmp(file + n - 5, ".gguf") != 0 ||
        !sf_scan_u64((struct sf_str){file + n - 19, 5}, 99999, &a) ||
        !sf_scan_u64((struct sf_str){file + n - 10, 5}, 99999, &b) || a < 1 || a > b) {
        return false;
    }
    *no = (unsigned)a;
    *count = (unsigned)b;
    *stem = n - 20;
    return true;
}

static bool ends_with(const char *z, const char *end)
{
    size_t n = strlen(z), k = strlen(end);
    return n > k && strcmp(z + n - k, end) == 0;
}

static void look_at(const char *dir, struct model_local *out)
{
    char path[MODEL_PATH_MAX + 300];
    struct stat st;
    struct model_stamp stamp;
    (void)snprintf(path, sizeof path, "%.1000s/%s", dir, out->file);
    out->bytes = stat(path, &st) == 0 ? st.st_size : 0;
    out->partial = ends_with(out->file, ".part");
    if (out->partial) {
        struct model_part part = {.fd = -1};
        struct sf_buf b;
        sf_buf_init(&b, 8192);
        (void)snprintf(path, sizeof path, "%.1000s/%s.state", dir, out->file);
        bool known =
            sf_file_read(path, &b, NULL) == SF_OK && model_part_parse_state(sf_buf_str(&b), &part);
        out->total = known ? part.total : out->bytes;
        out->bytes = known ? model_part_done(&part) : 0;
        sf_buf_fini(&b);
    } else {
        out->verified = model_stamp_read(path, &stamp);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct model_local *one = a, *two = b;
    return strcmp(one->file, two->file);
}

enum sf_err model_store_list(const char *dir, struct model_local **out, size_t *n,
                             struct sf_errbuf *eb)
{
    const struct dirent *e;
    *out = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        return errno == ENOENT ? SF_OK : sf_fail_errno(eb, SF_EIO, "%s", dir);
    }
    while (*n < MAX_LOCAL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(*out)->file ||
            (!ends_with(e->d_name, ".gguf") && !ends_with(e->d_name, ".gguf.part"))) {
            continue;
        }
        struct model_local *longer = sf_realloc(*out, (*n + 1) * sizeof *longer);
        if (longer == NULL) {
            free(*out), *out = NULL;
            (void)closedir(d);
            return sf_fail(eb, SF_ENOMEM, "out of memory");
        }
        *out = longer;
        longer[*n] = (struct model_local){.bytes = 0};
        (void)snprintf(longer[*n].file, sizeof longer[*n].file, "%s", e->d_name);
        look_at(dir, &longer[(*n)++]);
    }
    (void)closedir(d);
    if (*n > 1) {
        qsort(*out, *n, sizeof **out, by_name);
    }
    return SF_OK;
}

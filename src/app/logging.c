/* SPDX-License-Identifier: MIT */
#include "app/logging.h"

#include "base/file.h"
#include "base/log.h"
#include "base/log_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum log_level level_of(const struct conf_logging *c)
{
    if (c->debug || c->trace) {
        return LOG_DEBUG;
    }
    return c->info ? LOG_INFO : LOG_WARN;
}

bool logging_is_journal(const char *stream, int fd)
{
    struct stat st;
    struct sf_str rest = sf_str(stream), device;
    uint64_t dev = 0, ino = 0;
    return sf_str_next(&rest, ':', &device) && sf_scan_u64(device, UINT64_MAX, &dev) &&
           sf_scan_u64(rest, UINT64_MAX, &ino) && fstat(fd, &st) == 0 && st.st_dev == dev &&
           st.st_ino == ino;
}

void logging_begin(const struct conf *conf)
{
    const struct conf_logging *c = &conf->logging;
    log_setup(level_of(c), strcmp(c->format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
    log_use_priorities(
        c->priorities > 0 ||
        (c->priorities < 0 && logging_is_journal(conf_env(conf, "JOURNAL_STREAM"), STDERR_FILENO)));
}

void logging_change(const struct conf *conf)
{
    log_set_level(level_of(&conf->logging));
    log_file_limit(conf->logging.max_bytes, (int)conf->logging.keep);
}

static enum sf_err open_at(const struct conf_logging *c, const char *path, struct sf_errbuf *eb)
{
    struct log_file_options o = {.path = path, .max_bytes = c->max_bytes, .keep = (int)c->keep};
    char *dir = sf_path_dir(path);
    enum sf_err err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0700, eb);
    free(dir);
    if (err == SF_OK && log_file_open(&o) != 0) {
        err = sf_fail_errno(eb, SF_EIO, "%s", path);
    }
    if (err == SF_EIO) {
        char why[400];
        (void)snprintf(why, sizeof why, "%.390s", sf_err_text(eb, err));
        err = sf_fail(eb, SF_ECONFIG, "the log's file (logging.%s): %s",
                      c->file[0] != '\0' ? "file" : "record_log", why);
    }
    return err;
}

enum sf_err logging_open_file(const struct conf *conf, const char *name, struct sf_errbuf *eb)
{
    const struct conf_logging *c = &conf->logging;
    struct sf_buf path;
    sf_buf_init(&path, 4096);
    if (c->file[0] != '\0') {
        sf_buf_puts(&path, c->file);
    } else if (c->record_log) {
        sf_buf_printf(&path, "%s/%s/%s/%s", c->logging_dir, conf->wallet.name, conf->wallet.hotkey,
                      name);
    }
    enum sf_err err = path.err;
    if (err == SF_OK && path.n > 0) {
        err = open_at(c, sf_buf_z(&path), eb);
    }
    sf_buf_fini(&path);
    return err;
}

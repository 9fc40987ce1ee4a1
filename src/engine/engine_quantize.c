/* SPDX-License-Identifier: MIT */
#include "engine/engine_quantize.h"

#include "engine/engine_process.h"
#include "engine/protocol.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 50
#define SILENCE_MS 1800000 /* one tensor of the largest model, on a slow disk */

struct run {
    const struct engine_quantize_order *o;
    int fd;
    bool done;
};

static enum sf_err on_hello(struct run *r, const json_t *m, struct sf_errbuf *eb)
{
    const char *version = json_get_string(m, "version");
    json_t *type = r->o->output_type == NULL ? json_null() : json_string(r->o->output_type);
    if (version == NULL || strcmp(version, STORYFI_VERSION) != 0) {
        json_decref(type);
        return sf_fail(eb, SF_ECONFIG, "%s is of another version: install both from one build",
                       r->o->engine_path);
    }
    return protocol_write(r->fd,
                          json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "type", "quantize", "input",
                                    r->o->input, "output", r->o->output, "to", r->o->type,
                                    "output_type", type, "lib_dir", r->o->lib_dir));
}

static enum sf_err on_message(struct run *r, const json_t *m, struct sf_errbuf *eb)
{
    const char *type = json_get_string(m, "type");
    if (strcmp(type, "hello") == 0) {
        return on_hello(r, m, eb);
    }
    if (strcmp(type, "error") == 0) {
        const char *text = json_get_string(m, "text");
        return sf_fail(eb, protocol_error_code(json_get_string(m, "code")), "%s",
                       text == NULL ? "no reason given" : text);
    }
    int64_t done = 0;
    if (strcmp(type, "loading") == 0 && json_get_int(m, "done", &done) &&
        r->o->on_progress != NULL) {
        r->o->on_progress(r->o->arg, (int)(done < 0 ? 0 : done > 1000 ? 1000 : done));
    }
    r->done = strcmp(type, "quantized") == 0;
    return SF_OK;
}

static enum sf_err read_all(struct run *r, struct protocol_reader *reader, struct sf_errbuf *eb)
{
    enum sf_err err = protocol_fill(reader, r->fd);
    for (json_t *m = NULL; err == SF_OK && !r->done; json_decref(m)) {
        m = NULL;
        err = protocol_next(reader, &m);
        if (err != SF_OK || m == NULL) {
            break;
        }
        err = on_message(r, m, eb);
    }
    return err;
}

static enum sf_err follow(struct run *r, struct sf_errbuf *eb)
{
    struct protocol_reader reader;
    enum sf_err err = SF_OK;
    struct sf_time heard = sf_now();
    protocol_reader_init(&reader);
    while (err == SF_OK && !r->done) {
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        if (r->o->cancel != NULL && atomic_load(r->o->cancel)) {
            err = sf_fail(eb, SF_ECANCELED, "canceled");
        } else if (poll(&p, 1, POLL_MS) > 0) {
            heard = sf_now();
            err = read_all(r, &reader, eb);
        } else if (-sf_until(heard) > SILENCE_MS) {
            err = sf_fail(eb, SF_ESLOW, "the engine says nothing for half an hour");
        }
    }
    protocol_reader_fini(&reader);
    return err;
}

enum sf_err engine_quantize(const struct engine_quantize_order *o, struct sf_errbuf *eb)
{
    struct run r = {.o = o, .fd = -1};
    pid_t pid = 0;
    char how[120];
    int program = -1, fd = open(o->engine_path, O_PATH | O_CLOEXEC);
    if (fd >= 0) { /* away from descriptor 3, which becomes the child's socket */
        program = fcntl(fd, F_DUPFD_CLOEXEC, 16);
        (void)close(fd);
    }
    if (program < 0) {
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "helper program %s is not there: it is built when the llama libraries are "
                       "(make setup, then make)",
                       o->engine_path);
    }
    enum sf_err err = engine_process_start(program, o->lib_dir, o->environment, &pid, &r.fd, eb);
    (void)close(program);
    if (err != SF_OK) {
        return err;
    }
    err = follow(&r, eb);
    if (err != SF_OK && err != SF_ECRASH) {
        (void)kill(-pid, SIGKILL);
    }
    (void)close(r.fd);
    (void)engine_process_end(pid, how, sizeof how);
    return err == SF_ECRASH
               ? sf_fail(eb, err, "the engine ended while it wrote %s: %s", o->output, how)
               : err;
}

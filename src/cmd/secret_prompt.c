/* SPDX-License-Identifier: MIT */
#include "cmd/secret_prompt.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3
#define CTRL_D 4

/* One line; signals of the keyboard are off, so that the echo always comes back on. */
static enum sf_err read_line(int fd, struct sf_buf *out, struct sf_errbuf *eb)
{
    char c = 0;
    for (;;) {
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || c == CTRL_C || c == CTRL_D) {
            return sf_fail(eb, SF_ECANCELED, "canceled, nothing was done");
        }
        if (c == '\n' || c == '\r') {
            return out->err;
        }
        sf_buf_putc(out, c);
    }
}

static void trim(struct sf_buf *b)
{
    struct sf_buf copy;
    struct sf_str s = sf_str_trim(sf_buf_str(b));
    if (s.n == b->n) {
        return;
    }
    sf_buf_init(&copy, b->cap);
    sf_buf_add_str(&copy, s);
    sf_buf_wipe(b);
    *b = copy;
}

enum sf_err secret_ask(const char *prompt, struct sf_buf *out, struct sf_errbuf *eb)
{
    struct termios before, silent;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &before) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return sf_fail(eb, SF_EUNAVAILABLE, "there is no terminal to ask on");
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_cc[VEOL] = CTRL_C; /* handed over at once, not with the line */
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    (void)dprintf(fd, "%s: ", prompt);
    enum sf_err err = read_line(fd, out, eb);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)dprintf(fd, "\n");
    (void)close(fd);
    trim(out);
    if (err == SF_OK && out->n == 0) {
        err = sf_fail(eb, SF_ECANCELED, "nothing was typed, nothing was done");
    }
    return err;
}

enum sf_err secret_ask_twice(const char *prompt, struct sf_buf *out, struct sf_errbuf *eb)
{
    struct sf_buf again;
    sf_buf_init(&again, out->cap);
    enum sf_err err = secret_ask(prompt, out, eb);
    if (err == SF_OK) {
        err = secret_ask("The same again", &again, eb);
    }
    if (err == SF_OK &&
        (out->n != again.n || !sf_equal_const_time(sf_buf_z(out), sf_buf_z(&again), out->n))) {
        err = sf_fail(eb, SF_EINVAL, "the two differ, nothing was done");
    }
    sf_buf_wipe(&again);
    return err;
}

enum sf_err secret_get(const char *prompt, struct sf_buf *out, struct sf_errbuf *eb)
{
    if (isatty(STDIN_FILENO) == 1) {
        return secret_ask(prompt, out, eb);
    }
    char piece[512];
    ssize_t n;
    while ((n = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
        if (n < 0 && errno != EINTR) {
            break;
        }
        sf_buf_add(out, piece, n < 0 ? 0 : (size_t)n);
    }
    sf_wipe(piece, sizeof piece);
    trim(out);
    if (n < 0) {
        return sf_fail_errno(eb, SF_EIO, "standard input");
    }
    if (out->err != SF_OK) {
        return sf_fail(eb, out->err, "standard input holds more than a secret");
    }
    return out->n > 0 ? SF_OK : sf_fail(eb, SF_EINVAL, "standard input is empty");
}

static const char *variable(void *arg, const char *name)
{
    return conf_env(arg, name);
}

static enum sf_err ask(void *arg, const char *path, struct sf_buf *password, struct sf_errbuf *eb)
{
    char prompt[4200];
    (void)arg;
    (void)snprintf(prompt, sizeof prompt, "Password of %s", path);
    return secret_ask(prompt, password, eb);
}

struct wallet_unlock secret_unlock(const struct conf *conf)
{
    return (struct wallet_unlock){.variable = variable, .ask = ask, .arg = (void *)(uintptr_t)conf};
}

/* SPDX-License-Identifier: MIT */
#include "generator/script_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 20
#define STDERR_KEPT 4096

/* Our ends of the three pipes; -1 when closed. */
struct pipes {
    int in, out, err;
};

void script_run_init(struct script_run *r, size_t max_output_bytes)
{
    sf_buf_init(&r->output, max_output_bytes);
    sf_buf_init(&r->stderr_tail, 2 * STDERR_KEPT);
}

void script_run_fini(struct script_run *r)
{
    sf_buf_fini(&r->output);
    sf_buf_fini(&r->stderr_tail);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static int spawn(struct script_run *r, int fds[static 6], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attr);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setsigdefault(&attr, &all);
    (void)posix_spawnattr_setpgroup(&attr, 0);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    (void)posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, fds[3], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, fds[5], STDERR_FILENO);
    int failed = posix_spawn(pid, r->argv[0], &actions, &attr, r->argv, r->environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    return failed;
}

static enum sf_err start(struct script_run *r, struct pipes *p, pid_t *pid, struct sf_errbuf *eb)
{
    int fds[6] = {-1, -1, -1, -1, -1, -1}; /* read and write end of stdin, stdout, stderr */
    enum sf_err err = SF_OK;
    for (int i = 0; i < 6 && err == SF_OK; i += 2) {
        if (pipe2(fds + i, O_CLOEXEC) != 0) {
            err = sf_fail_errno(eb, SF_EUNAVAILABLE, "pipe");
        }
    }
    int failed = err == SF_OK ? spawn(r, fds, pid) : 0;
    if (failed != 0) {
        errno = failed;
        err = sf_fail_errno(eb, SF_EUNAVAILABLE, "does not start (%s)", r->argv[0]);
    }
    close_fd(&fds[0]);
    close_fd(&fds[3]);
    close_fd(&fds[5]);
    if (err != SF_OK) {
        close_fd(&fds[1]);
        close_fd(&fds[2]);
        close_fd(&fds[4]);
        return err;
    }
    *p = (struct pipes){.in = fds[1], .out = fds[2], .err = fds[4]};
    for (int i = 1; i <= 4; i += i == 1 ? 1 : 2) {
        (void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return SF_OK;
}

static void feed(struct script_run *r, struct pipes *p)
{
    ssize_t n = r->input.n == 0 ? 0 : write(p->in, r->input.p, r->input.n);
    if (n > 0) {
        r->input.p += n;
        r->input.n -= (size_t)n;
    }
    bool gone = n < 0 && errno != EAGAIN && errno != EINTR; /* it does not read: its business */
    if (r->input.n == 0 || gone) {
        close_fd(&p->in);
    }
}

/* Reads once; closes at the end of file. Returns the bytes read. */
static size_t drain(int *fd, char *chunk, size_t size)
{
    ssize_t n = read(*fd, chunk, size);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close_fd(fd);
    }
    return n > 0 ? (size_t)n : 0;
}

static void keep_tail(struct sf_buf *b, const char *p, size_t n)
{
    size_t drop = n > STDERR_KEPT ? n - STDERR_KEPT : 0;
    p += drop;
    n -= drop;
    if (b->n + n > b->cap) {
        size_t keep = STDERR_KEPT;
        memmove(b->p, b->p + b->n - keep, keep + 1);
        b->n = keep;
    }
    sf_buf_add(b, p, n);
}

/* Moves bytes until stdout is closed. */
static enum sf_err converse(struct script_run *r, struct pipes *p)
{
    char chunk[16384];
    while (p->out >= 0) {
        struct pollfd fds[3] = {{.fd = p->in, .events = POLLOUT},
                                {.fd = p->out, .events = POLLIN},
                                {.fd = p->err, .events = POLLIN}};
        if (r->cancel != NULL && atomic_load(r->cancel)) {
            return SF_ECANCELED;
        }
        if (sf_until(r->deadline) <= 0) {
            return SF_EDEADLINE;
        }
        (void)poll(fds, 3, POLL_MS);
        if (fds[0].revents != 0) {
            feed(r, p);
        }
        if (fds[2].revents != 0) {
            keep_tail(&r->stderr_tail, chunk, drain(&p->err, chunk, sizeof chunk));
        }
        size_t n = fds[1].revents == 0 ? 0 : drain(&p->out, chunk, sizeof chunk);
        sf_buf_add(&r->output, chunk, n);
        if (r->output.err != SF_OK) {
            return r->output.err;
        }
        if (r->on_progress != NULL) { /* it lives: its own timeout bounds it, not want of output */
            r->on_progress(r->progress_arg, r->output.n);
        }
    }
    return SF_OK;
}

/* The leader may close stdout before it ends: its exit status counts, within the same bounds. */
static enum sf_err wait_exit(struct script_run *r, pid_t pid, int *status)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (r->cancel != NULL && atomic_load(r->cancel)) {
            return SF_ECANCELED;
        }
        if (sf_until(r->deadline) <= 0) {
            return SF_EDEADLINE;
        }
        (void)poll(NULL, 0, 2);
    }
    return SF_OK;
}

enum sf_err script_run(struct script_run *r, struct sf_errbuf *eb)
{
    struct pipes p = {-1, -1, -1};
    pid_t pid = 0;
    int status = 0;
    char chunk[4096];
    enum sf_err err = start(r, &p, &pid, eb);
    if (err != SF_OK) {
        return err;
    }
    err = converse(r, &p);
    bool ended = false;
    if (err == SF_OK) {
        err = wait_exit(r, pid, &status);
        ended = err == SF_OK;
    }
    (void)kill(-pid, SIGKILL); /* whoever is left of the group, whatever happened */
    if (!ended) {
        (void)waitpid(pid, &status, 0);
    }
    if (p.err >= 0) {
        keep_tail(&r->stderr_tail, chunk, drain(&p.err, chunk, sizeof chunk));
    }
    r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    r->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    close_fd(&p.in);
    close_fd(&p.out);
    close_fd(&p.err);
    return err;
}

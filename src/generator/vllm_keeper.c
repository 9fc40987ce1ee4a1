/* SPDX-License-Identifier: MIT */
#include "generator/vllm_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 50

/* What the keeper says: first whether the program started (an errno), then how it ended. */
struct report {
    int failed;
    int status;
};

/* Everything the keeper needs, made before the fork: behind it only async-signal-safe calls are
 * allowed, since other threads of ours may have held any lock. */
struct plan {
    const struct keeper_options *o;
    int control, output, report; /* the keeper's ends */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

/* ---------------------------------------------------------------------------- in the keeper */

static void close_between(unsigned first, unsigned last)
{
    if (first > last) {
        return;
    }
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0U) == 0) {
        return;
    }
#endif
    for (unsigned fd = first; fd <= last && fd < 65536; fd++) {
        (void)close((int)fd);
    }
}

/* No socket, lock or file of ours may stay open in the keeper: it could outlive us for stop_ms. */
static void close_all_but(const struct plan *p)
{
    unsigned keep[3] = {(unsigned)p->control, (unsigned)p->output, (unsigned)p->report}, first = 3;
    for (;;) {
        unsigned next = UINT_MAX;
        for (int i = 0; i < 3; i++) {
            next = keep[i] >= first && keep[i] < next ? keep[i] : next;
        }
        close_between(first, next == UINT_MAX ? UINT_MAX : next - 1);
        if (next == UINT_MAX) {
            return;
        }
        first = next + 1;
    }
}

static void take_signals(void)
{
    sigset_t none;
    for (int i = 1; i < NSIG; i++) {
        (void)signal(i, SIG_DFL); /* refused for SIGKILL and SIGSTOP */
    }
    /* The group is sent SIGTERM; a terminal's Ctrl-C is for the parent, which then closes control.
     */
    static const int ignored[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(const struct plan *p, int failed, int status)
{
    struct report r = {failed, status};
    (void)!write(p->report, &r, sizeof r); /* smaller than a pipe's buffer: whole or not at all */
}

_Noreturn static void keep(const struct plan *p)
{
    pid_t program = 0;
    int status = 0;
    int64_t kill_at = 0;
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_NAME, "storyfi-keeper");
    (void)prctl(PR_SET_DUMPABLE, 0); /* our memory is a copy of the parent's, keys included */
    take_signals();
    close_all_but(p);
    int failed = posix_spawn(&program, p->o->path, &p->actions, &p->attributes, p->o->argv,
                             p->o->environment);
    say(p, failed, 0);
    (void)close(p->output);
    while (failed == 0) {
        struct pollfd control = {.fd = p->control, .events = POLLIN};
        if (waitpid(program, &status, WNOHANG) == program) {
            say(p, 0, status);
            break;
        }
        if (kill_at != 0 && now_ms() >= kill_at) {
            (void)kill(program, SIGKILL); /* the group when it is reaped */
        }
        /* Once asked to end the pipe is readable for ever: only the time counts then. */
        int ready = poll(&control, kill_at == 0 ? 1 : 0, POLL_MS);
        if (ready > 0 && kill_at == 0) {
            kill_at = now_ms() + p->o->stop_ms;
            (void)kill(0, SIGTERM);
        }
    }
    (void)kill(0, SIGKILL); /* workers that are left, and the keeper */
    _exit(0);
}

/* ---------------------------------------------------------------------------- in the parent */

static void prepare(struct plan *p)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&p->actions);
    (void)posix_spawn_file_actions_addopen(&p->actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&p->actions, p->output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&p->actions, p->output, STDERR_FILENO);
    (void)posix_spawnattr_init(&p->attributes);
    (void)posix_spawnattr_setsigmask(&p->attributes, &none);
    (void)posix_spawnattr_setsigdefault(&p->attributes, &all);
    (void)posix_spawnattr_setflags(&p->attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static bool read_report(struct keeper *k, int patience_ms, struct report *out)
{
    struct pollfd fd = {.fd = k->report, .events = POLLIN};
    return k->report >= 0 && poll(&fd, 1, patience_ms) > 0 &&
           read(k->report, out, sizeof *out) == (ssize_t)sizeof *out;
}

static void describe(int status, char *how, size_t n)
{
    if (WIFSIGNALED(status)) {
        (void)snprintf(how, n, "killed by signal %d (%s)", WTERMSIG(status),
                       sigdescr_np(WTERMSIG(status)));
    } else {
        (void)snprintf(how, n, "exit status %d", WEXITSTATUS(status));
    }
}

/* Kills what is left of the group while the unreaped keeper still holds its number, then reaps. */
static void bury(struct keeper *k)
{
    (void)kill(-k->pid, SIGKILL);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    k->pid = 0;
}

static enum sf_err fork_keeper(const struct plan *p, const int fds[static 6], struct keeper *k,
                               struct sf_errbuf *eb)
{
    struct report r = {0};
    k->pid = fork();
    if (k->pid == 0) {
        keep(p);
    }
    if (k->pid < 0) {
        k->pid = 0;
        return sf_fail_errno(eb, SF_EUNAVAILABLE, "fork");
    }
    (void)setpgid(k->pid, k->pid); /* both do: whoever is first */
    for (int i = 0; i < 3; i++) {
        (void)close(fds[i == 0 ? 0 : 2 * i + 1]); /* so that the end of file is seen */
    }
    *k = (struct keeper){.pid = k->pid, .control = fds[1], .output = fds[2], .report = fds[4]};
    (void)fcntl(k->output, F_SETFL, O_NONBLOCK);
    bool told = read_report(k, 10000, &r);
    if (told && r.failed == 0) {
        return SF_OK;
    }
    errno = r.failed;
    enum sf_err err = told ? sf_fail_errno(eb, SF_EUNAVAILABLE, "%s does not start", p->o->path)
                           : sf_fail(eb, SF_EUNAVAILABLE, "%s: its keeper died", p->o->path);
    bury(k);
    keeper_end(k, 0);
    return err;
}

enum sf_err keeper_start(const struct keeper_options *o, struct keeper *k, struct sf_errbuf *eb)
{
    int fds[6] = {-1, -1, -1, -1, -1, -1}; /* read and write end of control, output, report */
    *k = (struct keeper){.control = -1, .output = -1, .report = -1};
    for (int i = 0; i < 6; i += 2) {
        if (pipe2(fds + i, O_CLOEXEC) != 0) {
            enum sf_err err = sf_fail_errno(eb, SF_EUNAVAILABLE, "pipe");
            for (int j = 0; j < 6; j++) {
                close_fd(&fds[j]);
            }
            return err;
        }
    }
    struct plan p = {.o = o, .control = fds[0], .output = fds[3], .report = fds[5]};
    prepare(&p);
    enum sf_err err = fork_keeper(&p, fds, k, eb);
    (void)posix_spawn_file_actions_destroy(&p.actions);
    (void)posix_spawnattr_destroy(&p.attributes);
    return err;
}

bool keeper_has_ended(struct keeper *k, char *how, size_t n)
{
    siginfo_t info = {0};
    struct report r = {0};
    if (k->pid == 0) {
        return true;
    }
    if (waitid(P_PID, (id_t)k->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
        return false;
    }
    if (read_report(k, 0, &r)) {
        describe(r.status, how, n);
    } else {
        (void)snprintf(how, n, "killed"); /* the keeper went with it: SIGKILL to the group */
    }
    bury(k);
    return true;
}

void keeper_end(struct keeper *k, sf_ms stop_ms)
{
    char how[64];
    struct sf_time until = sf_after(sf_now(), stop_ms + 1000);
    close_fd(&k->control);
    while (!keeper_has_ended(k, how, sizeof how)) {
        if (sf_until(until) <= 0) {
            bury(k);
            break;
        }
        (void)poll(NULL, 0, 10);
    }
    close_fd(&k->output);
    close_fd(&k->report);
}

/* SPDX-License-Identifier: MIT */
#include "engine/engine_process.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 128
#define END_MS 300

static enum sf_err make_sockets(int fds[static 2], struct sf_errbuf *eb)
{
    struct timeval patience = {.tv_sec = 2};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        return sf_fail_errno(eb, SF_EIO, "socketpair");
    }
    (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return SF_OK;
}

static void set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawnattr_setsigmask(attr, &none);
    (void)posix_spawnattr_setsigdefault(attr, &all);
    (void)posix_spawnattr_setpgroup(attr, 0);
    (void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

static int spawn(const char *path, int socket, char *const *envp, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char name[] = "storyfi-engine";
    char *argv[] = {name, NULL};
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attr);
    set_attributes(&attr);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, socket, ENGINE_CHILD_FD);
    int failed = posix_spawn(pid, path, &actions, &attr, argv, envp);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    return failed;
}

enum sf_err engine_process_start(int program_fd, const char *lib_dir,
                                 const char *const *environment, pid_t *pid, int *fd,
                                 struct sf_errbuf *eb)
{
    int fds[2] = {-1, -1};
    char path[64];
    char *envp[ENVIRONMENT_MAX + 2];
    size_t n = 0;
    struct sf_buf library_path;
    sf_buf_init(&library_path, 8192);
    enum sf_err err = make_sockets(fds, eb);
    if (err != SF_OK) {
        goto out;
    }
    for (; environment != NULL && environment[n] != NULL && n < ENVIRONMENT_MAX; n++) {
        envp[n] = (char *)(uintptr_t)environment[n]; /* posix_spawn's prototype drops const */
    }
    if (lib_dir[0] != '\0') {
        sf_buf_printf(&library_path, "LD_LIBRARY_PATH=%s", lib_dir);
        err = library_path.err;
        envp[n++] = library_path.p;
    }
    envp[n] = NULL;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", program_fd);
    int failed = err == SF_OK ? spawn(path, fds[1], envp, pid) : 0;
    if (failed != 0) {
        errno = failed;
        err = sf_fail_errno(eb, SF_EUNAVAILABLE, "storyfi-engine does not start");
    }
out:
    if (fds[1] >= 0) {
        (void)close(fds[1]);
    }
    if (err != SF_OK && fds[0] >= 0) {
        (void)close(fds[0]);
        fds[0] = -1;
    }
    *fd = fds[0];
    sf_buf_fini(&library_path);
    return err;
}

/* A child that ends by itself gets a moment, so that its own exit status is what is told. */
static bool reap(pid_t pid, sf_ms patience, int *status)
{
    struct sf_time until = sf_after(sf_now(), patience);
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR)) {
            return true;
        }
        if (sf_until(until) <= 0) {
            return false;
        }
        (void)poll(NULL, 0, 5);
    }
}

static void say_exit(int code, char *how, size_t n)
{
    const char *why = code == ENGINE_EXIT_MEMORY ? ": out of memory, the library ended it"
                      : code == 127 ? ": a library or symbol that it needs is missing (make setup)"
                                    : "";
    (void)snprintf(how, n, "exit status %d%s", code, why);
}

int engine_process_end(pid_t pid, char *how, size_t n)
{
    int status = 0;
    bool by_itself = reap(pid, END_MS, &status);
    if (!by_itself) {
        (void)kill(-pid, SIGKILL);
        (void)kill(pid, SIGKILL);
        (void)reap(pid, 5000, &status);
    }
    if (WIFSIGNALED(status)) {
        (void)snprintf(how, n, "killed by signal %d (%s)", WTERMSIG(status),
                       sigdescr_np(WTERMSIG(status)));
    } else {
        say_exit(WEXITSTATUS(status), how, n);
    }
    return by_itself ? status : -1;
}

/* SPDX-License-Identifier: MIT */
#include "miner/notify.h"

#include "base/log.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXTEND_EVERY_MS 20000

static void say(const struct notify *n, const char *text)
{
    if (n->fd >= 0 && send(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        log_event(LOG_DEBUG, LOG_MAIN, "systemd was not told", LOG_S("text", text));
    }
}

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || n >= sizeof to.sun_path) {
        log_event(LOG_WARN, LOG_MAIN, "NOTIFY_SOCKET is no socket's name", LOG_S("value", path));
        return -1;
    }
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') {
        to.sun_path[0] = '\0'; /* the abstract namespace */
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size) != 0) {
        (void)close(fd);
        fd = -1;
    }
    if (fd < 0) {
        log_event(LOG_WARN, LOG_MAIN, "nobody listens at NOTIFY_SOCKET", LOG_S("value", path));
    }
    return fd;
}

/* Half of what systemd waits for, when it waits for this process. */
static sf_ms watchdog_of(const struct conf *conf)
{
    uint64_t us = 0, pid = 0;
    const char *for_pid = conf_env(conf, "WATCHDOG_PID");
    if (!sf_scan_u64(sf_str(conf_env(conf, "WATCHDOG_USEC")), UINT32_MAX * UINT64_C(1000), &us)) {
        return 0;
    }
    if (for_pid != NULL &&
        (!sf_scan_u64(sf_str(for_pid), INT32_MAX, &pid) || pid != (uint64_t)getpid())) {
        return 0;
    }
    sf_ms half = (sf_ms)(us / 2000);
    return half > 0 ? half : 1;
}

void notify_init(struct notify *n, const struct conf *conf)
{
    const char *path = conf_env(conf, "NOTIFY_SOCKET");
    *n = (struct notify){.fd = path == NULL || path[0] == '\0' ? -1 : connect_to(path)};
    if (n->fd >= 0) {
        n->watchdog_ms = watchdog_of(conf);
    }
}

void notify_tick(struct notify *n, bool ready, const char *status)
{
    char text[sizeof n->status + 16];
    if (n->fd < 0) {
        return;
    }
    if (ready && !n->ready) {
        n->ready = true;
        say(n, "READY=1");
    } else if (!n->ready && sf_until(n->next_extend) <= 0) {
        n->next_extend = sf_after(sf_now(), EXTEND_EVERY_MS);
        say(n, "EXTEND_TIMEOUT_USEC=60000000");
    }
    if (strncmp(n->status, status, sizeof n->status - 1) != 0) {
        (void)snprintf(n->status, sizeof n->status, "%s", status);
        (void)snprintf(text, sizeof text, "STATUS=%s", n->status);
        say(n, text);
    }
    if (n->watchdog_ms > 0 && sf_until(n->next_sign) <= 0) {
        n->next_sign = sf_after(sf_now(), n->watchdog_ms);
        say(n, "WATCHDOG=1");
    }
}

void notify_stopping(struct notify *n)
{
    say(n, "STOPPING=1");
}

void notify_fini(struct notify *n)
{
    if (n->fd >= 0) {
        (void)close(n->fd);
        n->fd = -1;
    }
}

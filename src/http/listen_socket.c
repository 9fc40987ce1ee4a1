/* SPDX-License-Identifier: MIT */
#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum sf_err listen_socket_open(const char *ip, uint16_t port, int *out, uint16_t *bound_port,
                               struct sf_errbuf *eb)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound = {0};
    socklen_t n = sizeof bound;
    int yes = 1;
    (void)snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(ip, service, &hints, &found) != 0) {
        return sf_fail(eb, SF_ECONFIG, "%s is not an IP address", ip);
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 511) == 0 &&
              getsockname(fd, (struct sockaddr *)&bound, &n) == 0;
    freeaddrinfo(found);
    if (!ok) {
        enum sf_err err = sf_fail_errno(eb, SF_EIO, "cannot listen on %s port %u", ip, port);
        if (fd >= 0) {
            (void)close(fd);
        }
        return err;
    }
    /* NOLINTNEXTLINE: filled by getsockname where ok is true */
    *bound_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                    : ((struct sockaddr_in *)&bound)->sin_port);
    *out = fd;
    return SF_OK;
}

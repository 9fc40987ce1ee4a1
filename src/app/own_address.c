/* SPDX-License-Identifier: MIT */
#include "app/own_address.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

bool own_address(const char *ip)
{
    struct ifaddrs *all = NULL;
    bool own = strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0 || strncmp(ip, "127.", 4) == 0;
    if (own || getifaddrs(&all) != 0) {
        return true;
    }
    for (const struct ifaddrs *a = all; a != NULL && !own; a = a->ifa_next) {
        char text[NI_MAXHOST];
        int family = a->ifa_addr == NULL ? AF_UNSPEC : a->ifa_addr->sa_family;
        socklen_t n = family == AF_INET6 ? 28 : 16; /* struct sockaddr_in6, sockaddr_in */
        own = (family == AF_INET || family == AF_INET6) &&
              getnameinfo(a->ifa_addr, n, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
              strcmp(text, ip) == 0;
    }
    freeifaddrs(all);
    return own;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/extrinsic.h"

#include <arpa/inet.h>
#include <string.h>

void axon_info_read(struct scale_in *in, struct axon_info *out)
{
    out->block = scale_u64(in);
    out->version = scale_u32(in);
    out->ip = scale_u128(in);
    out->port = scale_u16(in);
    out->ip_type = scale_u8(in);
    out->protocol = scale_u8(in);
    out->placeholder1 = scale_u8(in);
    out->placeholder2 = scale_u8(in);
}

bool axon_info_same(const struct axon_info *a, const struct axon_info *b)
{
    return a->version == b->version && a->ip.low == b->ip.low && a->ip.high == b->ip.high &&
           a->port == b->port && a->ip_type == b->ip_type && a->protocol == b->protocol &&
           a->placeholder1 == b->placeholder1 && a->placeholder2 == b->placeholder2;
}

static uint64_t big(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 8U | p[i];
    }
    return v;
}

enum sf_err axon_ip_parse(const char *text, struct axon_info *out, struct sf_errbuf *eb)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        out->ip = (struct scale_u128){.low = big(bytes, 4)};
        out->ip_type = 4;
        return SF_OK;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        out->ip = (struct scale_u128){.low = big(bytes + 8, 8), .high = big(bytes, 8)};
        out->ip_type = 6;
        return SF_OK;
    }
    return sf_fail(eb, SF_EINVAL, "\"%.60s\" is no IP address", text);
}

void axon_ip_print(const struct axon_info *a, char out[static AXON_IP_MAX])
{
    uint8_t bytes[16];
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(a->ip.high >> (8 * (7 - i)));
        bytes[8 + i] = (uint8_t)(a->ip.low >> (8 * (7 - i)));
    }
    out[0] = '\0';
    if (a->ip_type == 4) {
        (void)inet_ntop(AF_INET, bytes + 12, out, AXON_IP_MAX);
    } else if (a->ip_type == 6) {
        (void)inet_ntop(AF_INET6, bytes, out, AXON_IP_MAX);
    }
}

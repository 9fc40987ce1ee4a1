/* SPDX-License-Identifier: MIT */
#include "bittensor/merlin.h"

#include "base/err.h"
#include "base/mem.h"
#include "bittensor/keccak.h"

#include <string.h>

#define STROBE_RATE 166
enum { FLAG_I = 1, FLAG_A = 2, FLAG_C = 4, FLAG_M = 16, FLAG_K = 32 };

static void run_f(struct strobe *s)
{
    s->state[s->pos] ^= s->pos_begin;
    s->state[s->pos + 1] ^= 0x04;
    s->state[STROBE_RATE + 1] ^= 0x80;
    keccak_f1600(s->state);
    s->pos = 0;
    s->pos_begin = 0;
}

static void step(struct strobe *s)
{
    if (++s->pos == STROBE_RATE) {
        run_f(s);
    }
}

static void absorb(struct strobe *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->state[s->pos] ^= p[i];
        step(s);
    }
}

static void begin(struct strobe *s, uint8_t flags, bool more)
{
    if (more) {
        SF_BUG_ON(s->flags != flags);
        return;
    }
    uint8_t head[2] = {s->pos_begin, flags};
    s->pos_begin = (uint8_t)(s->pos + 1);
    s->flags = flags;
    absorb(s, head, sizeof head);
    if ((flags & (FLAG_C | FLAG_K)) != 0 && s->pos != 0) {
        run_f(s);
    }
}

void strobe_init(struct strobe *s, struct sf_str protocol_label)
{
    static const uint8_t head[] = {1, STROBE_RATE + 2, 1, 0, 1, 96};
    *s = (struct strobe){.pos = 0};
    memcpy(s->state, head, sizeof head);
    memcpy(s->state + sizeof head, "STROBEv1.0.2", 12);
    keccak_f1600(s->state);
    strobe_meta_ad(s, protocol_label.p, protocol_label.n, false);
}

void strobe_meta_ad(struct strobe *s, const void *data, size_t n, bool more)
{
    begin(s, FLAG_M | FLAG_A, more);
    absorb(s, data, n);
}

void strobe_ad(struct strobe *s, const void *data, size_t n, bool more)
{
    begin(s, FLAG_A, more);
    absorb(s, data, n);
}

void strobe_prf(struct strobe *s, uint8_t *out, size_t n)
{
    begin(s, FLAG_I | FLAG_A | FLAG_C, false);
    for (size_t i = 0; i < n; i++) {
        out[i] = s->state[s->pos];
        s->state[s->pos] = 0;
        step(s);
    }
}

void strobe_key(struct strobe *s, const void *data, size_t n)
{
    const uint8_t *p = data;
    begin(s, FLAG_A | FLAG_C, false);
    for (size_t i = 0; i < n; i++) {
        s->state[s->pos] = p[i];
        step(s);
    }
}

static void meta_label(struct strobe *s, const char *label, size_t n)
{
    uint8_t length[4];
    for (unsigned i = 0; i < 4; i++) {
        length[i] = (uint8_t)(n >> (8 * i));
    }
    strobe_meta_ad(s, label, strlen(label), false);
    strobe_meta_ad(s, length, sizeof length, true);
}

void merlin_init(struct merlin *t, const char *label)
{
    strobe_init(&t->strobe, SF_STR("Merlin v1.0"));
    merlin_append(t, "dom-sep", label, strlen(label));
}

void merlin_append(struct merlin *t, const char *label, const void *message, size_t n)
{
    meta_label(&t->strobe, label, n);
    strobe_ad(&t->strobe, message, n, false);
}

void merlin_challenge(struct merlin *t, const char *label, uint8_t *out, size_t n)
{
    meta_label(&t->strobe, label, n);
    strobe_prf(&t->strobe, out, n);
}

void merlin_witness_bytes(const struct merlin *t, const char *label,
                          const uint8_t witness[static 32], const uint8_t entropy[static 32],
                          uint8_t out[static 64])
{
    struct strobe fork = t->strobe;
    static const uint8_t length[4] = {64, 0, 0, 0};
    meta_label(&fork, label, 32);
    strobe_key(&fork, witness, 32);
    strobe_meta_ad(&fork, "rng", 3, false);
    strobe_key(&fork, entropy, 32);
    strobe_meta_ad(&fork, length, sizeof length, false);
    strobe_prf(&fork, out, 64);
    sf_wipe(&fork, sizeof fork);
}

/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long fail_countdown = -1;
static atomic_int fail_sticky;

static int must_fail(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0) {
        return 0;
    }
    long left = atomic_fetch_sub(&fail_countdown, 1);
    if (left > 0) {
        return 0;
    }
    atomic_store(&fail_countdown, atomic_load(&fail_sticky) ? 0 : -1);
    return left == 0;
}

void *sf_alloc(size_t n_bytes)
{
    return must_fail() ? NULL : calloc(1, n_bytes > 0 ? n_bytes : 1);
}

void *sf_realloc(void *p, size_t n_bytes)
{
    return must_fail() ? NULL : realloc(p, n_bytes > 0 ? n_bytes : 1);
}

char *sf_strndup(const char *s, size_t n_bytes)
{
    char *copy = sf_alloc(n_bytes + 1);
    if (copy != NULL) {
        memcpy(copy, s, n_bytes);
    }
    return copy;
}

char *sf_strdup(const char *s)
{
    return s == NULL ? NULL : sf_strndup(s, strlen(s));
}

void *sf_xalloc(size_t n_bytes)
{
    void *p = sf_alloc(n_bytes);
    if (p == NULL) {
        fputs("storyfi: out of memory\n", stderr);
        exit(111);
    }
    return p;
}

void sf_mem_fail_after(long n, int sticky)
{
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_countdown, n);
}

void sf_wipe(void *p, size_t n_bytes)
{
    explicit_bzero(p, n_bytes);
}

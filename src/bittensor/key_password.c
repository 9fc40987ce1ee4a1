/* SPDX-License-Identifier: MIT */
#include "bittensor/key_password.h"

#include "base/mem.h"
#include "bittensor/crypto.h"
#include "bittensor/vault.h"

#include <string.h>

void key_password_variable(const char *path, struct sf_buf *name)
{
    sf_buf_puts(name, "BT_PW_");
    for (; *path != '\0'; path++) {
        char c = *path == '/' || *path == '.' ? '_' : *path;
        sf_buf_putc(name, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
}

static void mix(const char *name, uint8_t *bytes, size_t n)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(bytes[i] ^ (uint8_t)name[i % length]);
    }
}

enum sf_err key_password_decode(const char *name, const char *value, struct sf_buf *password,
                                struct sf_errbuf *eb)
{
    uint8_t bytes[VAULT_PASSWORD_MAX];
    size_t n = 0;
    if (!crypto_base64_decode(sf_str(value), false, bytes, sizeof bytes, &n) || n == 0) {
        return sf_fail(eb, SF_EPARSE,
                       "%s is not an encoded password; make it with: storyfi wallet password",
                       name);
    }
    mix(name, bytes, n);
    sf_buf_add(password, bytes, n);
    sf_wipe(bytes, sizeof bytes);
    return password->err;
}

void key_password_encode(const char *name, struct sf_str password, struct sf_buf *value)
{
    uint8_t bytes[VAULT_PASSWORD_MAX];
    char text[4 * (VAULT_PASSWORD_MAX / 3 + 1) + 1];
    SF_BUG_ON(password.n > sizeof bytes);
    memcpy(bytes, password.p, password.n);
    mix(name, bytes, password.n);
    crypto_base64_encode(bytes, password.n, text, sizeof text);
    sf_buf_puts(value, text);
    sf_wipe(bytes, sizeof bytes);
    sf_wipe(text, sizeof text);
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/mnemonic.h"

#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>

extern const struct sf_str bip39_words; /* 2,048 lines, sorted */

#define WORDS 2048U
#define WORD_MAX 8

/* Offsets are found by walking: 2,048 short lines, and only at start-up. */
static struct sf_str word_at(size_t index)
{
    struct sf_str rest = bip39_words, word = {"", 0};
    for (size_t i = 0; i <= index; i++) {
        (void)sf_str_next(&rest, '\n', &word);
    }
    return word;
}

static bool find_word(struct sf_str wanted, unsigned *index)
{
    struct sf_str rest = bip39_words, word;
    for (unsigned i = 0; i < WORDS && sf_str_next(&rest, '\n', &word); i++) {
        if (word.n == wanted.n && memcmp(word.p, wanted.p, word.n) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool is_entropy_length(size_t n)
{
    return n >= 16 && n <= 32 && n % 4 == 0;
}

static unsigned bit_at(const uint8_t *bytes, size_t i)
{
    return ((unsigned)bytes[i / 8] >> (7 - i % 8)) & 1U;
}

enum sf_err mnemonic_encode(const uint8_t *entropy, size_t n, struct sf_buf *out)
{
    uint8_t bits[MNEMONIC_ENTROPY_MAX + 32];
    if (!is_entropy_length(n)) {
        return SF_EINVAL;
    }
    memcpy(bits, entropy, n);
    crypto_sha256(entropy, n, bits + n);
    for (size_t w = 0; w < n * 3 / 4; w++) {
        unsigned index = 0;
        for (size_t i = 0; i < 11; i++) {
            index = index << 1U | bit_at(bits, w * 11 + i);
        }
        sf_buf_puts(out, w == 0 ? "" : " ");
        sf_buf_add_str(out, word_at(index));
    }
    sf_wipe(bits, sizeof bits);
    return out->err;
}

/* Fills `bits` (33 bytes, zeroed) with 11 bits a word; `n_words` gets their number. */
static enum sf_err read_words(struct sf_str phrase, uint8_t bits[static 33], size_t *n_words,
                              struct sf_errbuf *eb)
{
    struct sf_str word;
    size_t n = 0;
    while (sf_str_next(&phrase, ' ', &word)) {
        unsigned index;
        if (n == 24) {
            return sf_fail(eb, SF_EINVAL, "mnemonic: more than 24 words");
        }
        if (word.n > WORD_MAX || !find_word(word, &index)) {
            return sf_fail(eb, SF_EINVAL, "mnemonic: word %zu is not in the English list", n + 1);
        }
        for (size_t i = 0; i < 11; i++) {
            size_t at = n * 11 + i;
            bits[at / 8] = (uint8_t)(bits[at / 8] | (index >> (10 - i) & 1U) << (7 - at % 8));
        }
        n++;
    }
    *n_words = n;
    return SF_OK;
}

enum sf_err mnemonic_decode(struct sf_str phrase, uint8_t entropy[static MNEMONIC_ENTROPY_MAX],
                            size_t *n, struct sf_errbuf *eb)
{
    uint8_t bits[33] = {0}, hash[32];
    size_t n_words = 0;
    enum sf_err err = read_words(phrase, bits, &n_words, eb);
    if (err != SF_OK) {
        goto out;
    }
    if (n_words < 12 || n_words % 3 != 0) {
        err = sf_fail(eb, SF_EINVAL, "mnemonic: %zu words, takes 12, 15, 18, 21 or 24", n_words);
        goto out;
    }
    size_t bytes = n_words * 4 / 3, checksum_bits = n_words / 3;
    crypto_sha256(bits, bytes, hash);
    for (size_t i = 0; i < checksum_bits; i++) {
        if (bit_at(bits, bytes * 8 + i) != bit_at(hash, i)) {
            err = sf_fail(eb, SF_EINVAL,
                          "mnemonic: wrong checksum (a word is misspelt or misplaced)");
            goto out;
        }
    }
    memcpy(entropy, bits, bytes);
    *n = bytes;
out:
    sf_wipe(bits, sizeof bits);
    return err;
}

enum sf_err mnemonic_to_seed(struct sf_str phrase, struct sf_str passphrase,
                             uint8_t seed[static 32], struct sf_errbuf *eb)
{
    uint8_t entropy[MNEMONIC_ENTROPY_MAX], wide[64];
    size_t n = 0;
    struct sf_buf salt;
    sf_buf_init(&salt, 1024);
    sf_buf_puts(&salt, "mnemonic");
    sf_buf_add_str(&salt, passphrase);
    enum sf_err err = salt.err;
    if (err == SF_OK) {
        err = mnemonic_decode(phrase, entropy, &n, eb);
    }
    if (err == SF_OK) {
        err = crypto_pbkdf2_sha512((struct sf_str){(const char *)entropy, n}, sf_buf_str(&salt),
                                   2048, wide, sizeof wide);
    }
    if (err == SF_OK) {
        memcpy(seed, wide, 32);
    }
    sf_wipe(entropy, sizeof entropy);
    sf_wipe(wide, sizeof wide);
    sf_buf_wipe(&salt);
    return err;
}

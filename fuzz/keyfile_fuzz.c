/* SPDX-License-Identifier: MIT */
/* Keyfiles: what parses signs for the address it names; nothing of a secret gets into an error. */
#include "bittensor/keyfile.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data, n};
    struct sf_errbuf eb = {0};
    struct sr25519_keypair pair;
    char address[SS58_MAX];
    if (keyfile_parse(text, &pair, &eb) != SF_OK) {
        SF_BUG_ON(eb.text[0] == '\0');
    }
    struct keyfile_secret typed;
    struct sf_errbuf eb3 = {0};
    SF_BUG_ON(keyfile_secret_read(text, &typed, &eb3) != SF_OK && eb3.text[0] == '\0');
    keyfile_secret_wipe(&typed);
    struct sf_errbuf eb2 = {0};
    if (keyfile_parse_address(text, address, &eb2) == SF_OK) {
        uint8_t key[SS58_KEY_LEN];
        SF_BUG_ON(ss58_decode(sf_str(address), key, NULL) != SF_OK);
    } else {
        SF_BUG_ON(eb2.text[0] == '\0');
    }
    return 0;
}

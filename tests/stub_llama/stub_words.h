/* SPDX-License-Identifier: MIT */
#ifndef STUB_WORDS_H
#define STUB_WORDS_H

#include <stddef.h>

#define STUB_WORD_ROOM 16

/* Word `i` of the stub's vocabulary, NUL-terminated; its length, 0 behind the last. */
size_t stub_word(size_t i, char out[static STUB_WORD_ROOM]);

#endif

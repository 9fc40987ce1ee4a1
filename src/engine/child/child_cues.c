/* SPDX-License-Identifier: MIT */
#include "engine/child/child_cues.h"

const struct cue_book cue_books[CUE_LANGUAGES] = {
#include "engine/child/cues_en.inc"
#include "engine/child/cues_zh.inc"
};

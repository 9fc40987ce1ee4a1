/* SPDX-License-Identifier: MIT */
/* A model's text on its way into a slot: valid UTF-8 inside its bounds, or nothing. */
#include "base/utf8.h"
#include "engine/child/composing.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum slot_form forms[] = {FORM_TITLE, FORM_SENTENCE, FORM_TEXT, FORM_CONTENT};
    if (n < 2) {
        return 0;
    }
    unsigned min = data[1] % 61U, max = min + 20 + data[1];
    enum cue_language lang = (data[0] & 4) != 0 ? CUE_ZH : CUE_EN;
    char *text = clean_text(forms[data[0] % 4], lang,
                            (struct sf_str){(const char *)data + 2, n - 2}, min, max);
    if (text != NULL) {
        struct sf_str s = sf_str(text);
        size_t chars = sf_utf8_count(s);
        SF_BUG_ON(!sf_utf8_is_valid(s));
        SF_BUG_ON(chars < min || chars > max);
        SF_BUG_ON(strpbrk(text, "\r\t") != NULL);
        free(text);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "engine/child/mend_text.h"

#include <string.h>

enum { NAME_ROOM = 160 };

/* "Ines Vidal" for "Captain Ines de Vidal": what a text calls somebody. */
static void short_name(const struct person *p, char out[static NAME_ROOM])
{
    const char *last = strrchr(p->full, ' ');
    if (last && strcmp(last + 1, p->first) != 0)
        (void)snprintf(out, NAME_ROOM, "%s%s", p->first, last);
    else
        (void)snprintf(out, NAME_ROOM, "%s", p->first);
}

/* A word that the model knows when it is written small may be one: "hope", "rose". */
static bool is_word(const struct composer *c, const char *name)
{
    llama_token tokens[32];
    char small[NAME_ROOM + 1];
    size_t n = 0;
    (void)snprintf(small, sizeof small, " %s", name);
    if (small[1] >= 'A' && small[1] <= 'Z')
        small[1] = (char)(small[1] + ('a' - 'A'));
    return model_tokenize(c->m, sf_str(small), false, tokens, 32, &n) != SF_OK || n < 2;
}

void composer_mend_names(const struct composer *c, struct sf_str text, struct sf_buf *out)
{
    char full[STORY_CAST][NAME_ROOM], parts[2 * STORY_CAST][NAME_ROOM];
    const char *names[STORY_CAST], *words[2 * STORY_CAST];
    size_t n = 0, n_words = 0;
    struct sf_buf b;
    if (c->lang != CUE_EN) {
        sf_buf_add_str(out, text);
        return;
    }
    for (size_t i = 0; i < STORY_CAST; i++) {
        struct sf_str rest, word;
        if (!c->cast[i].first[0])
            continue;
        short_name(&c->cast[i], full[n]);
        names[n] = full[n];
        rest = sf_str(full[n++]);
        for (int k = 0; k < 2 && sf_str_next(&rest, ' ', &word); k++) {
            text_copy(parts[n_words], NAME_ROOM, word);
            if (word.n > 2 && !is_word(c, parts[n_words])) {
                words[n_words] = parts[n_words];
                n_words++;
            }
        }
    }
    sf_buf_init(&b, 64U << 10);
    mend_name_words(text, words, n_words, &b);
    mend_surnames(sf_buf_str(&b), names, n, out);
    if (b.err)
        out->err = b.err;
    sf_buf_fini(&b);
}

/* SPDX-License-Identifier: MIT */
#include "story/parts.h"

#include "story/validate.h"

#include <string.h>

/* Whether `inner` lies strictly under `outer`. */
static bool is_under(const char *inner, const char *outer)
{
    size_t n = strlen(outer);
    return strncmp(inner, outer, n) == 0 && inner[n] == '/';
}

static bool has_finer(const char *const *wanted, size_t n, const char *pointer)
{
    for (size_t i = 0; i < n; i++) {
        if (is_under(wanted[i], pointer)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const char *const *wanted, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        bool inside = strcmp(wanted[i], path) == 0 || is_under(wanted[i], path);
        if (inside || (is_under(path, wanted[i]) && !has_finer(wanted, n, wanted[i]))) {
            return true;
        }
    }
    return false;
}

/* The rows up to the end of the run that starts at `i`: all of one array's, or one alone. */
static size_t run_end(const struct story_slot *rows, size_t n, size_t i)
{
    size_t end = i + 1;
    while (strchr(rows[i].path, '*') != NULL && end < n && strchr(rows[end].path, '*') != NULL) {
        end++;
    }
    return end;
}

static bool is_written(const struct story_slot *slot)
{
    return slot->kind != STORY_SLOT_COMPUTED && slot->kind != STORY_SLOT_IDS;
}

static void make_part(struct story_part *p, const struct story_slot *slot, size_t index)
{
    *p = (struct story_part){.slot = slot, .index = index};
    story_slot_path(slot, index, p->path);
    (void)snprintf(p->key, sizeof p->key, "%s", p->path + 1);
    for (char *c = p->key; *c != '\0'; c++) {
        *c = *c == '/' ? '.' : *c;
    }
}

size_t story_parts(const struct story_request *request, const char *const *wanted, size_t n,
                   struct story_part out[static STORY_PARTS_MAX])
{
    size_t n_rows, found = 0;
    const struct story_slot *rows = story_slots(request->task, &n_rows);
    for (size_t i = 0; i < n; i++) {
        if (wanted[i][0] == '\0') {
            return 0;
        }
    }
    for (size_t i = 0, end; i < n_rows; i = end) {
        end = run_end(rows, n_rows, i);
        size_t length = strchr(rows[i].path, '*') == NULL ? 1 : story_array_length(request);
        for (size_t k = 0; k < length * (end - i) && found < STORY_PARTS_MAX; k++) {
            make_part(&out[found], &rows[i + k % (end - i)], k / (end - i));
            found += is_written(out[found].slot) && is_wanted(wanted, n, out[found].path) ? 1 : 0;
        }
    }
    return found;
}

void story_element_id(const struct story_request *request, size_t index, char out[static 24])
{
    if (request->task == STORY_CHARACTERS) {
        (void)snprintf(out, 24, "%s", story_character_ids[index % STORY_CAST]);
    } else {
        int id = request->task == STORY_ARC ? (int)index + 1
                                            : request->chapter_ids[index % STORY_CHAPTERS];
        (void)snprintf(out, 24, "%d", id);
    }
}

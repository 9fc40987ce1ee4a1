/* SPDX-License-Identifier: MIT */
#ifndef SF_FUZZ_H
#define SF_FUZZ_H

#include "base/err.h"
#include "generator/provider.h"
#include "http/message.h"
#include "story/task.h"

/* What every target defines, and what several need. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The bytes from `from` on as text; never NULL. */
static inline struct sf_str fuzz_text(const uint8_t *data, size_t n, size_t from)
{
    bool any = n > from;
    return (struct sf_str){any ? (const char *)data + from : "", any ? n - from : 0};
}

/* How many of `left` bytes come with the next piece of a stream: 1 to 61. */
static inline size_t fuzz_piece(uint32_t *random, size_t left)
{
    *random = *random * 1664525U + 1013904223U;
    size_t piece = 1 + *random % 61;
    return piece < left ? piece : left;
}

static inline const struct provider *fuzz_provider(uint32_t which)
{
    static const struct provider *const all[] = {&provider_openai, &provider_gemini,
                                                 &provider_anthropic, &provider_vllm};
    return all[which % 4];
}

/* A right request of one of the four tasks, for chapters of chapter 3 and 12. */
static inline void fuzz_request(uint8_t which, struct story_request *r)
{
    static const char *const tasks[] = {"blueprint", "characters", "story_arc", "chapters"};
    json_t *body = json_pack("{s:s, s:s, s:[i,i]}", "task_type", tasks[which % 4], "user_input",
                             "sea", "chapter_ids", 3, 12);
    SF_BUG_ON(story_request_init(r, body, NULL) != SF_OK);
    json_decref(body);
}

static inline bool fuzz_is_printable(struct sf_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < ' ' || s.p[i] > '~') {
            return false;
        }
    }
    return true;
}

/* "name: value" lines; the number of those that are. */
static inline size_t fuzz_headers(struct sf_str text, struct http_header *list, size_t most)
{
    struct sf_str line;
    size_t n = 0;
    while (n < most && sf_str_next(&text, '\n', &line)) {
        size_t colon = sf_str_find(line, SF_STR(":"));
        if (colon < line.n) {
            struct sf_str value = {line.p + colon + 1, line.n - colon - 1};
            list[n++] = (struct http_header){sf_str_trim((struct sf_str){line.p, colon}),
                                             sf_str_trim(value)};
        }
    }
    return n;
}

#endif

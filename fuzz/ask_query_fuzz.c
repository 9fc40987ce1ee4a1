/* SPDX-License-Identifier: MIT */
/* Arguments of an admin question: what is read lies in its bounds, what is wrong is said. */
#include "fuzz.h"
#include "miner/ask_query.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const words[] = {"blueprint", "chapters"};
    char query[1024], text[16];
    struct sf_str given = fuzz_text(data, n, 0);
    (void)snprintf(query, sizeof query, "%.*s", (int)(given.n > 1000 ? 1000 : given.n), given.p);
    const struct http_request r = {.query = query};
    struct ask q = {.request = &r};
    int64_t limit = ask_number(&q, "limit", 1, 500, 50), id = 0;
    int64_t since = ask_time_ns(&q, "since", 0);
    const char *word = ask_word(&q, "task", words, 2),
               *found = ask_text(&q, "q", text, sizeof text);
    const char *rest = NULL;
    (void)ask_flag(&q, "all");
    SF_BUG_ON(limit < 1 || limit > 500);
    SF_BUG_ON(since < 0 || since > INT64_C(4133980800) * 1000000000);
    SF_BUG_ON(word != NULL && word != words[0] && word != words[1]);
    SF_BUG_ON(found != NULL && (found != text || strlen(text) == 0));
    SF_BUG_ON(memchr(q.wrong, '\0', sizeof q.wrong) == NULL);
    if (ask_path_id(query, "/api/stories/", &id, &rest)) {
        SF_BUG_ON(id < 1 || rest < query || rest > query + strlen(query));
    }
    return 0;
}

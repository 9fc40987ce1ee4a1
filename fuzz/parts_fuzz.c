/* SPDX-License-Identifier: MIT */
/* A model's reply to a request for missing parts: merged, it never holds more than was asked. */
#include "fuzz.h"
#include "story/ask.h"
#include "story/repair.h"
#include "story/unwrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const all[] = {
        "/themes",   "/characters/4/relationships", "/characters",    "/chapters/1/title",
        "/chapters", "/chapters/0/choices",         "/hooks/opening", "/arcs/act2a/description"};
    struct story_request r;
    json_t *reply = NULL, *nested = NULL, *into = json_object();
    if (n > 2 && story_unwrap(fuzz_text(data, n, 2), false, &reply, NULL) == SF_OK) {
        fuzz_request(data[0], &r);
        size_t first = data[1] % 8, count = data[1] / 8 % (9 - first);
        struct story_ask ask = {
            .request = &r, .wanted = all + first, .n_wanted = count, .partial = reply};
        SF_BUG_ON(story_ask_merge_reply(&ask, reply, &nested) != SF_OK);
        SF_BUG_ON(json_object_size(nested) > 4 && nested != reply);
        SF_BUG_ON(story_merge(into, nested, ask.wanted, count) != SF_OK);
        SF_BUG_ON(story_repair(&r, into) != SF_OK);
        json_decref(nested);
        story_request_fini(&r);
    }
    json_decref(reply);
    json_decref(into);
    return 0;
}

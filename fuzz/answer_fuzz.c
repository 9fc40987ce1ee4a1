/* SPDX-License-Identifier: MIT */
/* A generator's text: unwrapped, repaired, validated, scored. Repair never breaks what is valid. */
#include "base/mem.h"
#include "story/repair.h"
#include "story/score.h"
#include "story/unwrap.h"
#include "story/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void request_of(uint8_t which, struct story_request *r)
{
    static const char *const bodies[] = {
        "{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}",
        "{\"task_type\":\"characters\",\"user_input\":\"sea\"}",
        "{\"task_type\":\"story_arc\",\"user_input\":\"sea\"}",
        "{\"task_type\":\"chapters\",\"user_input\":\"sea\",\"chapter_ids\":[1]}",
    };
    json_t *body = NULL;
    SF_BUG_ON(json_parse(sf_str(bodies[which % 4]), JSON_LIMITS_DEFAULT, &body, NULL) != SF_OK);
    SF_BUG_ON(story_request_init(r, body, NULL) != SF_OK);
    json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct story_request r;
    json_t *output = NULL;
    if (n == 0) {
        return 0;
    }
    request_of(data[0], &r);
    struct sf_str text = {(const char *)data + 1, n - 1};
    if (story_unwrap(text, false, &output, NULL) == SF_OK) {
        struct story_report *report = sf_xalloc(sizeof *report);
        bool was_valid = story_validate(&r, output, report);
        SF_BUG_ON(was_valid != (report->total == 0));
        if (story_repair(&r, output) == SF_OK) {
            bool valid = story_validate(&r, output, report);
            const char *wanted[STORY_PROBLEMS_MAX];
            SF_BUG_ON(was_valid && !valid);
            SF_BUG_ON(!valid && story_report_wanted(&r, report, wanted) == 0);
        }
        free(report);
        json_decref(output);
    }
    story_request_fini(&r);
    return 0;
}

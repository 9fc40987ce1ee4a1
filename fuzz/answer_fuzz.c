/* SPDX-License-Identifier: MIT */
/* A generator's text: unwrapped, repaired, validated, scored. Repair never breaks what is valid. */
#include "base/mem.h"
#include "fuzz.h"
#include "story/repair.h"
#include "story/unwrap.h"
#include "story/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct story_request r;
    json_t *output = NULL;
    fuzz_request(n > 0 ? data[0] : 0, &r);
    if (story_unwrap(fuzz_text(data, n, 1), false, &output, NULL) == SF_OK) {
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

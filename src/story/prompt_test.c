/* SPDX-License-Identifier: MIT */
#include "story/prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void placeholders_are_put_in(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rendered;
    } cases[] = {
        {"no placeholder", "no placeholder"},
        {"About ${user_input}!", "About the sea!"},
        {"${task_type}: ${chapter_ids}", "chapters: 3, 1"},
        {"${blueprint_context}", "{\"title\":\"T\"}"},
        {"[${characters_context}]", "[]"},
        {"${context}", "{\"title\":\"T\"}\n"},
        {"${unknown} ${user_input}", "${unknown} the sea"},
        {"${user_input", "${user_input"},
        {"$${user_input}", "$the sea"},
        {"${", "${"},
    };
    struct story_request r;
    json_t *body = NULL;
    assert_int_equal(json_parse(SF_STR("{\"task_type\":\"chapters\",\"user_input\":\"the sea\","
                                       "\"chapter_ids\":[3,1],\"blueprint\":{\"title\":\"T\"}}"),
                                JSON_LIMITS_DEFAULT, &body, NULL),
                     SF_OK);
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sf_buf out;
        sf_buf_init(&out, 4096);
        story_prompt_render(sf_str(cases[i].text), &r, &out);
        assert_string_equal(sf_buf_z(&out), cases[i].rendered);
        sf_buf_fini(&out);
    }
    story_request_fini(&r);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(placeholders_are_put_in)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

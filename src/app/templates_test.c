/* SPDX-License-Identifier: MIT */
#include "app/templates.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *file, *content, *rendered; /* NULL: skipped */
} cases[] = {
    {"blueprint.txt", "Write about ${user_input}.\n", "Write about the sea."},
    {"blueprint.yaml", "prompt: |\n  Dark: ${user_input}\n", "Dark: the sea"},
    {"blueprint.yml", "template: \"Light: ${user_input}\"\n", "Light: the sea"},
    {"blueprint.json", "{\"user_prompt\":\"Odd: ${user_input}\"}", "Odd: the sea"},
    {"blueprint.json", "\"Only a text\"", "Only a text"},
    {"blueprint.yaml", "prompt: [broken", NULL},
    {"blueprint.json", "{\"prompt\":", NULL},
    {"blueprint.json", "{\"other\":\"x\"}", NULL},
    {"blueprint.txt", "  \n", NULL},
    {"blueprint.txt", "\xff\xfe", NULL},
    {"characters.txt", "of another task", NULL},
};

static struct story_request request_for_test(void)
{
    struct story_request r;
    json_t *body = json_pack("{s:s, s:s}", "task_type", "blueprint", "user_input", "the sea");
    assert_int_equal(story_request_init(&r, body, NULL), SF_OK);
    json_decref(body);
    return r;
}

static void each_kind_of_file_is_used_or_skipped(void **state)
{
    (void)state;
    struct story_request r = request_for_test();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dir[] = "/tmp/storyfi-templates-XXXXXX", path[128];
        struct templates t;
        assert_non_null(mkdtemp(dir));
        (void)snprintf(path, sizeof path, "%s/%s", dir, cases[i].file);
        assert_int_equal(sf_file_write(path, sf_str(cases[i].content), 0600, NULL), SF_OK);
        assert_int_equal(templates_init(&t, dir), SF_OK);
        char *text = templates_render(&t, &r);
        if (cases[i].rendered == NULL) {
            assert_null(text);
        } else {
            assert_non_null(text);
            assert_string_equal(text, cases[i].rendered);
        }
        free(text);
        templates_fini(&t);
    }
    story_request_fini(&r);
}

static void a_broken_file_leaves_the_next_kind(void **state)
{
    (void)state;
    struct story_request r = request_for_test();
    char dir[] = "/tmp/storyfi-templates-XXXXXX", path[128];
    struct templates t;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/blueprint.yaml", dir);
    assert_int_equal(sf_file_write(path, SF_STR("a: [b"), 0600, NULL), SF_OK);
    (void)snprintf(path, sizeof path, "%s/blueprint.json", dir);
    assert_int_equal(sf_file_write(path, SF_STR("{\"prompt\":\"good\"}"), 0600, NULL), SF_OK);
    assert_int_equal(templates_init(&t, dir), SF_OK);
    char *text = templates_render(&t, &r);
    assert_string_equal(text, "good");
    free(text);
    templates_fini(&t);
    assert_int_equal(templates_init(&t, "/nowhere/at/all"), SF_OK);
    assert_null(templates_render(&t, &r));
    story_request_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_file_is_used_or_skipped),
        cmocka_unit_test(a_broken_file_leaves_the_next_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

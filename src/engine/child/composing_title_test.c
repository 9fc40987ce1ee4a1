/* SPDX-License-Identifier: MIT */
#include "engine/child/composing_title.c"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    const char *title;
    bool fits;
} cases[] = {
    {"The Marvel of Lachlan Redfern", true}, /* of the stub's words */
    {"Lachlan and Arjun at the Marvel", true},
    {"Lachlan's Baken", true},
    {"The Baken and the Corling", true},
    {"The Half-Light", true}, /* a hyphen: not judged by its pieces */
    {"The Thrumming", true},  /* the request's own word */
    {"Arjun", false},
    {"A Lachlan", false},
    {"the Arjun Mercer", false},
    {"The", false},
    {"Lachlan Learns That Arjun", false},
    {"The Baken of a Small", false},
    {"A Rare", false},
    {"A Nightmarsteracy", false}, /* the stub's vocabulary has no piece of it */
};

static void a_title_is_more_than_a_name_and_less_than_half_a_clause(void **state)
{
    char path[] = "/tmp/storyfi-stub-XXXXXX", input[] = "Who hears The Thrumming?";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "chat 1\n", 7) == 7);
    (void)close(fd);
    struct model_options o = {.path = path, .device = "cpu", .threads = 1, .sequences = 4};
    struct engine_model *m = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct story_request request = {.user_input = input};
    struct composer *c = sf_alloc(sizeof *c);
    (void)state;
    assert_non_null(c);
    assert_int_equal(model_open(&o, NULL, NULL, &m, &eb), SF_OK);
    c->m = m;
    c->o.request = &request;
    c->o.small = true;
    c->lang = CUE_EN;
    (void)snprintf(c->cast[0].full, sizeof c->cast[0].full, "Lachlan Redfern");
    (void)snprintf(c->cast[0].first, sizeof c->cast[0].first, "Lachlan");
    (void)snprintf(c->cast[1].full, sizeof c->cast[1].full, "Arjun Mercer");
    (void)snprintf(c->cast[1].first, sizeof c->cast[1].first, "Arjun");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (composer_title_fits(c, cases[i].title) != cases[i].fits)
            fail_msg("%s: %s", cases[i].fits ? "refused" : "taken", cases[i].title);
    c->o.small = false; /* a large model knows rare words */
    assert_true(composer_title_fits(c, "A Nightmarsteracy"));
    assert_false(composer_title_fits(c, "A Lachlan"));
    c->lang = CUE_ZH;
    assert_true(composer_title_fits(c, "Arjun"));
    model_close(m);
    free(c);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_is_more_than_a_name_and_less_than_half_a_clause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "generator/replay_events.h"

#include "generator/listener_test.h"

struct scene {
    struct listener listener;
    struct replay *replay;
    struct story_request request;
    json_t *output;
};

static void begin(struct scene *s, const char *task)
{
    json_t *body = json_pack("{s:s, s:s, s:[i,i]}", "task_type", task, "user_input", "sea",
                             "chapter_ids", 1, 2);
    assert_int_equal(story_request_init(&s->request, body, NULL), SF_OK);
    json_decref(body);
    s->output = fake_read(task);
    listener_init(&s->listener);
    s->replay = replay_open(listen, &s->listener);
    assert_non_null(s->replay);
}

static void end(struct scene *s)
{
    replay_close(s->replay);
    listener_fini(&s->listener);
    story_request_fini(&s->request);
    json_decref(s->output);
}

static void tell(struct scene *s, enum gen_event_kind kind, const char *path, const char *text)
{
    struct gen_event e = {.kind = kind, .path = path, .text = sf_str(text)};
    replay_pass(s->replay, &e);
}

static const char *text_at(const struct scene *s, const char *path)
{
    return json_string_value(json_at(s->output, path));
}

static void who_heard_nothing_is_told_all(void **state)
{
    (void)state;
    static const char *const tasks[] = {"blueprint", "characters", "story_arc", "chapters"};
    for (size_t i = 0; i < 4; i++) {
        struct scene s;
        begin(&s, tasks[i]);
        replay_finish(s.replay, &s.request, s.output);
        assert_true(json_object_size(s.listener.texts) > 6);
        assert_heard(&s.listener, s.output, json_object_size(s.listener.texts));
        if (i == 0) {
            assert_heard(&s.listener, s.output, blueprint_texts(s.output));
        }
        end(&s);
    }
}

static void who_heard_all_is_told_nothing(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "blueprint");
    replay_finish(s.replay, &s.request, s.output);
    int heard = s.listener.slot_events;
    replay_finish(s.replay, &s.request, s.output);
    assert_int_equal(s.listener.slot_events, heard);
    end(&s);
}

static void what_was_mended_is_told_anew_and_the_rest_is_left(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "blueprint");
    tell(&s, GEN_EVENT_SLOT_STARTED, "/title", "");
    tell(&s, GEN_EVENT_SLOT_TEXT, "/title", "Not what it became");
    tell(&s, GEN_EVENT_SLOT_DONE, "/title", "Not what it became");
    tell(&s, GEN_EVENT_SLOT_STARTED, "/genre", "");
    tell(&s, GEN_EVENT_SLOT_TEXT, "/genre", text_at(&s, "/genre")); /* and its end was not told */
    tell(&s, GEN_EVENT_SLOT_STARTED, "/themes/9", "");
    tell(&s, GEN_EVENT_SLOT_TEXT, "/themes/9", "one too many");
    replay_finish(s.replay, &s.request, s.output);
    assert_string_equal(json_get_string(s.listener.texts, "/themes/9"), "");
    (void)json_object_del(s.listener.texts, "/themes/9");
    assert_heard(&s.listener, s.output, blueprint_texts(s.output));
    end(&s);
}

static void another_hop_voids_what_was_told(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "blueprint");
    replay_finish(s.replay, &s.request, s.output);
    tell(&s, GEN_EVENT_HOP_STARTED, NULL, "g1");
    assert_int_equal(json_object_size(s.listener.texts), 0);
    replay_finish(s.replay, &s.request, s.output);
    assert_heard(&s.listener, s.output, blueprint_texts(s.output));
    end(&s);
}

static void a_flood_is_bounded_and_the_end_is_right(void **state)
{
    (void)state;
    struct scene s;
    char path[200];
    begin(&s, "blueprint");
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(path, sizeof path, "/flood/%d", i);
        struct gen_event e = {.kind = GEN_EVENT_SLOT_STARTED, .path = path};
        replay_pass(s.replay, &e);
    }
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    tell(&s, GEN_EVENT_SLOT_STARTED, path, "");
    tell(&s, GEN_EVENT_SLOT_DONE, NULL, "");
    (void)json_object_clear(s.listener.texts);
    s.listener.wrong = 0;
    replay_finish(s.replay, &s.request, s.output);
    assert_heard(&s.listener, s.output, blueprint_texts(s.output));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_heard_nothing_is_told_all),
        cmocka_unit_test(who_heard_all_is_told_nothing),
        cmocka_unit_test(what_was_mended_is_told_anew_and_the_rest_is_left),
        cmocka_unit_test(another_hop_voids_what_was_told),
        cmocka_unit_test(a_flood_is_bounded_and_the_end_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

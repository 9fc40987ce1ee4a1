/* SPDX-License-Identifier: MIT */
/* The composer over the stub of libllama (tests/stub_llama): what it answers is valid whatever the
 * model says, and every event of it adds up. */
#include "engine/child/composer.h"

#include "base/mem.h"
#include "story/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[64];
    struct engine_model *model;
    struct scheduler *scheduler;
    struct work_book book;
    /* What the events of one answer said. */
    json_t *texts, *done;
    int open, most_open;
    int64_t prefilled;
};

static int64_t prefix_bytes; /* the stub's cells take 8 bytes */

static void open_stub(struct fixture *f, const char *lines)
{
    (void)snprintf(f->path, sizeof f->path, "/tmp/storyfi-stub-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0 && write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines));
    close(fd);
    struct model_options o = {.path = f->path,
                              .device = "cpu",
                              .threads = 2,
                              .sequences = MODEL_MAX_SEQUENCES,
                              .temperature = 0.8,
                              .top_p = 0.95,
                              .prefix_cache_bytes = prefix_bytes};
    struct sf_errbuf eb = {0};
    assert_int_equal(model_open(&o, NULL, NULL, &f->model, &eb), SF_OK);
    assert_int_equal(scheduler_open(f->model, NULL, NULL, &f->scheduler), SF_OK);
    work_book_init(&f->book);
    f->open = f->most_open = 0;
    f->prefilled = 0;
    f->texts = json_object();
    f->done = json_object();
}

static void close_stub(struct fixture *f)
{
    scheduler_close(f->scheduler);
    model_close(f->model);
    work_book_fini(&f->book);
    json_decref(f->texts);
    json_decref(f->done);
    unlink(f->path);
}

static void on_event(void *arg, const struct composer_event *e)
{
    struct fixture *f = arg;
    const char *path = e->path;
    struct sf_str text = e->text;
    if (e->kind == COMPOSER_PREFILL) {
        assert_true(e->done > f->prefilled && e->done <= e->total);
        f->prefilled = e->done;
        return;
    }
    const char *before = json_get_string(f->texts, path);
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    if (e->kind == COMPOSER_SLOT_STARTED) {
        f->open++;
        f->most_open = f->open > f->most_open ? f->open : f->most_open;
        assert_null(before);
    } else if (e->kind == COMPOSER_SLOT_DONE) {
        f->open--;
        json_object_set_new(f->done, path, json_stringn(text.p, text.n));
    }
    sf_buf_puts(&b, before ? before : "");
    if (e->kind == COMPOSER_SLOT_TEXT)
        sf_buf_add_str(&b, text);
    json_object_set_new(f->texts, path, json_string(sf_buf_z(&b)));
    sf_buf_fini(&b);
}

static void read_request(const char *body, struct story_request *r)
{
    json_t *v = NULL;
    struct sf_errbuf eb = {0};
    assert_int_equal(json_parse(sf_str(body), JSON_LIMITS_DEFAULT, &v, &eb), SF_OK);
    assert_int_equal(story_request_init(r, v, &eb), SF_OK);
    json_decref(v);
}

static struct composer_order order_for(struct fixture *f, const struct story_request *r,
                                       sf_ms deadline)
{
    return (struct composer_order){.request = r,
                                   .deadline = sf_after(sf_now(), deadline),
                                   .target = sf_after(sf_now(), deadline),
                                   .book = &f->book,
                                   .seed = 7,
                                   .instruct = true,
                                   .small = true,
                                   .on_event = on_event,
                                   .event_arg = f};
}

/* Runs an order; an answer is checked against its events. Caller owns *out. */
static enum sf_err run_order(struct fixture *f, const struct composer_order *o,
                             struct composer_usage *usage, json_t **out)
{
    struct composer *c = NULL;
    json_t *answer = NULL;
    struct sf_errbuf eb = {0};
    const char *path;
    const json_t *text;
    json_object_clear(f->texts);
    json_object_clear(f->done);
    f->open = f->most_open = 0;
    f->prefilled = 0;
    assert_int_equal(composer_open(f->scheduler, f->model, o, &c), SF_OK);
    scheduler_request_begin(f->scheduler);
    enum sf_err err = composer_run(c, &answer, usage, &eb);
    scheduler_request_end(f->scheduler);
    composer_close(c);
    if (err != SF_OK)
        return err;
    assert_int_equal(f->open, 0);
    json_object_foreach(f->texts, path, text)
    {
        const json_t *there = json_at(answer, path);
        assert_true(json_is_string(there));
        assert_string_equal(json_string_value(there), json_string_value(text));
        assert_string_equal(json_get_string(f->done, path), json_string_value(text));
    }
    *out = answer;
    return SF_OK;
}

static json_t *write_answer(struct fixture *f, const struct composer_order *o,
                            struct composer_usage *usage)
{
    json_t *answer = NULL;
    assert_int_equal(run_order(f, o, usage, &answer), SF_OK);
    return answer;
}

static void assert_valid(const struct story_request *r, const json_t *answer)
{
    static struct story_report report;
    if (!story_validate(r, answer, &report))
        fail_msg("%s: %s", report.list[0].path, report.list[0].problem);
}

static const char *const requests[] = {
    "{\"task_type\":\"blueprint\",\"user_input\":\"a keeper of bees\"}",
    "{\"task_type\":\"characters\",\"user_input\":\"a keeper of bees\"}",
    "{\"task_type\":\"story_arc\",\"user_input\":\"a keeper of bees\"}",
    "{\"task_type\":\"chapters\",\"user_input\":\"a keeper of bees\",\"chapter_ids\":[1,2,12]}",
    "{\"task_type\":\"blueprint\",\"user_input\":\"一个关于时间旅行的故事\"}",
    "{\"task_type\":\"characters\",\"user_input\":\"一个关于时间旅行的故事\"}",
    "{\"task_type\":\"story_arc\",\"user_input\":\"一个关于时间旅行的故事\"}",
    "{\"task_type\":\"chapters\",\"user_input\":\"一个关于时间旅行的故事\",\"chapter_ids\":[7]}",
};

static void write_every_task(const char *lines, bool instruct)
{
    struct fixture f;
    open_stub(&f, lines);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct story_request r;
        struct composer_usage usage = {0};
        read_request(requests[i], &r);
        struct composer_order o = order_for(&f, &r, 60000);
        o.instruct = instruct;
        o.chinese = i >= 4;
        json_t *answer = write_answer(&f, &o, &usage);
        assert_valid(&r, answer);
        assert_true(usage.slots > 0 && usage.replaced < usage.slots && usage.generated_tokens > 0);
        json_decref(answer);
        story_request_fini(&r);
    }
    close_stub(&f);
}

static void test_every_task_of_an_instruct_model(void **state)
{
    (void)state;
    write_every_task("chat 1\n", true);
}

static void test_every_task_of_a_base_model(void **state)
{
    (void)state;
    write_every_task("chat 0\n", false);
}

/* More is told from text to text, and what was told once is not told again. */
static void test_one_text_after_the_other_is_valid_too(void **state)
{
    (void)state;
    struct fixture f;
    open_stub(&f, "chat 1\n");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct story_request r;
        struct composer_usage waves = {0}, usage = {0};
        read_request(requests[i], &r);
        struct composer_order o = order_for(&f, &r, 60000);
        o.chinese = i >= 4;
        json_decref(write_answer(&f, &o, &waves));
        assert_true(f.most_open > 1);
        o.sequential = true;
        json_t *answer = write_answer(&f, &o, &usage);
        assert_valid(&r, answer);
        assert_int_equal(f.most_open, 1);
        if (i % 4 != 3) /* a chapter is written in order anyhow */
            assert_true(usage.prompt_tokens > waves.prompt_tokens);
        assert_true(usage.cached_tokens > usage.prompt_tokens / 2);
        json_decref(answer);
        story_request_fini(&r);
    }
    close_stub(&f);
}

static void test_only_what_is_wanted_is_written(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r;
    struct composer_usage usage = {0};
    open_stub(&f, "chat 1\n");
    read_request(requests[0], &r);
    struct composer_order o = order_for(&f, &r, 60000);
    json_t *whole = write_answer(&f, &o, &usage);
    json_t *partial = json_deep_copy(whole);
    (void)json_object_del(partial, "setting");
    json_t *wanted = json_pack("[s]", "/setting");
    o = order_for(&f, &r, 60000);
    o.partial = partial;
    o.wanted = wanted;
    o.seed = 8;
    json_t *repaired = write_answer(&f, &o, &usage);
    assert_valid(&r, repaired);
    assert_int_equal(json_object_size(f.texts), 1); /* of all slots only that one */
    (void)json_object_set_new(partial, "setting",
                              json_incref(json_object_get(repaired, "setting")));
    assert_true(json_equal(partial, repaired));
    json_decref(whole);
    json_decref(partial);
    json_decref(wanted);
    json_decref(repaired);
    story_request_fini(&r);
    close_stub(&f);
}

static int64_t fed(const struct composer_usage *u)
{
    return u->prompt_tokens - u->cached_tokens;
}

static void test_seeds_make_answers_differ_and_prefixes_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r;
    struct composer_usage first = {0}, second = {0};
    open_stub(&f, "chat 1\n");
    read_request(requests[1], &r);
    struct composer_order o = order_for(&f, &r, 60000);
    json_t *a = write_answer(&f, &o, &first);
    o = order_for(&f, &r, 60000);
    o.seed = 99;
    json_t *b = write_answer(&f, &o, &second);
    assert_false(json_equal(a, b));
    assert_true(fed(&second) < fed(&first));
    json_decref(a);
    json_decref(b);
    story_request_fini(&r);
    close_stub(&f);
}

static void test_a_small_prefix_cache_forgets_the_oldest(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r[2];
    struct composer_usage usage = {0}, again = {0}, kept = {0};
    for (int64_t bytes = 0; bytes <= 800; bytes += 800) {
        prefix_bytes = bytes;
        open_stub(&f, "chat 1\n");
        assert_int_equal(f.model->prefix_cells, bytes > 0 ? 100 : f.model->n_ctx);
        read_request(requests[0], &r[0]);
        read_request(requests[1], &r[1]);
        for (int k = 0; k < 3; k++) { /* one, another, the first again */
            struct composer_order o = order_for(&f, &r[k % 2], 60000);
            json_decref(write_answer(&f, &o, k == 0 ? &usage : &again));
        }
        if (bytes == 0)
            kept = again;
        else
            assert_true(fed(&again) > fed(&kept));
        story_request_fini(&r[0]);
        story_request_fini(&r[1]);
        close_stub(&f);
    }
    prefix_bytes = 0;
}

/* So slow a model has nothing whole in time: the program ends what is there within the bounds. */
static void test_an_answer_is_whole_at_its_deadline(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r;
    struct composer_usage usage = {0};
    open_stub(&f, "chat 1\ndecode_us 60000\n");
    read_request(requests[2], &r);
    struct sf_time from = sf_now();
    struct composer_order o = order_for(&f, &r, 2500);
    json_t *answer = write_answer(&f, &o, &usage);
    assert_true(sf_between(from, sf_now()) < 2500);
    assert_valid(&r, answer);
    assert_true(usage.replaced > 0);
    assert_true(f.prefilled > 0);
    json_decref(answer);
    /* Now the speed is known: what cannot be done is declined at once. */
    struct composer *c = NULL;
    struct sf_errbuf eb = {0};
    o = order_for(&f, &r, 1000);
    from = sf_now();
    assert_int_equal(composer_open(f.scheduler, f.model, &o, &c), SF_OK);
    answer = NULL;
    assert_int_equal(composer_run(c, &answer, &usage, &eb), SF_EUNAVAILABLE);
    assert_true(sf_between(from, sf_now()) < 100);
    assert_non_null(strstr(eb.text, "tokens/s"));
    composer_close(c);
    story_request_fini(&r);
    close_stub(&f);
}

static size_t text_of(const json_t *v)
{
    size_t n = json_string_length(v), i;
    const char *key;
    const json_t *part;
    json_array_foreach((json_t *)(uintptr_t)v, i, part) n += text_of(part);
    json_object_foreach((json_t *)(uintptr_t)v, key, part) n += text_of(part);
    return n;
}

/* The text of an arc for which there is `part` of the time that one of the usual length took. */
static size_t arc_in(double part, bool small)
{
    struct fixture f;
    struct story_request r;
    struct composer_usage usage = {0};
    open_stub(&f, "chat 1\ntoken_us 80\n");
    read_request(requests[2], &r);
    struct composer_order o = order_for(&f, &r, 60000);
    struct sf_time from = sf_now();
    json_decref(write_answer(&f, &o, &usage)); /* nothing is measured yet: as usual */
    double usual_ms = (double)sf_between(from, sf_now());
    o = order_for(&f, &r, 60000);
    o.target = sf_after(sf_now(), (sf_ms)(usual_ms * part));
    o.small = small;
    json_t *answer = write_answer(&f, &o, &usage);
    assert_valid(&r, answer);
    size_t n = text_of(answer);
    json_decref(answer);
    story_request_fini(&r);
    close_stub(&f);
    return n;
}

static void test_texts_are_as_long_as_the_time_to_the_target(void **state)
{
    (void)state;
    size_t slow = arc_in(0.2, false), medium = arc_in(1.1, false), fast = arc_in(50, false);
    size_t small = arc_in(50, true);
    assert_true(slow < medium && medium < fast);
    assert_true(slow < small && small < fast); /* it would lose the thread */
    assert_true(fast * 10 > 5700 * 8);         /* of the paragraphs' maxima; titles come on top */
}

/* True when the first answer still came. */
static bool write_twice(int fail_at)
{
    struct fixture f;
    struct story_request r;
    struct composer_usage usage = {0}, next = {0};
    char lines[60];
    (void)snprintf(lines, sizeof lines, "chat 1\nfail_at %d\n", fail_at);
    open_stub(&f, lines);
    read_request(requests[3], &r);
    struct composer_order o = order_for(&f, &r, 60000);
    json_t *answer = NULL;
    enum sf_err err = run_order(&f, &o, &usage, &answer);
    assert_true(err == SF_OK || err == SF_EINTERNAL); /* the model wrote nothing of use */
    if (err == SF_OK)
        assert_valid(&r, answer);
    json_decref(answer);
    o = order_for(&f, &r, 60000); /* and the next request has the model again */
    answer = write_answer(&f, &o, &next);
    assert_valid(&r, answer);
    assert_true(next.replaced < next.slots);
    json_decref(answer);
    story_request_fini(&r);
    close_stub(&f);
    return err == SF_OK;
}

/* Wherever it happens: in the prefix, in the prompts, in the texts. */
static void test_a_failed_decode_is_survived(void **state)
{
    int answered = 0, asked = 0;
    (void)state;
    for (int fail_at = 1; fail_at < 100; fail_at += fail_at < 12 ? 1 : 17) {
        answered += write_twice(fail_at);
        asked++;
    }
    assert_true(answered > 0 && answered <= asked);
}

struct side {
    struct fixture *f;
    int k;
    bool valid;
};

static void *write_beside(void *arg)
{
    struct side *side = arg;
    struct story_request r;
    struct composer_usage usage = {0};
    struct composer *c = NULL;
    json_t *answer = NULL;
    struct sf_errbuf eb = {0};
    struct story_report *report = sf_alloc(sizeof *report);
    read_request(requests[side->k % 4], &r);
    struct composer_order o = order_for(side->f, &r, 60000);
    o.on_event = NULL;
    o.seed = (uint64_t)side->k;
    side->valid = report && composer_open(side->f->scheduler, side->f->model, &o, &c) == SF_OK &&
                  composer_run(c, &answer, &usage, &eb) == SF_OK &&
                  story_validate(&r, answer, report);
    composer_close(c);
    json_decref(answer);
    story_request_fini(&r);
    free(report);
    return NULL;
}

/* More texts at once than there are sequences: they wait for each other, none fails. */
static void test_twenty_four_requests_side_by_side(void **state)
{
    (void)state;
    enum { N = 24 };
    struct fixture f;
    struct side sides[N];
    pthread_t threads[N];
    struct scheduler_stats stats;
    open_stub(&f, "chat 1\n");
    assert_int_equal(f.model->n_sequences, 256);
    for (int k = 0; k < N; k++) {
        sides[k] = (struct side){&f, k, false};
        assert_int_equal(pthread_create(&threads[k], NULL, write_beside, &sides[k]), 0);
    }
    for (int k = 0; k < N; k++) {
        (void)pthread_join(threads[k], NULL);
        assert_true(sides[k].valid);
    }
    scheduler_stats(f.scheduler, &stats);
    assert_true(stats.tokens > 0);
    close_stub(&f);
}

/* Some texts are weak; one that is asked for again is told only when it stands. */
static void test_weak_texts_are_written_anew(void **state)
{
    (void)state;
    struct fixture f;
    unsigned rewritten = 0, improved = 0;
    open_stub(&f, "chat 1\n");
    /* Until one was improved and one was not: a tenth of the answers has the first. */
    for (uint64_t seed = 1; seed <= 300 && (improved == 0 || improved == rewritten); seed++) {
        struct story_request r;
        struct composer_usage usage = {0}, hurried = {0};
        read_request(requests[seed % 3], &r);
        struct composer_order o = order_for(&f, &r, 60000);
        o.seed = seed;
        json_t *answer = write_answer(&f, &o, &usage);
        assert_valid(&r, answer);
        assert_true(usage.improved <= usage.rewritten && usage.rewritten <= 1 + usage.slots / 12);
        rewritten += usage.rewritten;
        improved += usage.improved;
        json_decref(answer);
        o = order_for(&f, &r, 60000);
        o.seed = seed;
        o.target = sf_now(); /* no time for it */
        answer = write_answer(&f, &o, &hurried);
        assert_valid(&r, answer);
        assert_int_equal(hurried.rewritten, 0);
        json_decref(answer);
        story_request_fini(&r);
    }
    assert_true(improved > 0 && improved < rewritten);
    close_stub(&f);
}

struct canceler {
    struct fixture *f;
    struct composer *composer;
    int after; /* so many texts */
};

static void cancel_at(void *arg, const struct composer_event *e)
{
    struct canceler *c = arg;
    if (e->kind == COMPOSER_SLOT_DONE && --c->after == 0)
        composer_cancel(c->composer);
}

/* Whatever is under way then: first tries, retries, repairs. */
static void test_a_cancel_at_any_text_ends_it(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r;
    open_stub(&f, "chat 1\n");
    read_request(requests[2], &r);
    for (int after = 4; after < 32; after += 3) {
        struct canceler canceler = {&f, NULL, after};
        struct composer_usage usage = {0};
        struct sf_errbuf eb = {0};
        json_t *answer = NULL;
        struct composer_order o = order_for(&f, &r, 60000);
        o.on_event = cancel_at;
        o.event_arg = &canceler;
        assert_int_equal(composer_open(f.scheduler, f.model, &o, &canceler.composer), SF_OK);
        assert_int_equal(composer_run(canceler.composer, &answer, &usage, &eb), SF_ECANCELED);
        assert_null(answer);
        composer_close(canceler.composer);
    }
    story_request_fini(&r);
    close_stub(&f);
}

static void *cancel_soon(void *arg)
{
    (void)usleep(100000);
    composer_cancel(arg);
    return NULL;
}

static void test_cancel_ends_it_soon(void **state)
{
    (void)state;
    struct fixture f;
    struct story_request r;
    struct composer_usage usage = {0};
    struct composer *c = NULL;
    struct sf_errbuf eb = {0};
    json_t *answer = NULL;
    pthread_t canceler;
    open_stub(&f, "chat 1\ndecode_us 20000\n");
    read_request(requests[3], &r);
    struct composer_order o = order_for(&f, &r, 60000);
    assert_int_equal(composer_open(f.scheduler, f.model, &o, &c), SF_OK);
    struct sf_time from = sf_now();
    assert_int_equal(pthread_create(&canceler, NULL, cancel_soon, c), 0);
    assert_int_equal(composer_run(c, &answer, &usage, &eb), SF_ECANCELED);
    assert_true(sf_between(from, sf_now()) < 1500);
    (void)pthread_join(canceler, NULL);
    composer_close(c);
    story_request_fini(&r);
    close_stub(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_of_an_instruct_model),
        cmocka_unit_test(test_every_task_of_a_base_model),
        cmocka_unit_test(test_one_text_after_the_other_is_valid_too),
        cmocka_unit_test(test_only_what_is_wanted_is_written),
        cmocka_unit_test(test_seeds_make_answers_differ_and_prefixes_are_kept),
        cmocka_unit_test(test_a_small_prefix_cache_forgets_the_oldest),
        cmocka_unit_test(test_an_answer_is_whole_at_its_deadline),
        cmocka_unit_test(test_texts_are_as_long_as_the_time_to_the_target),
        cmocka_unit_test(test_a_failed_decode_is_survived),
        cmocka_unit_test(test_twenty_four_requests_side_by_side),
        cmocka_unit_test(test_cancel_ends_it_soon),
        cmocka_unit_test(test_weak_texts_are_written_anew),
        cmocka_unit_test(test_a_cancel_at_any_text_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

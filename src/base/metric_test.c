/* SPDX-License-Identifier: MIT */
#include "base/metric.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_rendered(const char *line)
{
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    metric_render(&b);
    assert_int_equal(b.err, SF_OK);
    if (strstr(sf_buf_z(&b), line) == NULL) {
        print_message("not rendered: %s\nin:\n%s\n", line, sf_buf_z(&b));
        fail();
    }
    sf_buf_fini(&b);
}

static void a_counter_found_again_is_the_same(void **state)
{
    (void)state;
    struct metric *a = metric_counter("test_requests_total", "task=\"arc\"", "Requests.");
    struct metric *b = metric_counter("test_requests_total", "task=\"arc\"", "Requests.");
    struct metric *other = metric_counter("test_requests_total", "task=\"cast\"", "Requests.");
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    metric_add(a, 2);
    metric_add(b, 1);
    assert_true(metric_value(a) == 3.0);
    assert_true(metric_value(other) == 0.0);
    assert_rendered("test_requests_total{task=\"arc\"} 3\n");
    assert_rendered("# TYPE test_requests_total counter\n");
}

static void a_gauge_is_set_and_moved(void **state)
{
    (void)state;
    struct metric *g = metric_gauge("test_queue_length", "", "Waiting.");
    metric_set(g, 5);
    metric_add(g, -2);
    assert_true(metric_value(g) == 3.0);
    assert_rendered("test_queue_length 3\n");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
    (void)state;
    const double bounds[] = {0.5, 1};
    struct metric *h = metric_histogram("test_seconds", "", "Times.", bounds, 2);
    metric_observe(h, 0.25);
    metric_observe(h, 1);
    metric_observe(h, 4);
    assert_true(metric_value(h) == 3.0);
    assert_rendered("test_seconds_bucket{le=\"0.5\"} 1\n");
    assert_rendered("test_seconds_bucket{le=\"1\"} 2\n");
    assert_rendered("test_seconds_bucket{le=\"+Inf\"} 3\n");
    assert_rendered("test_seconds_sum 5.25\n");
    assert_rendered("test_seconds_count 3\n");
}

static void a_quantile_is_the_bound_of_its_bucket(void **state)
{
    static const double bounds[] = {1, 2, 3};
    struct metric *m = metric_histogram("test_quantile_seconds", "", "Times.", bounds, 3);
    (void)state;
    assert_true(metric_quantile(m, 0.99) == 0.0);
    for (int i = 0; i < 98; i++) {
        metric_observe(m, 0.5);
    }
    metric_observe(m, 1.5);
    metric_observe(m, 9);
    assert_true(metric_quantile(m, 0.5) == 1.0);
    assert_true(metric_quantile(m, 0.99) == 2.0);
    assert_true(metric_quantile(m, 1) > 1e300);
}

static void nothing_is_a_metric_too(void **state)
{
    (void)state;
    metric_add(NULL, 1);
    metric_set(NULL, 1);
    metric_observe(NULL, 1);
    assert_true(metric_value(NULL) == 0.0);
}

static void *add_many(void *m)
{
    for (int i = 0; i < 10000; i++) {
        metric_add(m, 1);
    }
    return NULL;
}

static void no_addition_of_any_thread_is_lost(void **state)
{
    (void)state;
    struct metric *m = metric_counter("test_threads_total", "", "Additions.");
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, m), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_true(metric_value(m) == 40000.0);
}

static void what_is_hidden_shows_when_it_is_set_again(void **state)
{
    struct sf_buf b;
    (void)state;
    struct metric *gone = metric_gauge("test_door_open", "door=\"a\"", "Doors.");
    struct metric *stays = metric_gauge("test_door_open", "door=\"b\"", "Doors.");
    metric_set(gone, 1);
    metric_set(stays, 1);
    metric_hide("test_door_open");
    metric_set(stays, 0);
    sf_buf_init(&b, 1U << 20);
    metric_render(&b);
    assert_null(strstr(sf_buf_z(&b), "door=\"a\""));
    sf_buf_fini(&b);
    assert_rendered("test_door_open{door=\"b\"} 0\n");
    metric_hide("test_door_open");
    sf_buf_init(&b, 1U << 20);
    metric_render(&b);
    assert_null(strstr(sf_buf_z(&b), "test_door_open"));
    sf_buf_fini(&b);
}

static void labels_are_escaped_cut_and_whole(void **state)
{
    char out[64] = "", name[200];
    (void)state;
    metric_label(out, sizeof out, "a", "x\"y\\z\n\xff");
    assert_string_equal(out, "a=\"x\\\"y\\\\z \xEF\xBF\xBD\"");
    metric_label(out, sizeof out, "b", "\xE6\xB5\xB7");
    assert_non_null(strstr(out, ",b=\"\xE6\xB5\xB7\""));
    size_t n = strlen(out);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    metric_label(out, sizeof out, "c", name); /* does not fit */
    assert_int_equal(strlen(out), n);
    char wide[256] = "";
    metric_label(wide, sizeof wide, "c", name);
    assert_int_equal(strlen(wide), METRIC_LABEL_MAX + 4);
}

static void too_many_series_are_not_registered(void **state)
{
    char labels[32];
    size_t n = 0;
    (void)state;
    for (; n < METRIC_SERIES_MAX + 1; n++) {
        (void)snprintf(labels, sizeof labels, "n=\"%05zu\"", METRIC_SERIES_MAX - n);
        struct metric *m = metric_counter("test_flood_total", labels, "Flood.");
        if (m == NULL) {
            break;
        }
    }
    assert_in_range(n, METRIC_SERIES_MAX / 2, METRIC_SERIES_MAX);
    metric_add(NULL, 1);
    assert_true(metric_counter("test_requests_total", "task=\"arc\"", "Requests.") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_found_again_is_the_same),
        cmocka_unit_test(a_gauge_is_set_and_moved),
        cmocka_unit_test(a_histogram_counts_up_to_each_bound),
        cmocka_unit_test(a_quantile_is_the_bound_of_its_bucket),
        cmocka_unit_test(nothing_is_a_metric_too),
        cmocka_unit_test(no_addition_of_any_thread_is_lost),
        cmocka_unit_test(what_is_hidden_shows_when_it_is_set_again),
        cmocka_unit_test(labels_are_escaped_cut_and_whole),
        cmocka_unit_test(too_many_series_are_not_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "generator/prices.c"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *provider, *model, *found; /* found NULL: not listed */
} names[] = {
    {"openai", "gpt-4", "gpt-4"},
    {"openai", "gpt-4-0613", "gpt-4"},
    {"openai", "gpt-4-turbo", "gpt-4-turbo"},
    {"openai", "gpt-4-turbo-2024-04-09", "gpt-4-turbo"},
    {"openai", "gpt-4o", "gpt-4o"},
    {"openai", "gpt-4o-2024-08-06", "gpt-4o"},
    {"openai", "gpt-4o-mini", "gpt-4o-mini"},
    {"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
    {"openai", "gpt-4o-audio", NULL},
    {"openai", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"},
    {"openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"},
    {"openai", "gpt-3.5-turbo-16k", NULL},
    {"openai", "gpt-5-mini", "gpt-5-mini"},
    {"openai", "gpt-5-mini-2025-08-07", "gpt-5-mini"},
    {"openai", "gpt-5.6-luna", "gpt-5.6-luna"},
    {"openai", "gpt-5.9", NULL},
    {"openai", "deepseek-chat", NULL},
    {"openai", "", NULL},
    {"openai", NULL, NULL},
    {"gemini", "gemini-2.5-flash", "gemini-2.5-flash"},
    {"gemini", "models/gemini-2.5-flash-lite", "gemini-2.5-flash-lite"},
    {"gemini", "gemini-2.5-pro", "gemini-2.5-pro"},
    {"gemini", "gemini-3.1-pro-preview", "gemini-3.1-pro"},
    {"gemini", "gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"},
    {"gemini", "gemini-2.5-flash-image", NULL},
    {"anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"},
    {"anthropic", "claude-haiku-5-5", "claude-haiku-5-5"},
    {"anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5"},
    {"anthropic", "claude-opus-5", "claude-opus-5"},
    {"anthropic", "claude-opus-5-5", "claude-opus-5-5"},
    {"anthropic", "claude-opus-5-latest", "claude-opus-5"},
    {"anthropic", "gpt-4o", NULL},
    {"custom", "gpt-4o", NULL},
    {NULL, "gpt-4o", NULL},
};

static void a_model_is_found_under_its_name_and_dated_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct model_price *p = price_find(names[i].provider, names[i].model);
        if (names[i].found == NULL) {
            assert_null(p);
        } else {
            assert_non_null(p);
            assert_string_equal(p->model, names[i].found);
        }
    }
}

static void every_row_is_found_by_its_own_name_and_makes_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const struct model_price *p = &catalogue[i];
        assert_ptr_equal(price_find(p->provider, p->model), p);
        assert_true(p->input > 0 && p->output >= p->input);
        assert_true(p->max_output_tokens >= 4096 && p->max_output_tokens < p->context_tokens);
    }
}

static void each_provider_has_one_default(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        n += catalogue[i].is_default ? 1 : 0;
    }
    assert_int_equal(n, 3);
    assert_string_equal(price_default_model("openai"), "gpt-4o-mini");
    assert_non_null(price_default_model("gemini"));
    assert_non_null(price_default_model("anthropic"));
    assert_null(price_default_model("custom"));
    assert_null(price_default_model(NULL));
}

static void cost_counts_tokens_at_list_price_or_the_override(void **state)
{
    (void)state;
    const struct model_price *p = price_find("openai", "gpt-4o-mini");
    assert_true(fabs(price_cost_usd(p, -1, -1, 1000000, 0) - 0.15) < 1e-12);
    assert_true(fabs(price_cost_usd(p, -1, -1, 2000, 1000) - 0.0009) < 1e-12);
    assert_true(fabs(price_cost_usd(p, 1, -1, 1000000, 1000000) - 1.60) < 1e-12);
    assert_true(fabs(price_cost_usd(p, 0, 0, 1000000, 1000000) - 0) < 1e-12);
    assert_true(fabs(price_cost_usd(NULL, -1, -1, 1000, 1000) - 0) < 1e-12);
    assert_true(fabs(price_cost_usd(NULL, 2, 3, 1000000, 1000000) - 5) < 1e-12);
    assert_true(fabs(price_cost_usd(p, -1, -1, -5, -5) - 0) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_found_under_its_name_and_dated_versions),
        cmocka_unit_test(every_row_is_found_by_its_own_name_and_makes_sense),
        cmocka_unit_test(each_provider_has_one_default),
        cmocka_unit_test(cost_counts_tokens_at_list_price_or_the_override),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "app/model_tune_choice.h"

#include <stdio.h>

#define WORTH_IT 1.10 /* less is within what one machine's runs differ */

/* Of its first `rounds`. */
static double speed_of(const struct tune_row *row, size_t rounds)
{
    int64_t characters = 0, ms = 0;
    for (size_t i = 0; i < row->n_samples && i < rounds; i++) {
        characters += row->samples[i].characters;
        ms += row->samples[i].ms;
    }
    return ms > 0 ? (double)characters * 1000 / (double)ms : 0;
}

double tune_choice_speed(const struct tune_row *row)
{
    return speed_of(row, row->n_samples);
}

/* In the rounds that both have: another round may have other tasks. */
static double gain_of(const struct tune_row *row, const struct tune_row *original)
{
    double base = speed_of(original, row->n_samples);
    return base > 0 ? speed_of(row, original->n_samples) / base : 0;
}

size_t tune_choice_halve(struct tune_row *rows, size_t n)
{
    size_t left = 0;
    for (size_t i = 1; i < n; i++) {
        rows[i].gain = gain_of(&rows[i], &rows[0]);
        rows[i].out = rows[i].out || rows[i].gain <= 1;
        left += !rows[i].out;
    }
    for (size_t stay = (left + 1) / 2; left > stay; left--) {
        size_t worst = 0;
        for (size_t i = 1; i < n; i++) {
            if (!rows[i].out && (worst == 0 || rows[i].gain < rows[worst].gain)) {
                worst = i;
            }
        }
        rows[worst].out = true;
    }
    return left;
}

/* Whether its text is as good as the original's, as far as counting tells. */
static bool writes_well(struct tune_row *row, const struct tune_row *original)
{
    int mended = 0, was_mended = 0, slots = 0;
    for (size_t i = 0; i < row->n_samples && i < original->n_samples; i++) {
        if (!row->samples[i].valid) {
            (void)snprintf(row->why, sizeof row->why, "an answer was not valid");
            return false;
        }
        mended += row->samples[i].mended;
        was_mended += original->samples[i].mended;
        slots += original->samples[i].slots;
    }
    if (mended > was_mended + slots / 10) {
        (void)snprintf(row->why, sizeof row->why, "writes worse: %d of %d texts unfit, was %d",
                       mended, slots, was_mended);
        return false;
    }
    return true;
}

/* The first comes first: further, then faster. */
static bool is_before(const struct tune_row *a, const struct tune_row *b)
{
    return a->n_samples != b->n_samples ? a->n_samples > b->n_samples : a->gain > b->gain;
}

size_t tune_choice_make(struct tune_row *rows, size_t n)
{
    bool looked_at[TUNE_ROWS] = {false};
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        rows[i].gain = gain_of(&rows[i], &rows[0]);
    }
    for (size_t round = 1; round < n && kept == 0; round++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++) {
            if (!looked_at[i] && (best == 0 || is_before(&rows[i], &rows[best]))) {
                best = i;
            }
        }
        looked_at[best] = true;
        if (rows[best].failed) {
            continue;
        }
        if (rows[best].gain < WORTH_IT) {
            break; /* what was dropped before it has shown even less */
        }
        kept = writes_well(&rows[best], &rows[0]) ? best : 0;
    }
    rows[kept].kept = kept != 0;
    return kept;
}

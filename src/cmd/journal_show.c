/* SPDX-License-Identifier: MIT */
#include "cmd/journal_show.h"

#include "base/log.h"
#include "base/utf8.h"

struct journal_reader *journal_show_open(const char *command, const struct conf *conf)
{
    struct journal_reader *r = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = journal_reader_open(conf->journal.path, &r, &eb);
    if (err != SF_OK && err != SF_ENOTFOUND) {
        fatal(err == SF_ECONFIG ? 100 : 111, "%s: %s", command, sf_err_text(&eb, err));
    }
    if (err == SF_ENOTFOUND) {
        fprintf(stderr, "storyfi: %s: %s\n", command, sf_err_text(&eb, err));
        return NULL;
    }
    return r;
}

void journal_show_text(const char *z, size_t columns, struct sf_buf *out)
{
    struct sf_str s = sf_str(z), head = sf_utf8_head(s, columns);
    if (head.n < s.n) {
        head = sf_utf8_head(s, columns - 1);
    }
    bool cut = head.n < s.n;
    while (head.n > 0) {
        bool valid;
        uint32_t c = sf_utf8_next(&head, &valid);
        sf_utf8_put(out, c < 0x20 || (c >= 0x7f && c < 0xa0) ? ' ' : c);
    }
    sf_buf_puts(out, cut ? "…" : "");
}

int64_t journal_show_int(const json_t *row, const char *key)
{
    int64_t v = 0;
    (void)json_get_int(row, key, &v);
    return v;
}

double journal_show_seconds(const json_t *row, const char *key)
{
    return (double)journal_show_int(row, key) / 1000.0;
}

void journal_show_json(const json_t *value)
{
    struct sf_buf text;
    sf_buf_init(&text, 256U << 20);
    json_print_pretty(value, &text);
    if (text.err != SF_OK) {
        fatal(111, "%s", sf_err_info(text.err)->text);
    }
    puts(sf_buf_z(&text));
    sf_buf_fini(&text);
}

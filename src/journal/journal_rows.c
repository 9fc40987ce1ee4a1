/* SPDX-License-Identifier: MIT */
#include "journal/journal_rows.h"

#include <string.h>

enum sf_err journal_prepare(struct journal_reader *r, const char *sql,
                            const struct journal_given *list, size_t n, sqlite3_stmt **out,
                            struct sf_errbuf *eb)
{
    int code = sqlite3_prepare_v2(r->db, sql, -1, out, NULL);
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
        code = list[i].is_text
                   ? sqlite3_bind_text(*out, (int)i + 1, list[i].text, -1, SQLITE_STATIC)
                   : sqlite3_bind_int64(*out, (int)i + 1, list[i].number);
    }
    return code == SQLITE_OK ? SF_OK : journal_db_error(r->db, r->path, eb);
}

static json_t *column_value(sqlite3_stmt *s, int i)
{
    const char *name = sqlite3_column_name(s, i);
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER:
        if (strcmp(name, "hedged") == 0 || strcmp(name, "repair") == 0) {
            return json_boolean(sqlite3_column_int(s, i));
        }
        return json_integer(sqlite3_column_int64(s, i));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(s, i));
    case SQLITE_TEXT:
        return json_text((struct sf_str){(const char *)sqlite3_column_text(s, i),
                                         (size_t)sqlite3_column_bytes(s, i)});
    default:
        return json_null();
    }
}

/* A row as an object, its members named as the columns. NULL: out of memory. */
static json_t *row_object(sqlite3_stmt *s)
{
    json_t *row = json_object();
    for (int i = 0; row != NULL && i < sqlite3_column_count(s); i++) {
        if (json_object_set_new(row, sqlite3_column_name(s, i), column_value(s, i)) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    return row;
}

enum sf_err journal_rows(struct journal_reader *r, const char *sql,
                         const struct journal_given *list, size_t n, json_t **out,
                         struct sf_errbuf *eb)
{
    sqlite3_stmt *s = NULL;
    json_t *all = json_array();
    enum sf_err err = all == NULL ? SF_ENOMEM : journal_prepare(r, sql, list, n, &s, eb);
    int code = SQLITE_DONE;
    while (err == SF_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        if (json_array_append_new(all, row_object(s)) != 0) {
            err = sf_fail(eb, SF_ENOMEM, "out of memory");
        }
    }
    if (err == SF_OK && code != SQLITE_DONE) {
        err = journal_db_error(r->db, r->path, eb);
    }
    (void)sqlite3_finalize(s);
    if (err != SF_OK) {
        json_decref(all);
        return err;
    }
    *out = all;
    return SF_OK;
}

void journal_parse_member(json_t *object, const char *key)
{
    json_t *value = NULL;
    if (json_get_string(object, key) != NULL &&
        json_parse(json_get_str(object, key), JSON_LIMITS_DEFAULT, &value, NULL) == SF_OK) {
        (void)json_object_set_new(object, key, value);
    }
}

const char *journal_pattern(const char *text, struct sf_buf *b)
{
    sf_buf_init(b, JOURNAL_PATTERN_MAX);
    if (text == NULL) {
        return NULL;
    }
    sf_buf_putc(b, '%');
    for (; *text != '\0'; text++) {
        if (strchr("%_\\", *text) != NULL) {
            sf_buf_putc(b, '\\');
        }
        sf_buf_putc(b, *text);
    }
    sf_buf_putc(b, '%');
    return sf_buf_z(b);
}

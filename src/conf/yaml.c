/* SPDX-License-Identifier: MIT */
#include "conf/yaml.h"

#include "base/mem.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    struct yaml_limits limits;
    size_t n_nodes;
    struct sf_errbuf *eb;
};

/* ------------------------------------------------------------------ scalars */

static bool is_word(struct sf_str s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (sf_str_is_nocase(s, *words)) {
            return true;
        }
    }
    return false;
}

static bool is_number(struct sf_str s, bool *is_float)
{
    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
        s.p++;
        s.n--;
    }
    int64_t whole;
    double real;
    *is_float = false;
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '+') {
        return false;
    }
    if (sf_scan_i64(s, 0, INT64_MAX, &whole)) {
        return true;
    }
    *is_float = true;
    bool starts_right = (s.p[0] >= '0' && s.p[0] <= '9') || (s.p[0] == '.' && s.n > 1);
    return starts_right && sf_scan_double(s, &real);
}

/* What a plain scalar means. Hexadecimal, octal and sexagesimal numbers stay text: no option of
 * ours takes them, and a story template that holds "12:30" means the text. */
static enum yaml_kind plain_kind(struct sf_str s)
{
    static const char *const nulls[] = {"", "~", "null", NULL};
    static const char *const bools[] = {"true", "false", "yes", "no", "on", "off", NULL};
    bool is_float;
    if (is_word(s, nulls)) {
        return YAML_NULL;
    }
    if (is_word(s, bools)) {
        return YAML_BOOL;
    }
    if (is_number(s, &is_float)) {
        return is_float ? YAML_FLOAT : YAML_INT;
    }
    return YAML_STRING;
}

/* ------------------------------------------------------------------ events to nodes */

static enum sf_err fail_at(struct reader *r, size_t line, enum sf_err err, const char *what)
{
    return sf_fail(r->eb, err, "line %zu: %s", line + 1, what);
}

static enum sf_err next_event(struct reader *r)
{
    if (r->has_event) {
        yaml_event_delete(&r->event);
        r->has_event = false;
    }
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        const yaml_parser_t *p = &r->parser;
        if (p->error == YAML_MEMORY_ERROR) {
            return sf_fail(r->eb, SF_ENOMEM, "out of memory");
        }
        const char *problem = p->problem != NULL ? p->problem : "not YAML";
        return fail_at(r, p->problem_mark.line, SF_EPARSE, problem);
    }
    r->has_event = true;
    return SF_OK;
}

static enum sf_err check_tag(struct reader *r, const yaml_char_t *tag, bool *is_string)
{
    static const char *const known[] = {"!",           YAML_STR_TAG, YAML_NULL_TAG,
                                        YAML_BOOL_TAG, YAML_INT_TAG, YAML_FLOAT_TAG,
                                        YAML_SEQ_TAG,  YAML_MAP_TAG, NULL};
    *is_string = false;
    if (tag == NULL) {
        return SF_OK;
    }
    for (const char *const *k = known; *k != NULL; k++) {
        if (strcmp(*k, (const char *)tag) == 0) {
            *is_string = k - known < 2;
            return SF_OK;
        }
    }
    return fail_at(r, r->event.start_mark.line, SF_EPARSE,
                   "tags (\"!name\") are not taken: write the plain value");
}

static enum sf_err scalar_node(struct reader *r, struct yaml_node *node)
{
    const char *text = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length;
    bool tagged_string;
    enum sf_err err = check_tag(r, r->event.data.scalar.tag, &tagged_string);
    if (err != SF_OK) {
        return err;
    }
    if (memchr(text, '\0', n) != NULL) {
        return fail_at(r, r->event.start_mark.line, SF_EPARSE, "a NUL character in a text");
    }
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || tagged_string;
    node->kind = node->quoted ? YAML_STRING : plain_kind((struct sf_str){text, n});
    node->text = sf_strndup(text, n);
    return node->text == NULL ? sf_fail(r->eb, SF_ENOMEM, "out of memory") : SF_OK;
}

static enum sf_err read_node(struct reader *r, unsigned depth, struct yaml_node **out);

/* Takes the scalar event under way as the key of the next member. */
static enum sf_err read_key(struct reader *r, char **key)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        return fail_at(r, r->event.start_mark.line, SF_EPARSE,
                       r->event.type == YAML_ALIAS_EVENT
                           ? "aliases (\"*name\") are not taken: write the value again"
                           : "a key must be a plain word");
    }
    const char *text = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length;
    if (memchr(text, '\0', n) != NULL) {
        return fail_at(r, r->event.start_mark.line, SF_EPARSE, "a NUL character in a key");
    }
    *key = sf_strndup(text, n);
    return *key == NULL ? sf_fail(r->eb, SF_ENOMEM, "out of memory") : next_event(r);
}

/* The members behind a start event, up to and with the end event. */
static enum sf_err read_children(struct reader *r, unsigned depth, struct yaml_node *parent)
{
    yaml_event_type_t end =
        parent->kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct yaml_node **tail = &parent->child;
    enum sf_err err = next_event(r);
    while (err == SF_OK && r->event.type != end) {
        char *key = NULL;
        unsigned line = (unsigned)r->event.start_mark.line + 1;
        if (parent->kind == YAML_MAP) {
            err = read_key(r, &key);
        }
        if (err == SF_OK) {
            err = read_node(r, depth + 1, tail);
        }
        if (*tail != NULL) {
            (*tail)->key = key;
            (*tail)->line = key != NULL ? line : (*tail)->line;
            tail = &(*tail)->next;
        } else {
            free(key), key = NULL;
        }
        if (err == SF_OK) {
            err = next_event(r);
        }
    }
    return err;
}

/* The node that the event under way begins; ends with its last event under way. On failure *out may
 * hold a part, for the caller to free. */
static enum sf_err read_node(struct reader *r, unsigned depth, struct yaml_node **out)
{
    size_t line = r->event.start_mark.line;
    if (r->event.type == YAML_ALIAS_EVENT) {
        return fail_at(r, line, SF_EPARSE,
                       "aliases (\"*name\") are not taken: write the value again");
    }
    if (depth > r->limits.max_depth) {
        return fail_at(r, line, SF_ELIMIT, "nested too deep");
    }
    if (++r->n_nodes > r->limits.max_nodes) {
        return fail_at(r, line, SF_ELIMIT, "too many values");
    }
    struct yaml_node *node = sf_alloc(sizeof *node);
    if (node == NULL) {
        return sf_fail(r->eb, SF_ENOMEM, "out of memory");
    }
    *out = node;
    node->line = (unsigned)line + 1;
    if (r->event.type == YAML_SCALAR_EVENT) {
        return scalar_node(r, node);
    }
    bool is_map = r->event.type == YAML_MAPPING_START_EVENT;
    bool unused;
    node->kind = is_map ? YAML_MAP : YAML_LIST;
    enum sf_err err = check_tag(
        r, is_map ? r->event.data.mapping_start.tag : r->event.data.sequence_start.tag, &unused);
    return err != SF_OK ? err : read_children(r, depth, node);
}

static enum sf_err read_stream(struct reader *r, struct yaml_node **root)
{
    enum sf_err err;
    do {
        err = next_event(r);
    } while (err == SF_OK && r->event.type == YAML_STREAM_START_EVENT);
    if (err != SF_OK || r->event.type == YAML_STREAM_END_EVENT) {
        return err;
    }
    if ((err = next_event(r)) != SF_OK || (err = read_node(r, 1, root)) != SF_OK) {
        return err;
    }
    if ((err = next_event(r)) != SF_OK || (err = next_event(r)) != SF_OK) {
        return err; /* the end of the document, then what is behind it */
    }
    if (r->event.type != YAML_STREAM_END_EVENT) {
        return fail_at(r, r->event.start_mark.line, SF_EPARSE,
                       "a second document (\"---\"): one file holds one");
    }
    return SF_OK;
}

enum sf_err sf_yaml_parse(struct sf_str text, struct yaml_limits limits, struct yaml_node **out,
                          struct sf_errbuf *eb)
{
    if (text.n > limits.max_bytes) {
        return sf_fail(eb, SF_ELIMIT, "larger than %zu bytes", limits.max_bytes);
    }
    struct reader r = {.limits = limits, .eb = eb};
    if (!yaml_parser_initialize(&r.parser)) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        text.p += 3; /* the mark some editors put in front */
        text.n -= 3;
    }
    const char *bytes = text.p == NULL ? "" : text.p;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, text.n);
    struct yaml_node *root = NULL;
    enum sf_err err = read_stream(&r, &root);
    if (r.has_event) {
        yaml_event_delete(&r.event);
    }
    yaml_parser_delete(&r.parser);
    if (err != SF_OK) {
        sf_yaml_free(root);
        return err;
    }
    *out = root;
    return SF_OK;
}

void sf_yaml_free(struct yaml_node *node)
{
    while (node != NULL) {
        struct yaml_node *next = node->next;
        sf_yaml_free(node->child); /* as deep as max_depth */
        if (node->text != NULL) {
            sf_wipe(node->text, strlen(node->text)); /* may be a key put where it should not be */
        }
        free(node->text), node->text = NULL;
        free(node->key), node->key = NULL;
        free(node);
        node = next;
    }
}

/* ------------------------------------------------------------------ to JSON */

static json_t *number_to_json(const struct yaml_node *node)
{
    struct sf_str s = sf_str(node->text);
    bool negative = s.p[0] == '-';
    if (negative || s.p[0] == '+') {
        s.p++;
        s.n--;
    }
    int64_t whole;
    double real = 0;
    if (node->kind == YAML_INT && sf_scan_i64(s, 0, INT64_MAX, &whole)) {
        return json_integer(negative ? -whole : whole);
    }
    return sf_scan_double(s, &real) ? json_real(negative ? -real : real) : json_string(node->text);
}

static bool says_true(const char *text)
{
    static const char *const words[] = {"true", "yes", "on", NULL};
    return is_word(sf_str(text), words);
}

static enum sf_err to_json(const struct yaml_node *node, json_t **out, struct sf_errbuf *eb);

static enum sf_err members_to_json(const struct yaml_node *node, json_t *into, struct sf_errbuf *eb)
{
    for (const struct yaml_node *c = node->child; c != NULL; c = c->next) {
        if (c->key != NULL && json_object_get(into, c->key) != NULL) {
            return sf_fail(eb, SF_EPARSE, "line %u: the key \"%.60s\" is there twice", c->line,
                           c->key);
        }
        json_t *value = NULL;
        enum sf_err err = to_json(c, &value, eb);
        if (err != SF_OK) {
            return err;
        }
        int failed = c->key != NULL ? json_object_set_new(into, c->key, value)
                                    : json_array_append_new(into, value);
        if (failed != 0) {
            return sf_fail(eb, SF_ENOMEM, "out of memory");
        }
    }
    return SF_OK;
}

static enum sf_err to_json(const struct yaml_node *node, json_t **out, struct sf_errbuf *eb)
{
    json_t *v = NULL;
    switch (node->kind) {
    case YAML_NULL:
        v = json_null();
        break;
    case YAML_BOOL:
        v = json_boolean(says_true(node->text));
        break;
    case YAML_INT:
    case YAML_FLOAT:
        v = number_to_json(node);
        break;
    case YAML_STRING:
        v = json_string(node->text);
        break;
    case YAML_LIST:
        v = json_array();
        break;
    case YAML_MAP:
        v = json_object();
        break;
    }
    if (v == NULL) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    enum sf_err err = members_to_json(node, v, eb);
    if (err != SF_OK) {
        json_decref(v);
        return err;
    }
    *out = v;
    return SF_OK;
}

enum sf_err sf_yaml_to_json(struct sf_str text, struct yaml_limits limits, json_t **out,
                            struct sf_errbuf *eb)
{
    struct yaml_node *root = NULL;
    enum sf_err err = sf_yaml_parse(text, limits, &root, eb);
    if (err == SF_OK && root == NULL) {
        *out = json_null();
    } else if (err == SF_OK) {
        err = to_json(root, out, eb);
    }
    sf_yaml_free(root);
    return err;
}

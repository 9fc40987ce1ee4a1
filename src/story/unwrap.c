/* SPDX-License-Identifier: MIT */
#include "story/unwrap.h"

#include <string.h>

/* What stands inside the first ``` fence; the text itself when there is none. */
static struct sf_str inside_fence(struct sf_str s)
{
    size_t open = sf_str_find(s, SF_STR("```"));
    if (open == s.n) {
        return s;
    }
    struct sf_str body = {s.p + open + 3, s.n - open - 3};
    size_t line = sf_str_find(body, SF_STR("\n"));
    if (line < body.n && line <= 16) { /* the fence's language */
        body.p += line;
        body.n -= line;
    } else if (sf_str_has_prefix(body, "json")) {
        body.p += 4;
        body.n -= 4;
    }
    body.n = sf_str_find(body, SF_STR("```"));
    return body;
}

/* From the first '{' to the last '}': prose before and after is passed over. */
static struct sf_str outermost_object(struct sf_str s)
{
    size_t start = sf_str_find(s, SF_STR("{"));
    size_t end = s.n;
    while (end > start && s.p[end - 1] != '}') {
        end--;
    }
    return (struct sf_str){s.p + start, end - start};
}

enum sf_err story_unwrap(struct sf_str text, bool raw, json_t **out, struct sf_errbuf *eb)
{
    struct sf_str s = sf_str_trim(text);
    json_t *v = NULL;
    struct sf_errbuf why = {.code = SF_OK};
    if (s.n > 0 && s.p[0] != '{') {
        s = sf_str_trim(inside_fence(s));
    }
    if (s.n > 0 && s.p[0] == '[') {
        return sf_fail(eb, SF_EINCOMPLETE, "the answer is an array, not an object");
    }
    struct sf_str object = outermost_object(s);
    if (object.n == 0) {
        if (raw && text.n > 0) {
            *out = json_pack("{s:s%}", "generated_text", text.p, text.n);
            return *out == NULL ? sf_fail(eb, SF_EINCOMPLETE, "the answer is not UTF-8") : SF_OK;
        }
        return sf_fail(eb, SF_EINCOMPLETE, "the answer holds no JSON object");
    }
    if (json_parse(object, JSON_LIMITS_DEFAULT, &v, &why) != SF_OK) {
        return sf_fail(eb, SF_EINCOMPLETE, "the answer is cut or malformed: %.200s", why.text);
    }
    if (!json_is_object(v)) {
        json_decref(v);
        return sf_fail(eb, SF_EINCOMPLETE, "the answer is not an object");
    }
    *out = v;
    return SF_OK;
}

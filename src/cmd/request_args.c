/* SPDX-License-Identifier: MIT */
#include "cmd/request_args.h"

#include "base/file.h"
#include "base/log.h"

#include <string.h>

static json_t *read_context(const struct args *a, const char *path)
{
    struct sf_buf text;
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *context = NULL;
    sf_buf_init(&text, 4U << 20);
    enum sf_err err = sf_file_read(path, &text, &eb);
    if (err == SF_OK) {
        err = json_parse(sf_buf_str(&text), JSON_LIMITS_DEFAULT, &context, &eb);
    }
    if (err != SF_OK) {
        fatal(100, "%s: --context %s: %s", a->spec->name, path, sf_err_text(&eb, err));
    }
    if (!json_is_object(context)) {
        fatal(100, "%s: --context %s: takes a JSON object", a->spec->name, path);
    }
    sf_buf_fini(&text);
    return context;
}

/* A chapters array as `chapters` in story.json is no context: only these are taken. */
static void take(json_t *into, const json_t *context, const char *key)
{
    json_t *v = json_object_get(context, key);
    if (json_object_set(into, key, v == NULL ? json_null() : v) != 0) {
        fatal(111, "out of memory");
    }
}

json_t *request_args_fields(const struct args *a)
{
    static const char *const keys[] = {"blueprint", "characters", "story_arc", "chapter_ids"};
    const char *task = args_get(a, "--task"), *input = args_get(a, "--input");
    const char *path = args_get(a, "--context");
    if (task == NULL || input == NULL) {
        fatal(100, "%s: --task and --input are needed (see storyfi %s --help)", a->spec->name,
              a->spec->name);
    }
    json_t *context = path == NULL ? json_object() : read_context(a, path);
    json_t *fields = json_pack("{s:s, s:s, s:s}", "protocol_version", STORY_PROTOCOL_VERSION,
                               "task_type", task, "user_input", input);
    if (fields == NULL) {
        fatal(100, "%s: --input: must be UTF-8 text", a->spec->name);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        take(fields, context, keys[i]);
    }
    json_decref(context);
    return fields;
}

void request_args_read(const struct args *a, struct story_request *out)
{
    struct sf_errbuf eb = {.code = SF_OK};
    json_t *fields = request_args_fields(a);
    enum sf_err err = story_request_init(out, fields, &eb);
    json_decref(fields);
    if (err != SF_OK) {
        fatal(100, "%s: %s", a->spec->name, sf_err_text(&eb, err));
    }
}

uint64_t request_args_seed(const struct args *a)
{
    uint64_t random;
    sf_random(&random, sizeof random);
    return args_has(a, "--seed") ? (uint64_t)args_int(a, "--seed", 0, 0, INT64_MAX) : random >> 1U;
}

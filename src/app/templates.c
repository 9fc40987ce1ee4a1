/* SPDX-License-Identifier: MIT */
#include "app/templates.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "story/prompt.h"

#include <sys/stat.h>

#define FILE_CAP (256U << 10)

static enum sf_err parse_text(struct sf_str text, json_t **out, struct sf_errbuf *eb)
{
    *out = json_stringn(text.p, text.n);
    return *out == NULL ? sf_fail(eb, SF_EPARSE, "not UTF-8 text") : SF_OK;
}

static enum sf_err parse_yaml(struct sf_str text, json_t **out, struct sf_errbuf *eb)
{
    return sf_yaml_to_json(text, YAML_LIMITS_DEFAULT, out, eb);
}

static enum sf_err parse_json(struct sf_str text, json_t **out, struct sf_errbuf *eb)
{
    return json_parse(text, JSON_LIMITS_DEFAULT, out, eb);
}

static const struct {
    const char *ending;
    enum sf_err (*parse)(struct sf_str text, json_t **out, struct sf_errbuf *eb);
} formats[] = {
    {"txt", parse_text},
    {"yaml", parse_yaml},
    {"yml", parse_yaml},
    {"json", parse_json},
};

/* The text in a parsed file: itself, or the member that holds it. */
static const char *text_in(const json_t *v)
{
    static const char *const keys[] = {"prompt", "template", "user_prompt"};
    if (json_is_string(v)) {
        return json_string_value(v);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *z = json_get_string(v, keys[i]);
        if (z != NULL) {
            return z;
        }
    }
    return NULL;
}

static enum sf_err load(const char *path, size_t format, char **out, struct sf_errbuf *eb)
{
    struct sf_buf content;
    json_t *parsed = NULL;
    sf_buf_init(&content, FILE_CAP);
    enum sf_err err = sf_file_read(path, &content, eb);
    if (err == SF_OK) {
        err = formats[format].parse(sf_buf_str(&content), &parsed, eb);
    }
    if (err == SF_OK) {
        struct sf_str text = sf_str_trim(sf_str(text_in(parsed)));
        if (text.n == 0) {
            err =
                sf_fail(eb, SF_EPARSE, "no prompt in it: takes a text, or an object with `prompt`");
        } else {
            *out = sf_strndup(text.p, text.n);
            err = *out == NULL ? SF_ENOMEM : SF_OK;
        }
    }
    json_decref(parsed);
    sf_buf_fini(&content);
    return err;
}

static enum sf_err load_task(const char *dir, enum story_task task, char **out)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct sf_buf path;
        struct sf_errbuf eb = {.code = SF_OK};
        sf_buf_init(&path, 4096);
        sf_buf_printf(&path, "%s/%s.%s", dir, story_task_name(task), formats[i].ending);
        enum sf_err err = load(sf_buf_z(&path), i, out, &eb);
        if (err != SF_OK && err != SF_ENOTFOUND) {
            log_event(LOG_WARN, LOG_STORY, "template file skipped", LOG_S("file", sf_buf_z(&path)),
                      LOG_ERR(&eb, err));
        }
        sf_buf_fini(&path);
        if (err == SF_OK || err == SF_ENOMEM) {
            return err;
        }
    }
    return SF_OK;
}

enum sf_err templates_init(struct templates *t, const char *dir)
{
    struct stat st;
    *t = (struct templates){.text = {NULL}};
    if (dir[0] == '\0') {
        return SF_OK;
    }
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        log_event(LOG_WARN, LOG_STORY,
                  "generator.template_dir is not a folder; built-in prompts are used",
                  LOG_S("dir", dir));
        return SF_OK;
    }
    for (int task = 0; task < STORY_TASK_COUNT; task++) {
        enum sf_err err = load_task(dir, (enum story_task)task, &t->text[task]);
        if (err != SF_OK) {
            templates_fini(t);
            return err;
        }
    }
    return SF_OK;
}

void templates_fini(struct templates *t)
{
    for (int task = 0; task < STORY_TASK_COUNT; task++) {
        free(t->text[task]), t->text[task] = NULL;
    }
}

char *templates_render(const struct templates *t, const struct story_request *request)
{
    struct sf_buf out;
    if (t->text[request->task] == NULL) {
        return NULL;
    }
    sf_buf_init(&out, 1U << 20);
    story_prompt_render(sf_str(t->text[request->task]), request, &out);
    return sf_buf_take(&out);
}

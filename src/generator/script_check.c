/* SPDX-License-Identifier: MIT */
#include "generator/check.h"
#include "generator/script.h"
#include "story/repair.h"
#include "story/validate.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHECK_MS 25000 /* of the 30 s that a check may block */
#define LINE_ROOM 256

static const char *environment_value(const struct script_facts *f, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; f->environment != NULL && f->environment[i] != NULL; i++) {
        if (strncmp(f->environment[i], name, n) == 0 && f->environment[i][n] == '=') {
            return f->environment[i] + n + 1;
        }
    }
    return "";
}

/* Whether a program of this name is found as `env` would find it. */
static bool is_in_path(const struct script_facts *f, struct sf_str name)
{
    struct sf_str dirs = sf_str(environment_value(f, "PATH")), dir;
    char path[1024];
    while (sf_str_next(&dirs, ':', &dir)) {
        (void)snprintf(path, sizeof path, "%.*s/%.*s", (int)(dir.n < 700 ? dir.n : 700), dir.p,
                       (int)(name.n < 200 ? name.n : 200), name.p);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* The words behind "#!", "" when there are none. */
static void read_line(const char *path, char out[static LINE_ROOM])
{
    char head[LINE_ROOM] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    head[n > 0 ? n : 0] = '\0';
    head[strcspn(head, "\r\n")] = '\0';
    (void)snprintf(out, LINE_ROOM, "%s", strncmp(head, "#!", 2) == 0 ? head + 2 : "");
}

/* The program of the line that is missing; empty when all are there. */
static struct sf_str missing_program(const struct script_facts *f, const char *line)
{
    struct sf_str rest = sf_str_trim(sf_str(line)), word, name;
    if (!sf_str_next(&rest, ' ', &word)) {
        return (struct sf_str){"", 0};
    }
    char program[LINE_ROOM];
    (void)snprintf(program, sizeof program, "%.*s", SF_STR_ARG(word));
    if (access(program, X_OK) != 0) {
        return word;
    }
    const char *slash = strrchr(program, '/');
    if (strcmp(slash == NULL ? program : slash + 1, "env") != 0) {
        return (struct sf_str){"", 0};
    }
    while (sf_str_next(&rest, ' ', &name)) { /* env's own options and variables stand before it */
        bool own = name.n == 0 || name.p[0] == '-' || sf_str_find(name, SF_STR("=")) < name.n;
        if (!own) {
            return is_in_path(f, name) ? (struct sf_str){"", 0} : name;
        }
    }
    return (struct sf_str){"", 0};
}

static bool check_program(const struct script_facts *f, struct gen_checks *out)
{
    char line[LINE_ROOM];
    (void)snprintf(line, sizeof line, "%s", f->interpreter);
    if (line[0] == '\0') {
        read_line(f->path, line);
    }
    struct sf_str missing = missing_program(f, line);
    if (missing.n > 0) {
        gen_checks_add(out, GEN_CHECK_FAIL, "interpreter",
                       "install it, put its folder into PATH, or correct the #! line",
                       "%.*s is not there (line #!%.120s)", SF_STR_ARG(missing), line);
        return false;
    }
    if (f->interpreter[0] != '\0') {
        gen_checks_add(out, GEN_CHECK_OK, "executable", "chmod +x makes it direct",
                       "no exec bit; it runs through %.150s", line);
    } else {
        gen_checks_add(out, GEN_CHECK_OK, "executable", "", "%s%.150s",
                       line[0] == '\0' ? "yes" : "yes, through ", line);
    }
    return true;
}

static bool is_valid(const struct story_request *r, json_t *output, struct story_report *report)
{
    return story_repair(r, output) == SF_OK && story_validate(r, output, report);
}

static void check_withheld(const struct script_facts *f, bool answered, struct gen_checks *out)
{
    if (f->withheld[0] != '\0') {
        gen_checks_add(out, answered ? GEN_CHECK_OK : GEN_CHECK_WARN, "variables withheld",
                       "name those it needs in env_vars: {NAME: ${NAME}}", "%.200s", f->withheld);
    }
}

/* The owner's own program costs nothing: it is really run. */
static bool check_answer(void *ctx, const struct script_facts *f, struct gen_checks *out)
{
    json_t *body = json_pack("{s:s, s:s}", "task_type", "blueprint", "user_input",
                             "A lighthouse keeper who hears the sea speak");
    struct story_request request;
    struct story_report report;
    struct gen_result result = {.output = NULL};
    struct sf_errbuf eb = {.code = SF_OK};
    bool ok = false, cut = f->timeout_ms > CHECK_MS;
    struct sf_time started = sf_now();
    enum sf_err err = body == NULL ? SF_ENOMEM : story_request_init(&request, body, &eb);
    json_decref(body);
    if (err != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "answers a task", "", "%s", sf_err_text(&eb, err));
        return false;
    }
    struct gen_call call = {.request = &request,
                            .deadline = sf_after(started, cut ? CHECK_MS : f->timeout_ms + 1000),
                            .target = sf_after(started, cut ? CHECK_MS : f->timeout_ms)};
    err = generator_script.generate(ctx, &call, &result, &eb);
    double took = sf_seconds(sf_between(started, sf_now()));
    if (err == SF_ESLOW && cut) {
        gen_checks_add(out, GEN_CHECK_WARN, "answers a task",
                       "validators pay full time points to 30 s: a faster program earns more",
                       "run once: no answer in %d s, ended", CHECK_MS / 1000);
    } else if (err != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "answers a task",
                       "run it by hand: echo '{\"task_type\": \"blueprint\", \"user_input\": "
                       "\"x\"}' | your script",
                       "run once: %.230s", sf_err_text(&eb, err));
    } else if (!is_valid(&request, result.output, &report)) {
        gen_checks_add(out, GEN_CHECK_FAIL, "answers a task",
                       "the answer's members and bounds: doc/generators.md",
                       "run once: %zu things are wrong, first %s %s", report.total,
                       report.list[0].path, report.list[0].problem);
    } else {
        gen_checks_add(out, GEN_CHECK_OK, "answers a task", "",
                       "run once: a valid blueprint in %.1f s", took);
        ok = true;
    }
    gen_result_fini(&result);
    story_request_fini(&request);
    return ok;
}

void script_check(void *ctx, struct gen_checks *out)
{
    struct script_facts facts;
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = script_look(ctx, &facts, &eb);
    if (err != SF_OK) {
        gen_checks_add(out, GEN_CHECK_FAIL, "script",
                       "correct generator.custom.script_path, or chmod +x the file", "%.250s",
                       sf_err_text(&eb, err));
        return;
    }
    gen_checks_add(out, GEN_CHECK_OK, "script", "", "%.250s", facts.path);
    if (check_program(&facts, out)) {
        check_withheld(&facts, check_answer(ctx, &facts, out), out);
    }
}

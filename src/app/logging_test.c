/* SPDX-License-Identifier: MIT */
#include "app/logging.h"

#include "base/log.h"
#include "base/log_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/storyfi-logging-XXXXXX";

static const struct conf *load(const char *yaml, const char *const *environment)
{
    static const char *const none[] = {NULL};
    struct conf_source source = {.yaml = sf_str(yaml),
                                 .dotenv = SF_STR("#"),
                                 .environment = environment == NULL ? none : environment};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = NULL;
    enum sf_err err = conf_load(&source, &conf, NULL, &eb);
    if (err != SF_OK) {
        fail_msg("%s", sf_err_text(&eb, err));
    }
    return conf;
}

/* What is written to stderr by one warning. */
static void warned(const struct conf *conf, char *out, size_t n)
{
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    (void)dup2(ends[1], STDERR_FILENO);
    logging_begin(conf);
    log_each(LOG_WARN, LOG_MAIN, "beware", LOG_I("n", 1));
    log_each(LOG_ERROR, LOG_MAIN, "worse", LOG_I("n", 2));
    (void)dup2(saved, STDERR_FILENO);
    ssize_t got = read(ends[0], out, n - 1);
    out[got > 0 ? got : 0] = '\0';
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(saved);
}

static void the_journal_is_known_by_device_and_inode(void **state)
{
    struct stat st;
    char right[64], wrong[64];
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)state;
    assert_int_equal(fstat(fd, &st), 0);
    (void)snprintf(right, sizeof right, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    (void)snprintf(wrong, sizeof wrong, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino + 1);
    assert_true(logging_is_journal(right, fd));
    assert_false(logging_is_journal(wrong, fd));
    assert_false(logging_is_journal(NULL, fd));
    assert_false(logging_is_journal("", fd));
    assert_false(logging_is_journal("12", fd));
    assert_false(logging_is_journal("x:y", fd));
    (void)close(fd);
    assert_false(logging_is_journal(right, -1));
}

static void priorities_stand_in_front_when_wanted(void **state)
{
    char said[1024];
    const struct conf *on = load("logging: {priorities: true}\n", NULL),
                      *plain = load("{}\n", NULL);
    (void)state;
    warned(on, said, sizeof said);
    assert_memory_equal(said, "<4>2", 4);
    assert_non_null(strstr(said, "\n<3>2"));
    warned(plain, said, sizeof said);
    assert_true(said[0] == '2');
    conf_unref(on);
    conf_unref(plain);
}

static void the_file_is_where_the_owner_says(void **state)
{
    char yaml[256], path[128];
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    (void)snprintf(yaml, sizeof yaml,
                   "logging: {record_log: true, logging_dir: %s, file: %s/deep/x.log}\n", dir, dir);
    const struct conf *c = load(yaml, NULL);
    assert_int_equal(logging_open_file(c, "miner.log", &eb), SF_OK);
    (void)snprintf(path, sizeof path, "%s/deep/x.log", dir);
    assert_int_equal(access(path, W_OK), 0);
    conf_unref(c);
    (void)snprintf(yaml, sizeof yaml, "logging: {record_log: true, logging_dir: %s}\n", dir);
    c = load(yaml, NULL);
    assert_int_equal(logging_open_file(c, "miner.log", &eb), SF_OK);
    (void)snprintf(path, sizeof path, "%s/default/default/miner.log", dir);
    assert_int_equal(access(path, W_OK), 0);
    conf_unref(c);
    c = load("logging: {file: /dev/null/x.log}\n", NULL);
    assert_int_equal(logging_open_file(c, "miner.log", &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "logging.file"));
    conf_unref(c);
    log_file_close();
}

static void a_reload_changes_the_level(void **state)
{
    const struct conf *quiet = load("{}\n", NULL), *loud = load("logging: {debug: true}\n", NULL);
    (void)state;
    logging_begin(quiet);
    assert_int_equal(log_level(), LOG_WARN);
    logging_change(loud);
    assert_int_equal(log_level(), LOG_DEBUG);
    logging_change(quiet);
    assert_int_equal(log_level(), LOG_WARN);
    conf_unref(quiet);
    conf_unref(loud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_is_known_by_device_and_inode),
        cmocka_unit_test(priorities_stand_in_front_when_wanted),
        cmocka_unit_test(the_file_is_where_the_owner_says),
        cmocka_unit_test(a_reload_changes_the_level),
    };
    if (mkdtemp(dir) == NULL) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "app/backup.h"

#include "base/file.h"
#include "base/mem.h"
#include "journal/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/storyfi-backup-XXXXXX";
static char home[64], dir[64];
static const struct conf *conf;
static int number;

static char *at(const char *base, const char *name)
{
    static char paths[8][256];
    static int next;
    char *out = paths[next++ % 8];
    (void)snprintf(out, sizeof paths[0], "%s/%s", base, name);
    return out;
}

static void put(const char *base, const char *name, const char *text)
{
    char *folder = sf_path_dir(at(base, name));
    assert_int_equal(sf_dir_make(folder, 0700, NULL), SF_OK);
    free(folder);
    assert_int_equal(sf_file_write(at(base, name), sf_str(text), 0640, NULL), SF_OK);
}

static void holds(const char *path, const char *expected)
{
    struct sf_buf b;
    sf_buf_init(&b, 65536);
    assert_int_equal(sf_file_read(path, &b, NULL), SF_OK);
    assert_string_equal(sf_buf_z(&b), expected);
    sf_buf_fini(&b);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A machine of its own: configuration, .env, wallet, pins, metagraph, an empty journal. */
static int fresh(void **state)
{
    static char yaml[512], file[128];
    static const char *const none[] = {NULL};
    struct journal_options o = journal_options_default();
    struct journal *j = NULL;
    (void)state;
    (void)snprintf(home, sizeof home, "%s/%d", top, number);
    (void)snprintf(dir, sizeof dir, "%s/saved-%d", top, number++);
    (void)snprintf(yaml, sizeof yaml,
                   "state_dir: %s/state\ngenerator: {local: {models_dir: %s/models}}\n"
                   "wallet: {path: %s/wallets, name: mine}\n",
                   home, home, home);
    put(home, "conf/generator_config.yaml", yaml);
    put(home, "conf/.env", "KEY=1\n");
    put(home, "models/pins.json", "{}");
    put(home, "state/metagraph-92.scale", "graph");
    put(home, "wallets/mine/coldkeypub.txt", "pub");
    put(home, "wallets/mine/hotkeys/default", "hot");
    (void)snprintf(file, sizeof file, "%s/conf/generator_config.yaml", home);
    struct conf_source source = {.config_path = file, .dotenv = SF_STR("#"), .environment = none};
    assert_int_equal(conf_load(&source, &conf, NULL, NULL), SF_OK);
    o.path = conf->journal.path;
    assert_int_equal(journal_open(&o, &j), SF_OK);
    journal_close(j);
    return 0;
}

static int over(void **state)
{
    (void)state;
    conf_unref(conf);
    return 0;
}

static void count_file(void *arg, const char *name, const char *place, int64_t bytes)
{
    (void)name;
    (void)place;
    *(int *)arg += bytes > 0;
}

static int save(bool wallet, bool env)
{
    int n = 0;
    struct sf_errbuf eb = {.code = SF_OK};
    struct backup_options o = {.conf = conf, .dir = dir, .wallet = wallet, .env = env};
    enum sf_err err = backup_make(&o, count_file, &n, &eb);
    if (err != SF_OK) {
        fail_msg("%s", eb.text);
    }
    return n;
}

static enum sf_err restore(struct sf_errbuf *eb)
{
    int n = 0;
    struct restore_options o = {.conf = conf, .dir = dir};
    *eb = (struct sf_errbuf){.code = SF_OK};
    return backup_restore(&o, count_file, &n, eb);
}

static void all_of_it_is_saved_and_secrets_only_when_asked(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(save(false, false), 4);
    holds(at(dir, "pins.json"), "{}");
    holds(at(dir, "metagraph-92.scale"), "graph");
    assert_true(is_there(at(dir, "journal.db")));
    assert_false(is_there(at(dir, "env")));
    assert_false(is_there(at(dir, "wallet")));
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(at(dir, "pins.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(dir, sizeof dir, "%s/secret-%d", top, number);
    assert_int_equal(save(true, true), 7);
    holds(at(dir, "env"), "KEY=1\n");
    holds(at(dir, "wallet/hotkeys/default"), "hot");
    char *from = backup_origin(dir, "pins.json");
    assert_non_null(strstr(from, "/models/pins.json"));
    free(from);
    assert_null(backup_origin(dir, "nothing"));
}

static void what_cannot_be_saved_whole_is_not_there(void **state)
{
    int n = 0;
    struct sf_errbuf eb = {.code = SF_OK};
    struct backup_options o = {.conf = conf, .dir = dir};
    (void)state;
    assert_int_equal(truncate(conf->journal.path, 5000), 0);
    put(home, "state/journal.db",
        "this is no database, and it is longer than a hundred bytes, "
        "which SQLite wants for a head of a file");
    assert_int_equal(backup_make(&o, count_file, &n, &eb), SF_EPARSE);
    assert_false(is_there(dir));
    char partial[128];
    (void)snprintf(partial, sizeof partial, "%s.partial-%ld", dir, (long)getpid());
    assert_false(is_there(partial));
    assert_int_equal(n, 0);
    o.dir = top;
    assert_int_equal(backup_make(&o, count_file, &n, &eb), SF_ECONFIG);
    assert_non_null(strstr(eb.text, "is there already"));
}

static void what_was_there_is_kept_aside(void **state)
{
    struct sf_errbuf eb;
    struct stat st;
    (void)state;
    (void)save(true, true);
    put(home, "models/pins.json", "{\"new\":1}");
    put(home, "conf/.env", "KEY=2\n");
    assert_int_equal(unlink(at(home, "wallets/mine/hotkeys/default")), 0);
    enum sf_err err = restore(&eb);
    if (err != SF_OK) {
        fail_msg("%s", eb.text);
    }
    holds(at(home, "models/pins.json"), "{}");
    holds(at(home, "conf/.env"), "KEY=1\n");
    holds(at(home, "wallets/mine/hotkeys/default"), "hot");
    assert_int_equal(stat(at(home, "models/pins.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_true(is_there(conf->journal.path));
}

static void a_damaged_backup_changes_nothing(void **state)
{
    struct sf_errbuf eb;
    (void)state;
    (void)save(false, false);
    put(dir, "metagraph-92.scale", "grapH");
    put(home, "models/pins.json", "{\"new\":1}");
    assert_int_equal(restore(&eb), SF_EPARSE);
    assert_non_null(strstr(eb.text, "checksum differs"));
    holds(at(home, "models/pins.json"), "{\"new\":1}");
    assert_int_equal(unlink(at(dir, "metagraph-92.scale")), 0);
    assert_int_equal(restore(&eb), SF_EPARSE);
    assert_int_equal(unlink(at(dir, "manifest.json")), 0);
    assert_int_equal(restore(&eb), SF_ENOTFOUND);
}

static void a_place_that_takes_nothing_puts_all_back(void **state)
{
    struct sf_errbuf eb;
    (void)state;
    (void)save(false, false);
    put(home, "models/pins.json", "{\"new\":1}");
    assert_int_equal(unlink(at(home, "state/metagraph-92.scale")), 0);
    assert_int_equal(mkdir(at(home, "state/metagraph-92.scale"), 0700), 0);
    assert_int_equal(restore(&eb), SF_OK); /* a folder in its place goes aside like a file */
    holds(at(home, "state/metagraph-92.scale"), "graph");
    holds(at(home, "models/pins.json"), "{}");
    put(home, "models/pins.json", "{\"new\":2}");
    assert_int_equal(rename(at(home, "state"), at(home, "moved")), 0);
    put(home, "state", "a file where the folder was");
    assert_int_not_equal(restore(&eb), SF_OK);
    holds(at(home, "models/pins.json"), "{\"new\":2}");
}

static void names_that_no_backup_has_are_refused(void **state)
{
    static const char *const names[] = {"../../etc/passwd",
                                        "/etc/passwd",
                                        "wallet/../x",
                                        "wallet/hotkeys/../../x",
                                        "wallet/hotkeys/.x",
                                        "metagraph-/../1.scale",
                                        ".env",
                                        "",
                                        "wallet/"};
    char text[512];
    struct sf_errbuf eb;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(
            text, sizeof text,
            "{\"format\":1,\"files\":[{\"name\":\"%s\",\"bytes\":1,\"sha256\":\"%064d\"}]}",
            names[i], 0);
        put(dir, "manifest.json", text);
        assert_int_equal(restore(&eb), SF_EPARSE);
        assert_non_null(strstr(eb.text, "names a file that no backup has"));
    }
    put(dir, "manifest.json", "{\"format\":2,\"storyfi\":\"9.9\",\"files\":[]}");
    assert_int_equal(restore(&eb), SF_ECONFIG);
    put(dir, "manifest.json", "{\"format\":1,\"files\":[]}");
    assert_int_equal(restore(&eb), SF_EPARSE);
    put(dir, "manifest.json", "nonsense");
    assert_int_equal(restore(&eb), SF_EPARSE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fresh, over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_of_it_is_saved_and_secrets_only_when_asked),
        CASE(what_cannot_be_saved_whole_is_not_there),
        CASE(what_was_there_is_kept_aside),
        CASE(a_damaged_backup_changes_nothing),
        CASE(a_place_that_takes_nothing_puts_all_back),
        CASE(names_that_no_backup_has_are_refused),
    };
    if (mkdtemp(top) == NULL) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

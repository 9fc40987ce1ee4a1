/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_CONF_TEST_H
#define SF_CONF_CONF_TEST_H

/* What the tests of this room share: a scratch folder for each test, and loads from it. */
#include "conf/conf.h"

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256]; /* a scratch folder, new for each test */

static inline int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/storyfi-conf-XXXXXX",
                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static inline void in_folder(const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", folder, name);
}

static inline int remove_folder(void **state)
{
    static const char *const made[] = {"c.yaml",      ".env",   "config/generator_config.yaml",
                                       "config/.env", "config", "xdg/storyfi/generator_config.yaml",
                                       "xdg/storyfi", "xdg"};
    char path[512];
    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        in_folder(made[i], path);
        (void)remove(path);
    }
    return rmdir(folder);
}

static inline void put_file(const char *name, const char *text)
{
    char path[512];
    in_folder(name, path);
    char *dir = sf_path_dir(path);
    assert_int_equal(sf_dir_make(dir, 0700, NULL), SF_OK);
    free(dir);
    assert_int_equal(sf_file_write(path, sf_str(text), 0600, NULL), SF_OK);
}

static const char *const no_environment[] = {"HOME=/home/me", NULL};

/* A load from the scratch folder's c.yaml. */
struct load {
    struct conf_source source;
    char path[512];
    const struct conf *conf;
    struct conf_diagnostics found;
    struct sf_errbuf eb;
    enum sf_err err;
};

static inline void load_init(struct load *l, const char *yaml)
{
    *l = (struct load){.source = {.environment = no_environment, .cwd = folder}};
    if (yaml != NULL) {
        put_file("c.yaml", yaml);
        in_folder("c.yaml", l->path);
        l->source.config_path = l->path;
    }
}

static inline void load_run(struct load *l)
{
    l->err = conf_load(&l->source, &l->conf, &l->found, &l->eb);
}

static inline void load_fini(struct load *l)
{
    conf_unref(l->conf);
    conf_diagnostics_fini(&l->found);
}

static inline void load(struct load *l, const char *yaml)
{
    load_init(l, yaml);
    load_run(l);
    if (l->err != SF_OK) {
        fail_msg("%s", l->eb.text);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif

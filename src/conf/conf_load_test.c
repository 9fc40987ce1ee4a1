/* SPDX-License-Identifier: MIT */
#include "conf/conf_test.h"

#define ORIGINAL SOURCE_DIR "/tests/data/original/"

/* ------------------------------------------------------------------ the original's inputs */

static const struct conf *load_original(const char *name)
{
    char path[512];
    struct conf_source source = {.environment = no_environment, .cwd = folder, .strict = true};
    struct conf_diagnostics found = {0};
    struct sf_errbuf eb = {0};
    const struct conf *conf = NULL;
    (void)snprintf(path, sizeof path, "%s%s", ORIGINAL, name);
    source.config_path = path;
    if (conf_load(&source, &conf, &found, &eb) != SF_OK) {
        fail_msg("%s: %s", name, eb.text);
    }
    assert_int_equal(found.n, 1); /* the note which file was read, and nothing else */
    assert_int_equal(found.v[0].level, CONF_NOTE);
    conf_diagnostics_fini(&found);
    return conf;
}

static void original_local_blocks(void **state)
{
    static const char *const names[] = {"local.yaml", "edited.yaml"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct conf *c = load_original(names[i]);
        assert_string_equal(c->generator.mode, "local");
        assert_true(c->generator.local.present);
        assert_string_equal(c->generator.local.model_name, "meta-llama/Llama-3.1-8B-Instruct");
        assert_string_equal(c->generator.local.device, "cuda");
        assert_string_equal(c->generator.local.quantization, "4bit");
        assert_int_equal(c->generator.local.max_memory_bytes, 16000000000);
        assert_int_equal(c->generator.local.use_flash_attention, 1);
        assert_false(c->generator.api.present);
        assert_false(c->generator.fallback.set);
        conf_unref(c);
    }
}

static void original_api_blocks(void **state)
{
    static const char *const names[] = {"api.yaml", "migrated.yaml"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct conf *c = load_original(names[i]);
        assert_string_equal(c->generator.mode, "api");
        assert_true(c->generator.api.present);
        assert_string_equal(c->generator.api.provider, "openai");
        assert_string_equal(c->generator.api.api_key_env, "OPENAI_API_KEY");
        assert_string_equal(c->generator.api.model, "gpt-4o-mini");
        assert_false(c->generator.local.present);
        conf_unref(c);
    }
}

static void original_custom_blocks(void **state)
{
    static const struct {
        const char *name, *script, *endpoint;
    } rows[] = {
        {"custom.yaml", "./custom/generate.py", "http://localhost:8000/generate"},
        {"custom_script.yaml", "./custom/generate.py", ""},
        {"custom_http.yaml", "", "http://localhost:8000/generate"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct conf *c = load_original(rows[i].name);
        assert_string_equal(c->generator.mode, "custom");
        assert_int_equal(c->generator.custom.n, 1);
        const struct conf_custom *custom = &c->generator.custom.v[0];
        assert_string_equal(custom->name, "custom");
        assert_string_equal(custom->script_path, rows[i].script);
        assert_string_equal(custom->endpoint, rows[i].endpoint);
        assert_int_equal(custom->timeout_ms, 60000);
        conf_unref(c);
    }
}

static void copy_original_env(const char *name)
{
    char path[512];
    struct sf_buf text;
    sf_buf_init(&text, 1U << 16);
    (void)snprintf(path, sizeof path, "%s%s", ORIGINAL, name);
    assert_int_equal(sf_file_read(path, &text, NULL), SF_OK);
    put_file(".env", sf_buf_z(&text));
    sf_buf_fini(&text);
}

static void original_env_forms(void **state)
{
    static const char *const names[] = {"plain.env", "export.env"};
    static const size_t warnings[] = {0, 2}; /* the two lines that call pip */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct load l;
        copy_original_env(names[i]);
        load(&l, NULL);
        size_t n_warnings = 0;
        for (size_t j = 0; j < l.found.n; j++) {
            n_warnings += l.found.v[j].level == CONF_WARNING;
        }
        assert_int_equal(n_warnings, warnings[i]);
        assert_non_null(conf_env(l.conf, "OPENAI_API_KEY"));
        assert_non_null(conf_env(l.conf, "GEMINI_API_KEY"));
        assert_null(conf_secret(l.conf, "OPENAI_API_KEY")); /* placeholders, both */
        assert_null(conf_secret(l.conf, "GEMINI_API_KEY"));
        load_fini(&l);
    }
    put_file(".env", "export OPENAI_API_KEY=\"sk-real-0123456789abcd\"\nGEMINI_API_KEY=real\n");
    struct load l;
    load(&l, NULL);
    assert_string_equal(conf_secret(l.conf, "OPENAI_API_KEY"), "sk-real-0123456789abcd");
    assert_string_equal(conf_secret(l.conf, "GEMINI_API_KEY"), "real");
    load_fini(&l);
}

/* ------------------------------------------------------------------ defaults, example files */

static void without_any_file_everything_has_a_default(void **state)
{
    struct load l;
    (void)state;
    load(&l, NULL);
    const struct conf *c = l.conf;
    assert_string_equal(c->file, "");
    assert_string_equal(c->generator.mode, "local");
    assert_string_equal(c->generator.local.model_name, "default");
    assert_string_equal(c->wallet.path, "/home/me/.bittensor/wallets");
    assert_string_equal(c->wallet.name, "default");
    assert_string_equal(c->state_dir, "/home/me/.local/state/storyfi");
    assert_string_equal(c->journal.path, "/home/me/.local/state/storyfi/journal.db");
    assert_int_equal(c->netuid, -1);
    assert_int_equal(c->axon.port, 8091);
    assert_int_equal(c->admin.port, 8099);
    assert_int_equal(c->deadline.target_ms, 25000);
    assert_string_equal(conf_origin(c, "axon.port"), "default");
    load_fini(&l);
}

static void read_text(const char *path, struct sf_buf *out)
{
    sf_buf_init(out, 1U << 20);
    assert_int_equal(sf_file_read(path, out, NULL), SF_OK);
}

static void committed_files_are_what_the_table_gives(void **state)
{
    static const struct {
        const char *path;
        void (*make)(struct sf_buf *out);
    } rows[] = {
        {SOURCE_DIR "/config/generator_config.yaml.example", conf_example},
        {SOURCE_DIR "/.env.example", conf_example_env},
        {SOURCE_DIR "/doc/config.md", conf_doc_markdown},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_buf file, made;
        read_text(rows[i].path, &file);
        sf_buf_init(&made, 1U << 20);
        rows[i].make(&made);
        assert_int_equal(made.err, SF_OK);
        if (strcmp(sf_buf_z(&file), sf_buf_z(&made)) != 0) {
            fail_msg("%s is old: write it anew with storyfi config example, example-env or doc",
                     rows[i].path);
        }
        sf_buf_fini(&file);
        sf_buf_fini(&made);
    }
}

static void example_files_load_unedited(void **state)
{
    struct sf_buf text;
    struct load l;
    (void)state;
    read_text(SOURCE_DIR "/.env.example", &text);
    put_file(".env", sf_buf_z(&text));
    sf_buf_fini(&text);
    read_text(SOURCE_DIR "/config/generator_config.yaml.example", &text);
    load_init(&l, sf_buf_z(&text));
    sf_buf_fini(&text);
    l.source.strict = true;
    load_run(&l);
    assert_int_equal(l.err, SF_OK);
    assert_int_equal(l.found.n, 1); /* which file was read */
    assert_string_equal(l.conf->generator.local.model_name, "default");
    assert_null(conf_secret(l.conf, "OPENAI_API_KEY"));
    assert_null(conf_secret(l.conf, "ANTHROPIC_API_KEY"));
    load_fini(&l);
}

/* Takes the "# " away before every "key:". */
static void uncomment(const char *in, struct sf_buf *out)
{
    struct sf_str rest = sf_str(in), line;
    while (sf_str_next(&rest, '\n', &line)) {
        struct sf_str body = sf_str_trim(line);
        size_t indent = (size_t)(body.p - line.p), n = 2;
        while (n < body.n && ((body.p[n] >= 'a' && body.p[n] <= 'z') || body.p[n] == '_')) {
            n++;
        }
        if (sf_str_has_prefix(body, "# ") && n > 2 && n < body.n && body.p[n] == ':') {
            sf_buf_add(out, line.p, indent);
            sf_buf_add(out, body.p + 2, body.n - 2);
        } else {
            sf_buf_add_str(out, line);
        }
        sf_buf_putc(out, '\n');
    }
}

static void count_key(void *arg, const char *key, bool reload)
{
    (void)key;
    (void)reload;
    (*(size_t *)arg)++;
}

static void example_is_complete_and_all_of_it_loads(void **state)
{
    struct sf_buf text, all;
    struct load l;
    static const char *const env[] = {"HOME=/h", "MY_TOKEN=t", NULL};
    (void)state;
    read_text(SOURCE_DIR "/config/generator_config.yaml.example", &text);
    sf_buf_init(&all, 1U << 20);
    uncomment(sf_buf_z(&text), &all);
    load_init(&l, sf_buf_z(&all));
    l.source.strict = true;
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.err, SF_OK);
    assert_int_equal(l.found.n, 1);
    json_t *options = conf_to_json(l.conf);
    size_t i, defaults = 0;
    json_t *o;
    json_array_foreach(json_object_get(options, "options"), i, o)
    {
        const char *key = json_get_string(o, "key");
        bool in_fallback = strstr(key, "fallbacks[") != NULL;
        defaults += !in_fallback && strcmp(json_get_string(o, "origin"), "default") == 0;
    }
    assert_true(i > 100);
    assert_int_equal(defaults, 0); /* every option stands in the example */
    json_decref(options);
    load_fini(&l);
    sf_buf_fini(&text);
    sf_buf_fini(&all);
}

/* ------------------------------------------------------------------ order and origins */

static void later_sources_win_and_are_named(void **state)
{
    struct load l;
    (void)state;
    put_file("config/generator_config.yaml",
             "axon:\n  port: 1001\nwallet: {name: file, path: ~/w}\n");
    put_file(".env", "BT_AXON_PORT=1002\nBT_WALLET_NAME=cwd\nSTORYFI_ADMIN_PORT=2002\n");
    put_file("config/.env", "# x\nBT_WALLET_NAME=beside\n");
    load_init(&l, NULL);
    load_run(&l);
    assert_int_equal(l.err, SF_OK);
    char path[512], origin[600];
    in_folder("config/generator_config.yaml", path);
    assert_string_equal(l.conf->file, path);
    assert_string_equal(l.conf->wallet.path, "/home/me/w");
    (void)snprintf(origin, sizeof origin, "%s:3", path);
    assert_string_equal(conf_origin(l.conf, "wallet.path"), origin);
    assert_int_equal(l.conf->axon.port, 1002);
    in_folder(".env:1", path);
    assert_string_equal(conf_origin(l.conf, "axon.port"), path);
    assert_string_equal(l.conf->wallet.name, "beside");
    in_folder("config/.env:2", path);
    assert_string_equal(conf_origin(l.conf, "wallet.name"), path);
    assert_int_equal(l.conf->admin.port, 2002);
    load_fini(&l);

    static const char *const env[] = {"HOME=/home/me", "BT_AXON_PORT=1003", "STORYFI_AXON_PORT=1",
                                      "BT_WALLET_NAME=", NULL};
    load_init(&l, NULL);
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.conf->axon.port, 1003);
    assert_string_equal(conf_origin(l.conf, "axon.port"), "environment BT_AXON_PORT");
    assert_string_equal(l.conf->wallet.name, "beside"); /* empty counts as not set */
    load_fini(&l);

    load_init(&l, NULL);
    l.source.environment = env;
    l.source.settings[0] = (struct conf_setting){"axon.port", "1"};
    l.source.settings[1] = (struct conf_setting){"--axon.port", "1004"};
    l.source.settings[2] = (struct conf_setting){"logging.info", NULL};
    l.source.settings[3] = (struct conf_setting){"generator.fallback", "api,local"};
    l.source.n_settings = 4;
    load_run(&l);
    assert_int_equal(l.err, SF_OK);
    assert_int_equal(l.conf->axon.port, 1004);
    assert_string_equal(conf_origin(l.conf, "axon.port"), "flag --axon.port");
    assert_true(l.conf->logging.info);
    assert_int_equal(l.conf->generator.fallback.n, 2);
    assert_string_equal(l.conf->generator.fallback.v[0], "api");
    load_fini(&l);
}

static void first_file_of_the_search_order_is_read(void **state)
{
    static char xdg[300];
    const char *env[] = {"HOME=/nowhere", xdg, NULL};
    struct load l;
    (void)state;
    (void)snprintf(xdg, sizeof xdg, "XDG_CONFIG_HOME=%s/xdg", folder);
    put_file("xdg/storyfi/generator_config.yaml", "netuid: 2\n");
    load_init(&l, NULL);
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.conf->netuid, 2);
    assert_non_null(strstr(l.found.v[0].where, "xdg/storyfi/generator_config.yaml"));
    load_fini(&l);
    put_file("config/generator_config.yaml", "netuid: 1\n");
    load_init(&l, NULL);
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.conf->netuid, 1);
    load_fini(&l);
    put_file("c.yaml", "netuid: 3\n");
    load_init(&l, NULL);
    in_folder("c.yaml", l.path);
    l.source.config_path = l.path;
    load_run(&l);
    assert_int_equal(l.conf->netuid, 3);
    load_fini(&l);
}

static void a_named_file_must_be_there(void **state)
{
    struct load l;
    (void)state;
    load_init(&l, NULL);
    l.source.config_path = "/nonexistent/c.yaml";
    load_run(&l);
    assert_int_equal(l.err, SF_ECONFIG);
    assert_int_equal(sf_err_info(l.err)->exit_code, 100);
    assert_non_null(strstr(l.eb.text, "/nonexistent/c.yaml"));
    assert_null(l.conf);
    load_fini(&l);
}

static void sdk_switches_in_the_environment(void **state)
{
    static const struct {
        const char *var;
        bool on;
    } rows[] = {{"BT_LOGGING_DEBUG=1", true},      {"BT_LOGGING_DEBUG=True", true},
                {"BT_LOGGING_DEBUG=yep", true},    {"BT_LOGGING_DEBUG=", false},
                {"BT_LOGGING_DEBUG=false", false}, {"BT_LOGGING_DEBUG=0", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *env[] = {rows[i].var, NULL};
        struct load l;
        load_init(&l, NULL);
        l.source.environment = env;
        load_run(&l);
        assert_int_equal(l.err, SF_OK);
        assert_int_equal(l.conf->logging.debug, rows[i].on);
        load_fini(&l);
    }
}

/* ------------------------------------------------------------------ values */

static void every_type_of_value(void **state)
{
    struct load l;
    (void)state;
    load(&l,
         "generator:\n"
         "  mode: second\n"
         "  fallback: [api, first]\n"
         "  local: {quantization: null, use_flash_attention: off, max_memory: 1.5GiB,\n"
         "          stall_timeout: 0.5, device: 'cuda:1', models_dir: ~}\n"
         "  vllm:\n"
         "  custom:\n"
         "    - {name: first, script_path: ~/a.py, env_vars: {A: '${HOME}/x', B: 7}}\n"
         "    - {name: second, endpoint: 'http://h/generate', timeout: 2}\n"
         "  api:\n"
         "    provider: Gemini\n"
         "    limits: {requests_per_hour: 10, cost_per_day: 1.5}\n"
         "    fallbacks: [{provider: anthropic}, {provider: custom, endpoint: 'https://x/v1'}]\n"
         "blacklist: {allow: 5abc, force_validator_permit: yes}\n"
         "axon: {port: \"8\", max_body: 2048}\n");
    const struct conf_generator *g = &l.conf->generator;
    assert_string_equal(g->local.quantization, "none");
    assert_int_equal(g->local.use_flash_attention, 0);
    assert_int_equal(g->local.max_memory_bytes, 1610612736);
    assert_int_equal(g->local.stall_timeout_ms, 500);
    assert_string_equal(g->local.models_dir, "");
    assert_false(g->vllm.present); /* nothing under it */
    assert_int_equal(g->custom.n, 2);
    assert_string_equal(g->custom.v[0].script_path, "/home/me/a.py");
    assert_int_equal(g->custom.v[0].env_vars.n, 2);
    assert_string_equal(g->custom.v[0].env_vars.v[0].value, "/home/me/x");
    assert_string_equal(g->custom.v[0].env_vars.v[1].value, "7");
    assert_int_equal(g->custom.v[1].timeout_ms, 2000);
    assert_string_equal(g->api.provider, "gemini");
    assert_string_equal(g->api.api_key_env, "GEMINI_API_KEY");
    assert_true(g->api.limits.cost_per_day > 1.4 && g->api.limits.cost_per_day < 1.6);
    assert_int_equal(g->api.fallbacks.n, 2);
    assert_string_equal(g->api.fallbacks.v[0].api_key_env, "ANTHROPIC_API_KEY");
    assert_string_equal(g->api.fallbacks.v[1].api_key_env, "");
    assert_int_equal(l.conf->blacklist.allow.n, 1);
    assert_true(l.conf->blacklist.force_validator_permit);
    assert_int_equal(l.conf->axon.port, 8);
    load_fini(&l);
}

/* ------------------------------------------------------------------ secrets */

static void secrets_come_from_the_environment_and_are_masked(void **state)
{
    static const char *const env[] = {"OPENAI_API_KEY=sk-your-key-here",
                                      "ANTHROPIC_API_KEY=sk-ant-0123456789wxyz", NULL};
    struct load l;
    (void)state;
    put_file(".env", "OPENAI_API_KEY='sk-0123456789abcdef'\nMY=hidden-value\n");
    load_init(&l, "generator:\n  custom:\n    script_path: x\n    env_vars: {TOKEN: '${MY}'}\n"
                  "  vllm: {endpoint: 'http://me:hunter2@h/v1'}\n");
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.err, SF_OK);
    /* A placeholder does not hide a key that is set elsewhere. */
    assert_string_equal(conf_secret(l.conf, "OPENAI_API_KEY"), "sk-0123456789abcdef");
    struct sf_buf out;
    sf_buf_init(&out, 1U << 20);
    conf_print(l.conf, &out);
    json_t *json = conf_to_json(l.conf);
    json_print(json, &out);
    json_decref(json);
    assert_int_equal(out.err, SF_OK);
    assert_null(strstr(sf_buf_z(&out), "hidden-value"));
    assert_null(strstr(sf_buf_z(&out), "hunter2"));
    assert_null(strstr(sf_buf_z(&out), "0123456789"));
    assert_non_null(strstr(sf_buf_z(&out), "TOKEN: \"***\""));
    sf_buf_fini(&out);
    load_fini(&l);
    /* A key written where its variable's name belongs is not repeated. */
    load_init(&l, "generator: {api: {api_key_env: sk-proj-0123456789}}\n");
    load_run(&l);
    assert_int_equal(l.err, SF_ECONFIG);
    assert_null(strstr(l.eb.text, "0123456789"));
    load_fini(&l);
}

static void a_key_alone_chooses_the_provider(void **state)
{
    static const char *const env[] = {"OPENAI_API_KEY=", "GEMINI_API_KEY=abc", NULL};
    struct load l;
    (void)state;
    load_init(&l, NULL);
    l.source.environment = env;
    load_run(&l);
    assert_false(l.conf->generator.api.present);
    assert_string_equal(l.conf->generator.api.provider, "gemini");
    assert_string_equal(l.conf->generator.api.api_key_env, "GEMINI_API_KEY");
    load_fini(&l);
}

/* ------------------------------------------------------------------ snapshots */

struct changes {
    size_t n, reloadable;
    char keys[512];
};

static void note_change(void *arg, const char *key, bool reload)
{
    struct changes *c = arg;
    c->n++;
    c->reloadable += reload;
    size_t used = strlen(c->keys);
    (void)snprintf(c->keys + used, sizeof c->keys - used, "%s ", key);
}

static void a_reload_leaves_the_old_snapshot_whole(void **state)
{
    struct load before, after;
    struct changes c = {0};
    (void)state;
    load(&before, "axon: {port: 1}\ngenerator: {mode: api, custom: [{name: a, script_path: x, "
                  "env_vars: {T: one}}]}\n");
    const struct conf *kept = conf_ref(before.conf); /* a request under way */
    load(&after, "axon: {port: 2}\ngenerator: {mode: local, custom: [{name: a, script_path: x, "
                 "env_vars: {T: two}}, {name: b, plugin: p}]}\n");
    conf_diff(before.conf, after.conf, note_change, &c);
    assert_non_null(strstr(c.keys, "axon.port "));
    assert_non_null(strstr(c.keys, "generator.mode "));
    assert_non_null(strstr(c.keys, "generator.custom[0].env_vars ")); /* secret, and seen */
    assert_non_null(strstr(c.keys, "generator.custom[1].plugin "));
    assert_null(strstr(c.keys, "generator.custom[0].script_path"));
    assert_true(c.reloadable < c.n); /* the port stays as it is until a restart */
    load_fini(&before);
    assert_int_equal(kept->axon.port, 1);
    assert_string_equal(kept->generator.mode, "api");
    conf_unref(kept);
    size_t n = 0;
    conf_diff(after.conf, after.conf, count_key, &n);
    assert_int_equal(n, 0);
    /* A broken file gives no snapshot: the old one stays. */
    load_init(&before, "axon: {port: x}\n");
    before.conf = after.conf;
    load_run(&before);
    assert_int_equal(before.err, SF_ECONFIG);
    assert_ptr_equal(before.conf, after.conf);
    conf_diagnostics_fini(&before.found);
    load_fini(&after);
}

static void what_is_printed_loads_again(void **state)
{
    struct load l, again;
    struct sf_buf first, second;
    size_t n = 0;
    (void)state;
    load(&l, "generator: {mode: a, fallback: [], custom: [{name: a, script_path: 'x y'}], "
             "local: {max_memory: 16GB}}\n");
    sf_buf_init(&first, 1U << 20);
    sf_buf_init(&second, 1U << 20);
    conf_print(l.conf, &first);
    load_init(&again, sf_buf_z(&first));
    again.source.strict = true;
    load_run(&again);
    assert_int_equal(again.err, SF_OK);
    conf_diff(l.conf, again.conf, count_key, &n);
    assert_int_equal(n, 0);
    assert_non_null(strstr(sf_buf_z(&first), "max_memory: 16GB"));
    load_fini(&l);
    load_fini(&again);
    sf_buf_fini(&first);
    sf_buf_fini(&second);
}

/* ------------------------------------------------------------------ limits */

static void findings_are_bounded(void **state)
{
    struct sf_buf text;
    struct load l;
    (void)state;
    sf_buf_init(&text, 2U << 20);
    for (int i = 0; i < 500; i++) {
        sf_buf_printf(&text, "unknown%d: 1\n", i);
    }
    load(&l, sf_buf_z(&text));
    assert_int_equal(l.found.n, 200);
    assert_int_equal(l.found.n_dropped, 301);
    load_fini(&l);
    sf_buf_clear(&text);
    for (int i = 0; i < 40000; i++) {
        sf_buf_puts(&text, "# far too long a comment line\n");
    }
    load_init(&l, sf_buf_z(&text));
    load_run(&l);
    assert_int_equal(l.err, SF_ECONFIG);
    assert_non_null(strstr(l.eb.text, "larger than"));
    load_fini(&l);
    sf_buf_fini(&text);
}

static void every_allocation_may_fail(void **state)
{
    static const char *const env[] = {"HOME=/h", "A=b", NULL};
    (void)state;
    put_file(".env", "X=y\nX=z\n");
    for (long n = 0;; n++) {
        struct load l;
        load_init(&l, "generator: {custom: [{name: a, script_path: ~/x, env_vars: {A: '${A}'}}], "
                      "fallback: [a, api]}\nnope: 1\n");
        l.source.environment = env;
        sf_mem_fail_after(n, 1);
        load_run(&l);
        sf_mem_fail_after(-1, 0);
        bool done = l.err == SF_OK && l.found.n == 2;
        /* Without memory for a finding the load itself may still go through. */
        assert_true(l.err == SF_OK || l.err == SF_ENOMEM);
        load_fini(&l);
        if (done) {
            assert_true(n > 100);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(original_local_blocks),
        T(original_api_blocks),
        T(original_custom_blocks),
        T(original_env_forms),
        T(without_any_file_everything_has_a_default),
        T(committed_files_are_what_the_table_gives),
        T(example_files_load_unedited),
        T(example_is_complete_and_all_of_it_loads),
        T(later_sources_win_and_are_named),
        T(first_file_of_the_search_order_is_read),
        T(a_named_file_must_be_there),
        T(sdk_switches_in_the_environment),
        T(every_type_of_value),
        T(secrets_come_from_the_environment_and_are_masked),
        T(a_key_alone_chooses_the_provider),
        T(a_reload_leaves_the_old_snapshot_whole),
        T(what_is_printed_loads_again),
        T(findings_are_bounded),
        T(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

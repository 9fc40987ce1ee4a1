/* SPDX-License-Identifier: MIT */
#include "conf/conf_test.h"

static void each_wrong_input_names_key_got_and_takes(void **state)
{
    static const struct {
        const char *yaml, *where, *key, *says;
    } rows[] = {
        {"axon:\n  port: 70000\n", ":2", "axon.port",
         "got \"70000\", takes a whole number from 0 to 65535"},
        {"axon: {port: abc}\n", ":1", "axon.port", "got \"abc\""},
        {"axon: {port: 1.5}\n", ":1", "axon.port", "got \"1.5\""},
        {"axon: {port: -1}\n", ":1", "axon.port", "got \"-1\""},
        {"axon: {port: true}\n", ":1", "axon.port", "got \"true\""},
        {"axon: {port: [1]}\n", ":1", "axon.port", "got a list"},
        {"axon: {ip: {a: b}}\n", ":1", "axon.ip", "got keys with values, takes a text"},
        {"axon: 7\n", ":1", "axon", "takes keys with values under it"},
        {"- a\n", ":1", "", "takes keys with values under it"},
        {"offline: 1\n", ":1", "offline", "got \"1\", takes true or false"},
        {"offline: maybe\n", ":1", "offline", "takes true or false"},
        {"wallet: {name: true}\n", ":1", "wallet.name", "got \"true\" without quotes"},
        {"wallet: {name: \"a\\nb\"}\n", ":1", "wallet.name", "takes a text"},
        {"deadline: {max: .inf}\n", ":1", "deadline.max", "a number of seconds from 0.1 to 3600"},
        {"deadline: {margin_percent: 91}\n", ":1", "deadline.margin_percent", "from 0 to 90"},
        {"deadline: {absent: 70}\n", ":1", "deadline.absent", "is above deadline.max"},
        {"logging: {format: xml}\n", ":1", "logging.format", "takes logfmt or json"},
        {"generator: {mode: locl}\n", ":1", "generator.mode", "did you mean \"local\"?"},
        {"generator: {mode: custom}\n", ":1", "generator.mode", "there is no generator.custom"},
        {"generator: {fallback: [api, x]}\n", ":1", "generator.fallback", "got \"x\""},
        {"generator: {fallback: {a: b}}\n", ":1", "generator.fallback", "takes a list of texts"},
        {"generator: {local: {device: gpu}}\n", ":1", "generator.local.device", "cuda or cuda:N"},
        {"generator: {local: {compose: parallel}}\n", ":1", "generator.local.compose",
         "takes waves or sequential"},
        {"generator: {local: {quantization: 5bit}}\n", ":1", "generator.local.quantization",
         "GGUF"},
        {"generator: {local: {max_memory: lots}}\n", ":1", "generator.local.max_memory", "512MB"},
        {"generator: {local: {sequences: 257}}\n", ":1", "generator.local.sequences", "to 256"},
        {"generator: {local: {use_flash_attention: 2}}\n", ":1",
         "generator.local.use_flash_attention", "true, false or auto"},
        {"generator: {custom: x}\n", ":1", "generator.custom", "keys with values, or a list"},
        {"generator: {custom: {timeout: 1}}\n", ":1", "generator.custom[0]", "one of script_path"},
        {"generator:\n  custom:\n  - {name: a, endpoint: 'ftp://x'}\n", ":3",
         "generator.custom[0].endpoint", "http:// or https://"},
        {"generator: {custom: [{name: a, endpoint: 'http://x'}, {name: a, plugin: p}]}\n", ":1",
         "generator.custom[1]", "there twice"},
        {"generator: {custom: [{name: api, endpoint: 'http://x'}]}\n", ":1", "generator.custom[0]",
         "is taken"},
        {"generator: {custom: {script_path: x, env_vars: [a]}}\n", ":1",
         "generator.custom[0].env_vars", "names with texts"},
        {"generator: {api: {provider: opnai}}\n", ":1", "generator.api.provider",
         "takes openai, gemini, anthropic or custom"},
        {"generator: {api: {provider: custom}}\n", ":1", "generator.api", "set endpoint"},
        {"generator: {api: {fallbacks: {a: b}}}\n", ":1", "generator.api.fallbacks", "a list"},
        {"generator: {chain: {retry_jitter_min_ms: 500}}\n", ":1",
         "generator.chain.retry_jitter_min_ms", "is above"},
        {"a: [\n", ":", "", "line "},
        {"a: &x b\nc: *x\n", "", "", "line 2: aliases"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load l;
        load_init(&l, rows[i].yaml);
        load_run(&l);
        const struct conf_diagnostic *d = NULL;
        for (size_t j = 0; j < l.found.n && d == NULL; j++) {
            d = l.found.v[j].level == CONF_ERROR ? &l.found.v[j] : NULL;
        }
        bool right = l.err == SF_ECONFIG && d != NULL && strcmp(d->key, rows[i].key) == 0 &&
                     strstr(d->text, rows[i].says) != NULL &&
                     strstr(d->where, d->key[0] != '\0' ? rows[i].where : "c.yaml") != NULL &&
                     strstr(l.eb.text, rows[i].says) != NULL;
        if (!right) {
            fail_msg("%s gave %s: %s: %s", rows[i].yaml, d != NULL ? d->where : "",
                     d != NULL ? d->key : "", d != NULL ? d->text : "nothing");
        }
        assert_null(l.conf);
        load_fini(&l);
    }
}

static void wrong_flags_and_variables(void **state)
{
    static const struct {
        struct conf_setting setting;
        const char *says;
    } rows[] = {
        {{"--axon.prt", "1"}, "flag --axon.prt: unknown flag; the nearest known is --axon.port"},
        {{"axon.port", "x"}, "flag --axon.port: axon.port: got \"x\""},
        {{"axon.port", NULL}, "needs a value"},
        {{"axon", "1"}, "unknown flag"},
        {{"generator.custom", "1"}, "unknown flag"},
        {{"logging.info", "perhaps"}, "takes true or false"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load l;
        load_init(&l, NULL);
        l.source.settings[0] = rows[i].setting;
        l.source.n_settings = 1;
        load_run(&l);
        assert_int_equal(l.err, SF_ECONFIG);
        if (strstr(l.eb.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].setting.key, l.eb.text);
        }
        load_fini(&l);
    }
    static const char *const env[] = {"BT_AXON_PORT=ninety", NULL};
    struct load l;
    load_init(&l, NULL);
    l.source.environment = env;
    load_run(&l);
    assert_int_equal(l.err, SF_ECONFIG);
    assert_non_null(strstr(l.eb.text, "environment BT_AXON_PORT: axon.port: got \"ninety\""));
    load_fini(&l);
}

static const char *first_text(const struct load *l, enum conf_level level)
{
    for (size_t i = 0; i < l->found.n; i++) {
        if (l->found.v[i].level == level) {
            return l->found.v[i].text;
        }
    }
    return "";
}

static void unknown_keys_are_named_with_the_nearest(void **state)
{
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"generator: {local: {modle_name: x}}\n", "\"model_name\""},
        {"generatr: {mode: api}\n", "\"generator\""},
        {"axon: {prot: 1}\n", "\"port\""},
        {"hotkey: x\n", "\"wallet.hotkey\""},
        {"generator: {tensor_parallel_size: 2}\n", "\"generator.vllm.tensor_parallel_size\""},
        {"generator: {api: {api_key: sk-secret-value}}\n", "put it into .env"},
        {"zzzzzzzzz: 1\n", "unknown key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load l;
        load(&l, rows[i].yaml); /* a start warns and goes on */
        if (strstr(first_text(&l, CONF_WARNING), rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].yaml, first_text(&l, CONF_WARNING));
        }
        load_fini(&l);
        load_init(&l, rows[i].yaml);
        l.source.strict = true; /* a check refuses */
        load_run(&l);
        assert_int_equal(l.err, SF_ECONFIG);
        assert_non_null(strstr(l.eb.text, rows[i].says));
        assert_null(strstr(l.eb.text, "secret-value"));
        load_fini(&l);
    }
    struct load l;
    load(&l, "axon: {port: 1}\naxon: {port: 2}\n");
    assert_int_equal(l.conf->axon.port, 2);
    assert_string_equal(first_text(&l, CONF_WARNING), "set twice here; this one counts");
    load_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_wrong_input_names_key_got_and_takes),
        T(wrong_flags_and_variables),
        T(unknown_keys_are_named_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/settings.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX_WORDS 64

static const struct args_spec miner_like = {
    .name = "miner", .synopsis = "", .summary = "", .takes_settings = true};

/* The words of a command line as the shell would split it; comments and "\" at line ends are gone.
 */
static int split(char *text, char *words[MAX_WORDS])
{
    int n = 0;
    char *p = text;
    while (*p != '\0' && n < MAX_WORDS) {
        bool line_start = p == text || p[-1] == '\n';
        if (line_start && *p == '#') {
            p += strcspn(p, "\n");
        } else if (strchr(" \n\\", *p) != NULL) {
            p++;
        } else {
            words[n++] = p;
            p += strcspn(p, " \n");
            if (*p != '\0') {
                *p++ = '\0';
            }
            if (*p == '\0') {
                break;
            }
        }
    }
    return n;
}

static const char *const environment[] = {"HOME=/home/me", NULL};

static const struct conf *load_words(int argc, char **argv)
{
    struct args a;
    struct conf_source source = {.environment = environment, .no_file = true};
    struct sf_errbuf eb = {0};
    const struct conf *conf = NULL;
    settings_use();
    args_parse(&a, &miner_like, argc, argv);
    settings_source(&a, &source);
    if (conf_load(&source, &conf, NULL, &eb) != SF_OK) {
        fail_msg("%s", eb.text);
    }
    args_fini(&a);
    return conf;
}

/* "python neurons/miner.py FLAGS" of the original's documentation; ours is "storyfi miner FLAGS".
 */
static const struct conf *load_original(const char *name, struct sf_buf *text)
{
    char path[512];
    char *words[MAX_WORDS];
    (void)snprintf(path, sizeof path, SOURCE_DIR "/tests/data/original/%s", name);
    sf_buf_init(text, 1U << 16);
    assert_int_equal(sf_file_read(path, text, NULL), SF_OK);
    int n = split(text->p, words);
    assert_true(n > 2);
    assert_string_equal(words[0], "python");
    assert_string_equal(words[1], "neurons/miner.py");
    return load_words(n - 1, words + 1);
}

static void original_command_lines(void **state)
{
    struct sf_buf text;
    (void)state;
    const struct conf *c = load_original("miner_start.sh", &text);
    assert_int_equal(c->netuid, 42);
    assert_string_equal(c->wallet.name, "my_miner");
    assert_string_equal(c->wallet.hotkey, "default");
    assert_true(c->logging.info);
    assert_string_equal(conf_origin(c, "wallet.hotkey"), "flag --wallet.hotkey");
    conf_unref(c);
    sf_buf_fini(&text);
    c = load_original("miner_restart.sh", &text);
    assert_int_equal(c->netuid, 42);
    assert_string_equal(c->wallet.name, "my_miner");
    assert_false(c->logging.info);
    conf_unref(c);
    sf_buf_fini(&text);
}

static void every_flag_of_the_miner(void **state)
{
    char text[] = "miner --netuid=7 --offline --wallet.path ~/w --wallet.name n --wallet.hotkey h "
                  "--subtensor.network test --subtensor.chain_endpoint ws://127.0.0.1:9944 "
                  "--axon.port 9000 --axon.ip 1.2.3.4 --axon.external_ip 5.6.7.8 "
                  "--axon.external_port 9001 --logging.info --logging.debug=false "
                  "--logging.format json --blacklist.force_validator_permit "
                  "--blacklist.allow_non_registered --admin.ip 127.0.0.2 --admin.port 0";
    char *words[MAX_WORDS];
    (void)state;
    const struct conf *c = load_words(split(text, words), words);
    assert_int_equal(c->netuid, 7);
    assert_true(c->offline);
    assert_string_equal(c->wallet.path, "/home/me/w");
    assert_string_equal(c->wallet.name, "n");
    assert_string_equal(c->wallet.hotkey, "h");
    assert_string_equal(c->subtensor.network, "test");
    assert_string_equal(c->subtensor.chain_endpoint, "ws://127.0.0.1:9944");
    assert_int_equal(c->axon.port, 9000);
    assert_string_equal(c->axon.ip, "1.2.3.4");
    assert_string_equal(c->axon.external_ip, "5.6.7.8");
    assert_int_equal(c->axon.external_port, 9001);
    assert_true(c->logging.info);
    assert_false(c->logging.debug);
    assert_string_equal(c->logging.format, "json");
    assert_true(c->blacklist.force_validator_permit);
    assert_true(c->blacklist.allow_non_registered);
    assert_string_equal(c->admin.ip, "127.0.0.2");
    assert_int_equal(c->admin.port, 0);
    conf_unref(c);
}

static void config_flag_names_the_file(void **state)
{
    char text[] = "miner --config a.yaml --config=b.yaml";
    char *words[MAX_WORDS];
    struct args a;
    struct conf_source source = {0};
    (void)state;
    settings_use();
    args_parse(&a, &miner_like, split(text, words), words);
    settings_source(&a, &source);
    assert_string_equal(source.config_path, "b.yaml");
    assert_int_equal(source.n_settings, 0);
    args_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_command_lines),
        cmocka_unit_test(every_flag_of_the_miner),
        cmocka_unit_test(config_flag_names_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

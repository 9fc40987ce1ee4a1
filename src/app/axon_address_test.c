/* SPDX-License-Identifier: MIT */
#include "app/axon_address.h"

#include "bittensor/external_ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct conf *load(const char *yaml)
{
    static const char *const environment[] = {NULL};
    const struct conf *conf = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct conf_source source = {
        .no_file = true, .yaml = sf_str(yaml), .dotenv = SF_STR(""), .environment = environment};
    assert_int_equal(conf_load(&source, &conf, NULL, &eb), SF_OK);
    return conf;
}

static void a_given_address_is_taken_but_for_nobodys(void **state)
{
    static const struct {
        const char *yaml;
        enum sf_err err;
        const char *text;
    } cases[] = {
        {"axon: {external_ip: 203.0.114.7}", SF_OK, "203.0.114.7:8091"},
        {"axon: {external_ip: 203.0.114.7, port: 9000}", SF_OK, "203.0.114.7:9000"},
        {"axon: {external_ip: 203.0.114.7, port: 9000, external_port: 80}", SF_OK,
         "203.0.114.7:80"},
        {"axon: {external_ip: '2606:4700::1'}", SF_OK, "[2606:4700::1]:8091"},
        {"axon: {external_ip: 127.0.0.2}", SF_OK, "127.0.0.2:8091"},
        {"axon: {external_ip: 0.0.0.0}", SF_EINVAL, "nobody serves"},
        {"axon: {external_ip: '::'}", SF_EINVAL, "nobody serves"},
        {"axon: {external_ip: my.host}", SF_EINVAL, "my.host"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct axon_info a;
        char text[AXON_TEXT_MAX];
        struct sf_errbuf eb = {.code = SF_OK};
        const struct conf *conf = load(cases[i].yaml);
        assert_int_equal(axon_address_find(conf, sf_now(), NULL, &a, &eb), cases[i].err);
        axon_text(&a, text);
        const char *said = cases[i].err == SF_OK ? text : eb.text;
        if (strstr(said, cases[i].text) == NULL) {
            fail_msg("\"%s\" in \"%s\"", cases[i].text, said);
        }
        conf_unref(conf);
    }
}

static void asking_for_it_can_be_given_up(void **state)
{
    atomic_bool cancel = true;
    struct axon_info a;
    struct sf_errbuf eb = {.code = SF_OK};
    (void)state;
    const struct conf *conf =
        load("axon: {external_ip_services: [\"http://127.0.0.1:9/\", \"http://localhost:9/\"]}");
    assert_int_equal(axon_address_find(conf, SF_NEVER, &cancel, &a, &eb), SF_ECANCELED);
    conf_unref(conf);
}

static void the_command_that_registers_names_one_network(void **state)
{
    char command[AXON_COMMAND_MAX];
    (void)state;
    const struct conf *conf = load("netuid: 42");
    axon_register_command(conf, command);
    assert_string_equal(command, "btcli subnet register --netuid 42 --wallet.name default "
                                 "--wallet.hotkey default --network finney");
    conf_unref(conf);
    conf = load("netuid: 42\nsubtensor: {chain_endpoint: \"wss://a:443, wss://b:443\"}");
    axon_register_command(conf, command);
    assert_non_null(strstr(command, "--network wss://a:443"));
    assert_null(strstr(command, "wss://b"));
    conf_unref(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_address_is_taken_but_for_nobodys),
        cmocka_unit_test(asking_for_it_can_be_given_up),
        cmocka_unit_test(the_command_that_registers_names_one_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

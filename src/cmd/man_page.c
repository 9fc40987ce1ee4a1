/* SPDX-License-Identifier: MIT */
#include "cmd/man_page.h"

#include "base/roff.h"
#include "cmd/commands.h"
#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM "storyfi"
#define CONFIG_PAGE "generator_config.yaml"
#define SUMMARY "miner of the StoryFi subnet: answers validators with interactive stories"

struct entry {
    const char *tag;
    const char *text;
};

static const struct entry files[] = {
    {"./config/generator_config.yaml, $XDG_CONFIG_HOME/storyfi/generator_config.yaml, "
     "/etc/storyfi/generator_config.yaml",
     "The configuration: the first of these, or what --config names."},
    {"~/.bittensor/wallets", "The wallets (`wallet.path`)."},
    {"~/.cache/storyfi/models", "The models (`generator.local.models_dir`)."},
    {"~/.local/state/storyfi", "The journal, and the lock of the miner that runs (`state_dir`)."},
    {"/etc/storyfi/NAME.yaml, /etc/storyfi/NAME.env, /var/lib/storyfi/NAME",
     "Configuration, secrets and state of the service `storyfi-miner@NAME`."},
};

static const struct entry exits[] = {
    {"0", "Done."},
    {"1", "A negative answer."},
    {"100", "Usage or configuration: the message names what is wrong and what it takes."},
    {"111", "A temporary failure: try again."},
};

static void put_entries(struct sf_buf *out, const char *title, const struct entry *v, size_t n)
{
    roff_section(out, title);
    for (size_t i = 0; i < n; i++) {
        roff_item(out, v[i].tag, NULL);
        roff_text(out, v[i].text);
    }
}
#define PUT_ENTRIES(out, title, v) put_entries(out, title, v, sizeof(v) / sizeof((v)[0]))

static void put_head(struct sf_buf *out, const char *name, const char *section, const char *summary)
{
    roff_head(out,
              &(struct roff_page){name, section, STORYFI_DATE, PROGRAM " " STORYFI_VERSION,
                                  section[0] == '1' ? "User Commands" : "File Formats", summary});
}

static void put_option(void *arg, const struct arg_option *o)
{
    roff_item(arg, o->name, o->value);
    roff_text(arg, o->help);
}

static void put_synopsis(struct sf_buf *out, const struct args_spec *spec)
{
    roff_section(out, "SYNOPSIS");
    roff_bold(out, PROGRAM " ");
    roff_bold(out, spec->name);
    sf_buf_putc(out, ' ');
    roff_plain(out, spec->synopsis);
    sf_buf_putc(out, '\n');
}

static void command_page(struct sf_buf *out, const struct args_spec *spec)
{
    char name[64];
    (void)snprintf(name, sizeof name, PROGRAM "-%.48s", spec->name);
    put_head(out, name, "1", spec->summary);
    put_synopsis(out, spec);
    roff_section(out, "DESCRIPTION");
    roff_text(out, spec->summary);
    if (spec->details != NULL) {
        roff_paragraph(out);
        roff_text(out, spec->details);
    }
    if (spec->n_actions > 0) {
        roff_section(out, "ACTIONS");
    }
    for (size_t i = 0; i < spec->n_actions; i++) {
        roff_item(out, spec->actions[i].name, NULL);
        roff_text(out, spec->actions[i].help);
    }
    roff_section(out, "OPTIONS");
    for (size_t i = 0; i < spec->n_options; i++) {
        put_option(out, &spec->options[i]);
    }
    put_option(out, &(struct arg_option){"--help", NULL, "Show a short help and exit."});
    if (spec->takes_settings) {
        roff_section(out, "SETTINGS");
        roff_text(out, "They win over file and environment. Every key of the configuration is one; "
                       "these are asked for most.");
        args_each_setting(put_option, out);
    }
    PUT_ENTRIES(out, "EXIT STATUS", exits);
    roff_section(out, "SEE ALSO");
    roff_reference(out, PROGRAM, "1", ",");
    roff_reference(out, CONFIG_PAGE, "5", "");
}

static void program_page(struct sf_buf *out)
{
    size_t n;
    char name[64];
    const struct command *all = commands_all(&n);
    put_head(out, PROGRAM, "1", SUMMARY);
    roff_section(out, "SYNOPSIS");
    sf_buf_puts(out, ".B " PROGRAM "\n.I COMMAND\n.RI [ OPTIONS ]\n");
    roff_section(out, "DESCRIPTION");
    roff_text(out, "One program. The miner serves signed requests over HTTP and writes each answer "
                   "with the first generator of its chain that can: a model on this machine, a "
                   "vLLM server, a script, service or plugin of yours, a cloud provider. Without "
                   "any configuration the default model on this machine answers.");
    roff_section(out, "COMMANDS");
    for (size_t i = 0; i < n; i++) {
        roff_item(out, all[i].spec->name, NULL);
        roff_text(out, all[i].spec->summary);
    }
    PUT_ENTRIES(out, "FILES", files);
    PUT_ENTRIES(out, "EXIT STATUS", exits);
    roff_section(out, "EXAMPLES");
    sf_buf_puts(out, ".EX\n"
                     "storyfi wallet create \\-\\-wallet.name my_miner\n"
                     "storyfi models pull auto\n"
                     "storyfi doctor\n"
                     "storyfi miner \\-\\-netuid 92 \\-\\-wallet.name my_miner\n"
                     ".EE\n");
    roff_section(out, "SEE ALSO");
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, PROGRAM "-%.48s", all[i].spec->name);
        roff_reference(out, name, "1", ",");
    }
    roff_reference(out, CONFIG_PAGE, "5", "");
}

static void config_page(struct sf_buf *out)
{
    put_head(out, CONFIG_PAGE, "5", "configuration of storyfi");
    roff_section(out, "DESCRIPTION");
    conf_man(out);
    roff_section(out, "SEE ALSO");
    roff_reference(out, PROGRAM, "1", ",");
    roff_reference(out, PROGRAM "-config", "1", ",");
    roff_reference(out, PROGRAM "-doctor", "1", "");
}

void man_page_each(man_page_each_fn fn, void *arg)
{
    size_t n;
    char file[64];
    const struct command *all = commands_all(&n);
    fn(arg, PROGRAM ".1");
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(file, sizeof file, PROGRAM "-%.48s.1", all[i].spec->name);
        fn(arg, file);
    }
    fn(arg, CONFIG_PAGE ".5");
}

bool man_page(const char *name, struct sf_buf *out)
{
    size_t n;
    struct sf_str s = sf_str(name);
    const struct command *all = commands_all(&n);
    if (s.n > 2 && s.p[s.n - 2] == '.' && (s.p[s.n - 1] == '1' || s.p[s.n - 1] == '5')) {
        s.n -= 2;
    }
    if (sf_str_is(s, PROGRAM)) {
        program_page(out);
        return true;
    }
    if (sf_str_is(s, CONFIG_PAGE)) {
        config_page(out);
        return true;
    }
    if (sf_str_has_prefix(s, PROGRAM "-")) {
        s = (struct sf_str){s.p + sizeof PROGRAM, s.n - sizeof PROGRAM};
    }
    for (size_t i = 0; i < n; i++) {
        if (sf_str_is(s, all[i].spec->name)) {
            command_page(out, all[i].spec);
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/complete.h"

#include <string.h>

#define MAX_CANDIDATES (1U << 20)

static const struct arg_action actions[] = {
    {"bash", "For bash: source <(storyfi completion bash)."},
    {"zsh", "For zsh: storyfi completion zsh > _storyfi, in a folder of $fpath."},
    {"fish", "For fish: storyfi completion fish | source."},
    {"words", "What those scripts ask: the candidates for the last of the WORDs behind --."},
};

const struct args_spec cmd_completion_spec = {
    .name = "completion",
    .synopsis = "bash|zsh|fish | words -- [WORD...]",
    .summary = "Print a shell's completion script.",
    .details = "The scripts ask the program itself at each TAB, so they know every command, option "
               "and setting, and the models of your configuration. Packages install them.",
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .max_words = ARGS_MAX,
};

/* src/cmd/data/completion.*, embedded. */
extern const struct sf_str completion_bash, completion_zsh, completion_fish;

static void print_candidates(const struct args *a)
{
    struct sf_buf out;
    sf_buf_init(&out, MAX_CANDIDATES);
    complete_words(a->words, a->n_words, &out);
    fputs(sf_buf_z(&out), stdout);
    sf_buf_fini(&out);
}

int cmd_completion(int argc, char **argv)
{
    static const struct {
        const char *name;
        const struct sf_str *script;
    } shells[] = {{"bash", &completion_bash}, {"zsh", &completion_zsh}, {"fish", &completion_fish}};
    struct args a;
    args_parse(&a, &cmd_completion_spec, argc, argv);
    bool is_words = strcmp(a.action, "words") == 0;
    if (is_words) {
        print_candidates(&a);
    } else if (a.n_words > 0) {
        fatal(100, "completion: unexpected word %s (see storyfi completion --help)", a.words[0]);
    }
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(a.action, shells[i].name) == 0) {
            printf("%.*s", SF_STR_ARG(*shells[i].script));
        }
    }
    args_fini(&a);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd/commands.h"

static const struct arg_action actions[] = {
    {"bash", "For bash: source <(storyfi completion bash)."},
    {"zsh", "For zsh: storyfi completion zsh > _storyfi, in a folder of $fpath."},
    {"fish", "For fish: storyfi completion fish | source."},
};

const struct args_spec cmd_completion_spec = {
    .name = "completion",
    .synopsis = "bash|zsh|fish",
    .summary = "Print a shell's completion script, made from the command tables.",
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
};

static void put_word(void *arg, const struct arg_option *o)
{
    (void)arg;
    printf("%s ", o->name);
}

static void put_words(const struct args_spec *spec)
{
    for (size_t i = 0; i < spec->n_actions; i++) {
        printf("%s ", spec->actions[i].name);
    }
    for (size_t i = 0; i < spec->n_options; i++) {
        put_word(NULL, &spec->options[i]);
    }
    if (spec->takes_settings) {
        args_each_setting(put_word, NULL);
    }
    printf("--help");
}

/* A case statement that sets `candidates` from $command; good for bash and zsh. */
static void put_cases(const struct command *all, size_t n)
{
    puts("    local candidates\n    case \"$command\" in");
    for (size_t i = 0; i < n; i++) {
        printf("    %s) candidates=\"", all[i].spec->name);
        put_words(all[i].spec);
        puts("\" ;;");
    }
    printf("    *) candidates=\"");
    for (size_t i = 0; i < n; i++) {
        printf("%s ", all[i].spec->name);
    }
    puts("--help --version\" ;;\n    esac");
}

static void print_bash(const struct command *all, size_t n)
{
    puts("_storyfi() {\n    local command=\"\"\n"
         "    [ \"$COMP_CWORD\" -gt 1 ] && command=\"${COMP_WORDS[1]}\"");
    put_cases(all, n);
    puts("    COMPREPLY=($(compgen -W \"$candidates\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _storyfi storyfi");
}

static void print_zsh(const struct command *all, size_t n)
{
    puts("#compdef storyfi\n_storyfi() {\n    local command=\"\"\n"
         "    (( CURRENT > 2 )) && command=\"${words[2]}\"");
    put_cases(all, n);
    puts("    compadd -- ${=candidates} || _files\n}\ncompdef _storyfi storyfi");
}

static void put_fish(void *arg, const struct arg_option *o)
{
    const struct args_spec *spec = arg;
    printf("complete -c storyfi -n '__fish_seen_subcommand_from %s' -l %s%s\n", spec->name,
           o->name + 2, o->value == NULL ? "" : " -r");
}

static void print_fish(const struct command *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct args_spec *spec = all[i].spec;
        void *arg = (void *)(uintptr_t)spec;
        printf("complete -c storyfi -n __fish_use_subcommand -a %s -d \"%s\"\n", spec->name,
               spec->summary);
        for (size_t k = 0; k < spec->n_actions; k++) {
            printf("complete -c storyfi -n '__fish_seen_subcommand_from %s' -a %s\n", spec->name,
                   spec->actions[k].name);
        }
        for (size_t k = 0; k < spec->n_options; k++) {
            put_fish(arg, &spec->options[k]);
        }
        if (spec->takes_settings) {
            args_each_setting(put_fish, arg);
        }
    }
}

int cmd_completion(int argc, char **argv)
{
    struct args a;
    args_parse(&a, &cmd_completion_spec, argc, argv);
    size_t n;
    const struct command *all = commands_all(&n);
    switch (a.action[0]) {
    case 'b':
        print_bash(all, n);
        break;
    case 'z':
        print_zsh(all, n);
        break;
    default:
        print_fish(all, n);
        break;
    }
    args_fini(&a);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_SCRIPT_H
#define SF_GENERATOR_SCRIPT_H

#include "generator/generator.h"

/* The owner's own program: the documented JSON on stdin, {"content": …} on stdout. Run without a
 * shell, in a process group that is killed whole when the call ends, however it ends. */
struct script_options {
    const char *path; /* as configured */
    const char *dir;  /* a relative path is looked up from the working directory, then from here */
    sf_ms timeout_ms;
    size_t max_output_bytes;
    int64_t concurrency;            /* runs at once; others wait */
    const char *const *environment; /* "NAME=value", NULL at the end: all it gets */
    const char *withheld; /* names of variables it does not get, for the error text; "" none */
};

extern const struct generator_type generator_script;

/* What a script's stdout holds: `content` (or `generated_content`), an object or a text with one.
 * SF_EINCOMPLETE names what is wrong. Caller owns *out. */
SF_MUST_USE enum sf_err script_parse_output(struct sf_str text, json_t **out, struct sf_errbuf *eb);

/* What a call of an opened script would run now, for its check. Borrowed from `ctx`. */
struct script_facts {
    char path[1024];       /* found */
    char interpreter[256]; /* words of the #! line in front of it; "" when executed directly */
    const char *const *environment;
    const char *withheld;
    sf_ms timeout_ms;
};
/* SF_EUNAVAILABLE with the reason when there is nothing to run; the last three are filled all the
 * same. */
SF_MUST_USE enum sf_err script_look(void *ctx, struct script_facts *out, struct sf_errbuf *eb);
/* generator_type.check of a script: it is run once, with a task of its own. */
void script_check(void *ctx, struct gen_checks *out);

#endif

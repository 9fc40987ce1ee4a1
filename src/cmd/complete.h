/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_COMPLETE_H
#define SF_CMD_COMPLETE_H

#include "base/buf.h"

/* What a shell may put in place of the word that is being typed, from the tables of commands and
 * configuration. `words` stand behind the program's name; the last is the one being typed, perhaps
 * empty. One candidate a line, "word<TAB>what it is"; ":files" or ":dirs" alone when the shell
 * completes names of files or folders itself. Understands "--x=v" as one word (zsh, fish) and as
 * three (bash). Reads the configuration for the names of models; says nothing on stderr. */
void complete_words(const char *const *words, size_t n, struct sf_buf *out);

#endif

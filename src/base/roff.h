/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_ROFF_H
#define SF_BASE_ROFF_H

#include "base/buf.h"

/* Manual pages in man(7). All text is escaped, `quoted` words become bold; failures stay in the
 * buffer. Sections and titles are in ASCII. */

/* The page's head: "STORYFI-MINER", "1", "storyfi 0.1.0", "User Commands", and its NAME section. */
struct roff_page {
    const char *name; /* "storyfi-miner" */
    const char *section;
    const char *date; /* "2026-11-24" */
    const char *source;
    const char *manual;
    const char *summary; /* one sentence; its full stop is left out */
};
void roff_head(struct sf_buf *out, const struct roff_page *page);
void roff_section(struct sf_buf *out, const char *title);
void roff_subsection(struct sf_buf *out, const char *title);

/* Running text: lines are joined, "\n\n" begins a paragraph. Nothing is written before the first,
 * so that it may follow a heading or an item's tag. */
void roff_text(struct sf_buf *out, const char *text);
/* The start of a paragraph, behind another one. */
void roff_paragraph(struct sf_buf *out);
/* An item of a list: its tag in bold, what it takes (or NULL) in italics; the text comes next. */
void roff_item(struct sf_buf *out, const char *tag, const char *takes);
/* Words of one line, without its end: bold, plain. */
void roff_bold(struct sf_buf *out, const char *text);
void roff_plain(struct sf_buf *out, const char *text);
/* ".BR name (1)" with `behind` after it. */
void roff_reference(struct sf_buf *out, const char *name, const char *section, const char *behind);

#endif

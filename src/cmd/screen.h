/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_SCREEN_H
#define SF_CMD_SCREEN_H

#include "base/clock.h"
#include "base/str.h"

/* The whole terminal as a page of lines: the only place that knows curses. One screen in a process;
 * main thread. */
enum screen_style {
    SCREEN_PLAIN,
    SCREEN_TITLE,
    SCREEN_GOOD,
    SCREEN_CARE,
    SCREEN_BAD,
    SCREEN_FAINT
};
#define SCREEN_STYLES 6

/* False: this terminal cannot do it, and nothing has changed. */
bool screen_open(bool colours);
/* Puts the terminal back as it was. Fine without an open one. */
void screen_close(void);

/* A page is begun, its lines put from the top (what does not fit is cut), and shown. A line may be
 * put in pieces; `end` goes to the next one. Texts are UTF-8 without control characters. */
void screen_begin(void);
void screen_put(enum screen_style style, const char *text);
void screen_end_line(void);
void screen_show(void);

/* Waits for a key, a change of the size, a signal, at most for `span`. */
enum screen_event { SCREEN_NOTHING, SCREEN_QUIT, SCREEN_RESIZED };
enum screen_event screen_wait(sf_ms span);

#endif

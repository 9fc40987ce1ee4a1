/* SPDX-License-Identifier: MIT */
#include "cmd/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>

static SCREEN *terminal;
static bool colourful;
static int row, column;

/* Without a UTF-8 locale the texts would come out as bytes. */
static void use_utf8(void)
{
    static const char *const names[] = {"", "C.UTF-8", "en_US.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_CTYPE, names[i]) != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0) {
            return;
        }
    }
}

bool screen_open(bool colours)
{
    use_utf8();
    terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        return false;
    }
    (void)set_term(terminal);
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    colourful = colours && has_colors() && start_color() == OK && use_default_colors() == OK;
    if (colourful) {
        (void)init_pair(SCREEN_GOOD, COLOR_GREEN, -1);
        (void)init_pair(SCREEN_CARE, COLOR_YELLOW, -1);
        (void)init_pair(SCREEN_BAD, COLOR_RED, -1);
    }
    return true;
}

void screen_close(void)
{
    if (terminal != NULL) {
        (void)curs_set(1);
        (void)endwin();
        delscreen(terminal);
        terminal = NULL;
    }
}

void screen_begin(void)
{
    (void)erase();
    row = 0;
    column = 0;
}

static attr_t look_of(enum screen_style style)
{
    static const attr_t looks[SCREEN_STYLES] = {
        [SCREEN_TITLE] = A_BOLD, [SCREEN_BAD] = A_BOLD, [SCREEN_FAINT] = A_DIM};
    bool paired = style == SCREEN_GOOD || style == SCREEN_CARE || style == SCREEN_BAD;
    return looks[style] | (colourful && paired ? (attr_t)COLOR_PAIR((int)style) : A_NORMAL);
}

void screen_put(enum screen_style style, const char *text)
{
    int rows = 0, columns = 0, y = 0;
    getmaxyx(stdscr, rows, columns);
    if (row >= rows || column >= columns) {
        return;
    }
    attr_t look = look_of(style);
    (void)attron(look);
    (void)mvaddstr(row, column, text);
    (void)attroff(look);
    getyx(stdscr, y, column);
    if (y != row) { /* too long: the rest of it went into the next line */
        (void)move(row + 1, 0);
        (void)clrtobot();
        column = columns;
    }
}

void screen_end_line(void)
{
    row++;
    column = 0;
}

void screen_show(void)
{
    (void)refresh();
}

enum screen_event screen_wait(sf_ms span)
{
    timeout(span > 60000 ? 60000 : (int)(span < 0 ? 0 : span));
    switch (getch()) {
    case 'q':
    case 'Q':
    case 3: /* Ctrl-C, where it comes as a key */
        return SCREEN_QUIT;
    case KEY_RESIZE:
        return SCREEN_RESIZED;
    default:
        return SCREEN_NOTHING;
    }
}

#include "CCurses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

// A macro of term.h by the name of a word that is wanted as a name.
#undef columns
#undef lines

const uint32_t gantry_attribute_bold = A_BOLD, gantry_attribute_dim = A_DIM, gantry_attribute_italic = A_ITALIC,
               gantry_attribute_underline = A_UNDERLINE, gantry_attribute_reverse = A_REVERSE,
               gantry_attribute_blink = A_BLINK;

static FILE *curses_input, *curses_output;

static FILE *open_copy(int descriptor, const char *mode) {
    int copy = dup(descriptor);
    if (copy < 0) return NULL;
    FILE *file = fdopen(copy, mode);
    if (file == NULL) close(copy);
    return file;
}

static void close_files(void) {
    if (curses_input != NULL) fclose(curses_input);
    if (curses_output != NULL) fclose(curses_output);
    curses_input = curses_output = NULL;
}

SCREEN *gantry_curses_open(const char *type, int input, int output) {
    curses_input = open_copy(input, "r");
    curses_output = open_copy(output, "w");
    SCREEN *screen = NULL;
    if (curses_input != NULL && curses_output != NULL) screen = newterm(type, curses_output, curses_input);
    if (screen == NULL) {
        close_files();
        return NULL;
    }
    set_term(screen);
    raw();
    noecho();
    nonl();
    // The application's cursor keys and keypad: entries describe the keys as they are in that mode.
    keypad(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
    // Curses would break off a refresh while a key waits, and leave the screen half new.
    typeahead(-1);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    return screen;
}

void gantry_curses_close(SCREEN *screen) {
    delscreen(screen);
    close_files();
}

int gantry_terminfo_colors(const char *type, int descriptor) {
    int error = 0;
    if (setupterm(type, descriptor, &error) != OK) return -2;
    const char *place = tigetstr("cup");
    int colors = tigetnum("colors");
    int can_place = place != NULL && place != (char *)-1;
    del_curterm(cur_term);
    return can_place ? (colors < 0 ? -1 : colors) : -3;
}

const char *gantry_terminfo_string(const char *name) {
    const char *text = tigetstr(name);
    return text == (char *)-1 ? NULL : text;
}

size_t gantry_terminfo_bytes(const char *name, char *out, size_t capacity) {
    const char *text = gantry_terminfo_string(name);
    size_t count = 0;
    while (text != NULL && *text != 0 && count < capacity) {
        const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (end != NULL) {
            text = end + 1;
        } else {
            out[count++] = *text++;
        }
    }
    return count;
}

int gantry_curses_color_count(void) { return COLORS; }
int gantry_curses_pair_count(void) { return COLOR_PAIRS; }

void gantry_curses_cell(
    cchar_t *out, uint32_t base, uint32_t mark1, uint32_t mark2, uint32_t mark3, uint32_t attributes, int pair) {
    wchar_t text[5] = {(wchar_t)base, (wchar_t)mark1, (wchar_t)mark2, (wchar_t)mark3, 0};
    // Pairs above 32767 go by the pointer alone.
    if (setcchar(out, text, attributes, (short)(pair > 32767 ? 32767 : pair), &pair) == OK) return;
    wchar_t replacement[2] = {0xFFFD, 0};
    setcchar(out, replacement, attributes, (short)(pair > 32767 ? 32767 : pair), &pair);
}

int gantry_column_count(uint32_t scalar) { return wcwidth((wchar_t)scalar); }

void gantry_curses_put(int row, int column, const cchar_t *cells, int count) {
    mvwadd_wchnstr(stdscr, row, column, cells, count);
}

void gantry_curses_flush(int row, int column, int is_visible) {
    curs_set(is_visible ? 1 : 0);
    wmove(stdscr, row, column);
    wnoutrefresh(stdscr);
    doupdate();
}

void gantry_curses_resize(int rows, int columns) { resize_term(rows, columns); }

void gantry_curses_forget(void) { clearok(curscr, TRUE); }

int gantry_terminal_size(int descriptor, int *rows, int *columns) {
    struct winsize size = {0};
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int gantry_terminal_erase_byte(int descriptor) {
    struct termios settings;
    return tcgetattr(descriptor, &settings) == 0 ? settings.c_cc[VERASE] : 0x7F;
}

// The wide-character curses library, with the casts and macros that Swift cannot import wrapped, and what keeps the
// user's terminal whole when the process ends: signal handlers may not be written in Swift.
#pragma once

#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <curses.h>
#include <stddef.h>
#include <stdint.h>

/// Attributes of a cell, to be combined with `|`.
extern const uint32_t gantry_attribute_bold, gantry_attribute_dim, gantry_attribute_italic,
    gantry_attribute_underline, gantry_attribute_reverse, gantry_attribute_blink;

/// Opens `type` on the two descriptors, which it duplicates, in raw mode. NULL where the type is not known or the
/// descriptors are no terminal. One at a time.
SCREEN *gantry_curses_open(const char *type, int input, int output);
/// Frees what `gantry_curses_open` made. The terminal must have been left by endwin(3) before.
void gantry_curses_close(SCREEN *screen);

/// `colors` of the entry of `type`; -1 where it has none, -2 where there is no such entry, -3 where it cannot place the cursor.
int gantry_terminfo_colors(const char *type, int descriptor);
/// A string of the open terminal's entry; NULL where it has none.
const char *gantry_terminfo_string(const char *name);
/// A string of the open terminal's entry as the terminal is to get it, its padding left out; the number of bytes
/// placed in `out`.
size_t gantry_terminfo_bytes(const char *name, char *out, size_t capacity);

int gantry_curses_color_count(void);
int gantry_curses_pair_count(void);
/// A cell: a base with up to three combining scalars, 0 where there is none.
void gantry_curses_cell(
    cchar_t *out, uint32_t base, uint32_t mark1, uint32_t mark2, uint32_t mark3, uint32_t attributes, int pair);
/// wcwidth(3), which curses goes by.
int gantry_column_count(uint32_t scalar);
/// Puts `count` cells, of which each wide one stands for two columns.
void gantry_curses_put(int row, int column, const cchar_t *cells, int count);
/// Places the cursor and sends what changed. A hidden cursor is placed too.
void gantry_curses_flush(int row, int column, int is_visible);
/// Makes curses take the size; it clears what is outside.
void gantry_curses_resize(int rows, int columns);
/// Lets the next flush write the whole screen.
void gantry_curses_forget(void);

/// The size that the kernel has for a terminal; -1 where it is none, 0×0 where nobody has told.
int gantry_terminal_size(int descriptor, int *rows, int *columns);
/// The byte that the backspace key sends, by the terminal's settings.
int gantry_terminal_erase_byte(int descriptor);

/// Keeps the settings that `descriptor` has now. From then on a crash, or a second signal to end, writes `bytes` and
/// sets these again before the process goes. Call before curses changes anything.
void gantry_guard_arm(int descriptor);
/// The bytes that put the terminal back; at most 512 are kept.
void gantry_guard_set_bytes(const char *bytes, size_t count);
/// Writes the bytes and puts the settings back, if the guard is armed; it stays armed.
void gantry_guard_restore(void);
void gantry_guard_disarm(void);

/// Directs standard error to memory while curses has the terminal that it is on; `gantry_stderr_release` puts it back and
/// writes there what came meanwhile (its last 64 KiB). A crash does so too.
void gantry_stderr_hold(void);
void gantry_stderr_release(void);

/// Takes over SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGTSTP and SIGCONT: each sends its number as a byte to a pipe, whose read
/// end this returns (non-blocking); -1 and errno where there is no pipe. Also arms the guard's handlers of crashes, and of
/// the other signals that end a process by themselves, unless it was started with those ignored.
int gantry_signals_take(void);
/// Gives the signals back to whom they belonged.
void gantry_signals_release(void);
/// Stops this process as ctrl-z does, with the default action of SIGTSTP; returns when it is continued.
void gantry_signals_stop_here(void);
/// While another program has the terminal: its user's ctrl-c and ctrl-\ are not for this process. ctrl-z stops both,
/// unless this one is not to be stopped.
void gantry_signals_lend(int may_stop);
void gantry_signals_take_back(void);

/// Whether this process's group has the terminal, or the terminal is one that no shell gives and takes.
int gantry_terminal_is_ours(int descriptor);
/// Stops this process's group, as the kernel does with one that is in the background and uses the terminal, until a shell
/// has brought it to the foreground. -1 and errno where no shell can: EIO for an orphaned group (POSIX 2.4.3).
int gantry_terminal_await(int descriptor);
/// Makes this process's group the terminal's own again, after a program that went without giving it back.
void gantry_terminal_reclaim(int descriptor);

// The wide-character curses library, with the casts and macros that Swift cannot import wrapped.
#pragma once

#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <curses.h>

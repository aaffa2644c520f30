// SQLite, and what Swift cannot call of it: variadic functions.
#pragma once

#include <sqlite3.h>

/// Leaves the write-ahead log as it is when the last connection closes, instead of copying it into the database with
/// two fsyncs; the next connection goes on with it. Returns SQLite's result code.
int gantry_sqlite_keep_log_on_close(sqlite3 *connection);

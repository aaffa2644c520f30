// What Swift cannot call of SQLite: variadic functions.
#pragma once

/// Leaves the write-ahead log as it is when the last connection closes, instead of copying it into the database with
/// two fsyncs; the next connection goes on with it. `connection` is an open `sqlite3 *`. Returns SQLite's result code.
int gantry_sqlite_keep_log_on_close(void *connection);

// TOML (toml.io, 1.0) by toml++, which is C++: a document goes in and comes out as JSON.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The document as JSON text, for `free` to give back; NULL where it is no TOML, with the reason in `reason` (cut to
/// `capacity` bytes with the NUL) and the line, from 1, in `line`. The text need not end in a NUL.
char *gantry_toml_to_json(const char *text, size_t length, char *reason, size_t capacity, uint32_t *line);

#ifdef __cplusplus
}
#endif

// libnftables, loaded when it is first needed: linked, it would cost every start of the program 0.6 ms and more.
#pragma once

/// Loads the library, once: NULL, or why that failed. Any thread.
const char *gantry_nftables_load(void);

typedef struct gantry_nftables gantry_nftables;

/// A context that keeps output and errors in memory; NULL where there is no memory or no such library. One that is terse
/// lists sets without their elements, and does not read them.
gantry_nftables *gantry_nftables_make(int is_terse);
void gantry_nftables_free(gantry_nftables *context);

/// Runs commands as nft(8) reads them, all of them or none. 0, or -1 where they were refused. The texts last until the
/// next call.
int gantry_nftables_run(gantry_nftables *context, const char *commands);
const char *gantry_nftables_output(gantry_nftables *context);
const char *gantry_nftables_error(gantry_nftables *context);

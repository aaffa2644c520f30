#include "CNftables.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure;
static struct {
    void *(*make)(uint32_t flags);
    void (*free)(void *context);
    int (*buffer_output)(void *context);
    int (*buffer_error)(void *context);
    int (*run)(void *context, const char *commands);
    const char *(*output)(void *context);
    const char *(*error)(void *context);
    void (*set_output_flags)(void *context, unsigned int flags);
} library;

static void load(void) {
    void *handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        // The text is the library's, and only until this thread's next call or end.
        const char *reason = dlerror();
        failure = reason ? strdup(reason) : NULL;
        if (!failure) failure = "libnftables.so.1";
        return;
    }
    struct {
        const char *name;
        void *place;
    } symbols[] = {
        {"nft_ctx_new", &library.make},
        {"nft_ctx_free", &library.free},
        {"nft_ctx_buffer_output", &library.buffer_output},
        {"nft_ctx_buffer_error", &library.buffer_error},
        {"nft_run_cmd_from_buffer", &library.run},
        {"nft_ctx_get_output_buffer", &library.output},
        {"nft_ctx_get_error_buffer", &library.error},
        {"nft_ctx_output_set_flags", &library.set_output_flags},
    };
    for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
        void *found = dlsym(handle, symbols[index].name);
        if (!found) {
            failure = symbols[index].name;
            return;
        }
        *(void **)symbols[index].place = found;
    }
}

const char *gantry_nftables_load(void) {
    pthread_once(&once, load);
    return failure;
}

gantry_nftables *gantry_nftables_make(int is_terse) {
    if (gantry_nftables_load()) return NULL;
    void *context = library.make(0);
    if (!context) return NULL;
    if (library.buffer_output(context) || library.buffer_error(context)) {
        library.free(context);
        return NULL;
    }
    // NFT_CTX_OUTPUT_TERSE
    if (is_terse) library.set_output_flags(context, 1 << 11);
    return context;
}

void gantry_nftables_free(gantry_nftables *context) { library.free(context); }

int gantry_nftables_run(gantry_nftables *context, const char *commands) {
    return library.run(context, commands) == 0 ? 0 : -1;
}

const char *gantry_nftables_output(gantry_nftables *context) { return library.output(context); }
const char *gantry_nftables_error(gantry_nftables *context) { return library.error(context); }

// Extended attributes and syncing, which Glibc's module leaves out. Included by CLinux.h.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int gantry_fsetxattr(int descriptor, const char *name, const void *value, size_t count);
/// Does not follow `path` where it is a symbolic link; nor do the next two.
int gantry_lsetxattr(const char *path, const char *name, const void *value, size_t count);
ssize_t gantry_lgetxattr(const char *path, const char *name, void *value, size_t capacity);
ssize_t gantry_llistxattr(const char *path, char *names, size_t capacity);
/// Writes out the file system that holds the descriptor.
int gantry_syncfs(int descriptor);

struct gantry_file_facts {
    uint64_t device, inode, mount, mode, size;
    int64_t modified_seconds, changed_seconds;
    uint32_t modified_nanoseconds, changed_nanoseconds;
};
/// statx(2) of what a descriptor is open at, by what the kernel knows already: AT_STATX_DONT_SYNC.
int gantry_known_facts(int descriptor, struct gantry_file_facts *facts);

#include "CLinuxFiles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int gantry_fsetxattr(int descriptor, const char *name, const void *value, size_t count) {
    return fsetxattr(descriptor, name, value, count, 0);
}

int gantry_lsetxattr(const char *path, const char *name, const void *value, size_t count) {
    return lsetxattr(path, name, value, count, 0);
}

ssize_t gantry_lgetxattr(const char *path, const char *name, void *value, size_t capacity) {
    return lgetxattr(path, name, value, capacity);
}

ssize_t gantry_llistxattr(const char *path, char *names, size_t capacity) {
    return llistxattr(path, names, capacity);
}

int gantry_syncfs(int descriptor) {
    return syncfs(descriptor);
}

// Glibc's headers tell of it from 2.37 on.
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif

int gantry_known_facts(int descriptor, struct gantry_file_facts *facts) {
    struct statx found;
    int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (statx(descriptor, "", flags, STATX_BASIC_STATS | STATX_MNT_ID, &found) != 0) return -1;
    facts->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    facts->inode = found.stx_ino;
    facts->mount = found.stx_mask & STATX_MNT_ID ? found.stx_mnt_id : 0;
    facts->mode = found.stx_mode;
    facts->size = found.stx_size;
    facts->modified_seconds = found.stx_mtime.tv_sec;
    facts->modified_nanoseconds = found.stx_mtime.tv_nsec;
    facts->changed_seconds = found.stx_ctime.tv_sec;
    facts->changed_nanoseconds = found.stx_ctime.tv_nsec;
    return 0;
}

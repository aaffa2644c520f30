#include "CLinuxFiles.h"

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

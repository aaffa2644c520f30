// What runs before any of Swift: a start of its runtime costs as much as all the rest of a small command, and the
// execution from the sealed file would pay for it a second time.
#define _GNU_SOURCE
#include "CStart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// Numbers of their own: an older C library's headers lack them.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static const char *failed_call;
static int failed_errno;
static int argument_count;
static char **callers_arguments, **callers_environment;

const char *gantry_started(int *number) {
    environ = callers_environment;
    *number = failed_errno;
    return failed_call;
}

// Swift's own of these look for the arguments in the table of this process's memory, at every start, asked or not. The
// program that has others under both names does not contain that file.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = argument_count;
    return callers_arguments;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) {
    argument_count = count;
    callers_arguments = arguments;
}

// Whether the command is one that makes a process for a container. A word of that kind elsewhere seals in vain, no more.
static int makes_process(int count, char **arguments) {
    static const char *const commands[] = {"create", "run", "exec", "restore"};
    for (int i = 1; i < count; i++)
        for (size_t j = 0; j < sizeof commands / sizeof *commands; j++)
            if (!strcmp(arguments[i], commands[j])) return 1;
    return 0;
}

static void fail(const char *call) {
    failed_call = call;
    failed_errno = errno;
}

// `SealedExecutable` says what for, and sees to it that this has been done.
static void seal(char **arguments, char **environment) {
    struct statfs facts;
    uint64_t attributes[4] = {1 /* MOUNT_ATTR_RDONLY */};
    int own = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (own < 0) return;
    int is_sealed = fstatfs(own, &facts) == 0 && facts.f_flags & 1 /* ST_RDONLY */;
    if (!is_sealed) {
        int tree = (int)syscall(SYS_open_tree, own, "", 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH);
        if (tree < 0) fail("open_tree");
        else if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, attributes, sizeof attributes) < 0)
            fail("mount_setattr");
        else {
            syscall(SYS_execveat, tree, "", arguments, environment, AT_EMPTY_PATH);
            fail("execveat");
        }
        if (tree >= 0) close(tree);
    }
    close(own);
}

// Swift's runtime looks for its debugger beside the program, in eight places, unless it is told where that is: nowhere,
// since it would be led into containers.
static void begin(int count, char **arguments, char **environment) {
    static char *for_swift[] = {"SWIFT_BACKTRACE=enable=no,swift-backtrace=/", NULL};
    // An ordinary user's file is as safe as that user's rights, and no mount may be made without a privilege.
    if (geteuid() == 0 && makes_process(count, arguments)) seal(arguments, environment);
    argument_count = count;
    callers_arguments = arguments;
    callers_environment = environment;
    environ = for_swift;
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = begin;

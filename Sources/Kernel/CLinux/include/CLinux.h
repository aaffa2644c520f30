// Kernel calls and constants that Swift cannot see through Glibc: raw system calls without a wrapper, variadic
// functions, and macros that are casts. Bodies are in CLinux.c, because an inline body in a header imported by Swift
// does not see _GNU_SOURCE. Each function returns what the call returns: -1 and errno on failure.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include "CLinuxContainers.h"
#include "CLinuxEvents.h"
#include "CLinuxFiles.h"
#include "CLinuxNetwork.h"
#include "CLinuxPaging.h"
#include "CLinuxScheduling.h"
#include "CLinuxSpawn.h"

/// clone3(2) with the semantics of fork: no new stack, no shared memory. `pidfd` receives a descriptor for the child;
/// `cgroup` is a cgroup2 directory for CLONE_INTO_CGROUP, or -1. Only for a process that has one thread.
pid_t gantry_clone3_fork(uint64_t flags, int *pidfd, int cgroup);

/// Every signal's disposition is the standard one, and none is blocked.
void gantry_reset_signals(void);

int gantry_pivot_root(const char *new_root, const char *put_old);
int gantry_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int gantry_close_range(unsigned int first, unsigned int last, unsigned int flags);
int gantry_pidfd_open(pid_t pid, unsigned int flags);
/// pidfd_getfd(2): another process's descriptor, as one of this process; close-on-exec.
int gantry_pidfd_getfd(int pidfd, int number);
int gantry_pidfd_send_signal(int pidfd, int signal);
int gantry_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);
int gantry_pipe2(int descriptors[2], int flags);
/// splice(2) without offsets; SPLICE_F_MOVE and, where `waits` is 0, SPLICE_F_NONBLOCK.
ssize_t gantry_splice(int source, int target, size_t count, int waits);
int gantry_memfd_create(const char *name, unsigned int flags);
int gantry_open(const char *path, int flags, mode_t mode);
int gantry_openat(int directory, const char *path, int flags, mode_t mode);
int gantry_fcntl_int(int descriptor, int command, int argument);
int gantry_ioctl_int(int descriptor, unsigned long request, long argument);
int gantry_ioctl_pointer(int descriptor, unsigned long request, void *argument);

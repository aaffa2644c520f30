#include "CLinux.h"
#include "CLinuxClone.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t gantry_clone3_fork(uint64_t flags, int *pidfd, int cgroup) {
    struct gantry_clone_args args = {0};
    args.flags = flags | CLONE_PIDFD;
    args.pidfd = (uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

void gantry_reset_signals(void) {
    // As the kernel has it: a handler, flags, a restorer, a mask of 64 signals.
    const struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } standard = {0};
    for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, &standard, NULL, 8);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int gantry_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int gantry_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int gantry_close_range(unsigned int first, unsigned int last, unsigned int flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

int gantry_pidfd_open(pid_t pid, unsigned int flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int gantry_pidfd_getfd(int pidfd, int number) { return (int)syscall(SYS_pidfd_getfd, pidfd, number, 0); }

int gantry_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int gantry_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5) {
    return prctl(option, a2, a3, a4, a5);
}

int gantry_pipe2(int descriptors[2], int flags) { return pipe2(descriptors, flags); }
int gantry_memfd_create(const char *name, unsigned int flags) { return memfd_create(name, flags); }
int gantry_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
int gantry_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}
ssize_t gantry_splice(int source, int target, size_t count, int waits) {
    return splice(source, NULL, target, NULL, count, SPLICE_F_MOVE | (waits ? 0 : SPLICE_F_NONBLOCK));
}
int gantry_fcntl_int(int descriptor, int command, int argument) { return fcntl(descriptor, command, argument); }
int gantry_ioctl_int(int descriptor, unsigned long request, long argument) {
    return ioctl(descriptor, request, argument);
}
int gantry_ioctl_pointer(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}

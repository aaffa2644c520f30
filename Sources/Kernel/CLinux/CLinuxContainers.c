#include "CLinuxContainers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

int gantry_setns(int descriptor, int flags) { return setns(descriptor, flags); }

pid_t gantry_clone3_sibling(uint64_t flags, int *pidfd) {
    // The first eight members are all that CLONE_PARENT needs; exit_signal must be zero with it.
    uint64_t args[8] = {flags | CLONE_PIDFD | CLONE_PARENT, (uintptr_t)pidfd};
    return (pid_t)syscall(SYS_clone3, args, sizeof args);
}

pid_t gantry_clone_sibling(int *pidfd) {
    // The third argument of clone(2) is where the descriptor goes, on all machines that Swift runs on.
    return (pid_t)syscall(SYS_clone, (long)(CLONE_PARENT | CLONE_PIDFD | SIGCHLD), 0, pidfd, 0, 0);
}

pid_t gantry_clone_sibling_sharing(int *pidfd, int (*run)(void *), void *argument) {
    // The caller waits meanwhile, so that there is one at a time. Pages that are never touched are none.
    static char stack[256 << 10] __attribute__((aligned(16)));
    int flags = CLONE_PARENT | CLONE_PIDFD | CLONE_VM | CLONE_VFORK | SIGCHLD;
    return clone(run, stack + sizeof stack, flags, argument, pidfd);
}

int gantry_sethostname(const char *name, size_t length) { return sethostname(name, length); }
int gantry_setdomainname(const char *name, size_t length) { return setdomainname(name, length); }

// Numbers of their own: an older C library's headers lack them.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

int gantry_open_tree(int directory, const char *path, unsigned int flags) {
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int gantry_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags) {
    return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

// The three calls have had their numbers since Linux 5.2 on all machines: 430, 431 and 432.
int gantry_fsopen(const char *type) { return (int)syscall(430, type, 1 /* FSOPEN_CLOEXEC */); }

int gantry_fsconfig(int context, const char *name, const char *value) {
    // FSCONFIG_SET_FLAG 0, FSCONFIG_SET_STRING 1, FSCONFIG_CMD_CREATE 6.
    return (int)syscall(431, context, name ? (value ? 1 : 0) : 6, name, value, 0);
}

int gantry_fsmount(int context, unsigned int attributes) {
    return (int)syscall(432, context, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

int gantry_mount_setattr(
    int directory, const char *path, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation,
    uint64_t userns) {
    uint64_t attributes[4] = {set, clear, propagation, userns};
    return (int)syscall(SYS_mount_setattr, directory, path, flags, attributes, sizeof attributes);
}

int gantry_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

int gantry_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int gantry_seccomp_filter(const void *instructions, unsigned short count, unsigned int flags) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int gantry_pty_peer(int master, int flags) { return ioctl(master, TIOCGPTPEER, flags); }
int gantry_keyctl_join_session(const char *name) {
    return (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}
int gantry_keyctl_describe(int serial, char *text, size_t capacity) {
    return (int)syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, capacity);
}
int gantry_keyctl_set_permissions(int serial, unsigned int mask) {
    return (int)syscall(SYS_keyctl, KEYCTL_SETPERM, serial, mask);
}

int gantry_wait_pidfd(int pidfd, int block) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | (block ? 0 : WNOHANG)) < 0) return -1;
    if (info.si_pid == 0) return -2;
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int gantry_reap_pidfd(int pidfd, int *signal, int *dumped) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) return -1;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    *dumped = info.si_code == CLD_DUMPED;
    return info.si_code == CLD_EXITED ? info.si_status : 0;
}

int gantry_is_child(int pidfd) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    return waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int gantry_set_file_ids(uid_t user, gid_t group) {
    setfsgid(group);
    setfsuid(user);
    // Neither says whether it did it: an id that is none changes nothing and gives what is set.
    if ((uid_t)setfsuid((uid_t)-1) == user && (gid_t)setfsgid((gid_t)-1) == group) return 0;
    errno = EPERM;
    return -1;
}

int gantry_mknod_at(int directory, const char *name, mode_t mode, unsigned int major_number, unsigned int minor_number) {
    return mknodat(directory, name, mode, makedev(major_number, minor_number));
}

unsigned int gantry_major(uint64_t device) { return major(device); }
unsigned int gantry_minor(uint64_t device) { return minor(device); }

int64_t gantry_filesystem_magic(int descriptor) {
    struct statfs facts;
    return fstatfs(descriptor, &facts) < 0 ? -1 : (int64_t)facts.f_type;
}

int64_t gantry_filesystem_magic_at(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) < 0 ? -1 : (int64_t)facts.f_type;
}

int gantry_is_kernel_tree_top(const char *path) {
    struct {
        struct file_handle handle;
        uint64_t number;
    } found = {.handle = {.handle_bytes = sizeof found.number}};
    int mount;
    // FILEID_KERNFS 0xfe: the number of the directory follows.
    return name_to_handle_at(AT_FDCWD, path, &found.handle, &mount, 0) == 0 && found.handle.handle_type == 0xfe &&
           found.number == 1;
}

int64_t gantry_mount_flags(int descriptor) {
    struct statfs facts;
    return fstatfs(descriptor, &facts) < 0 ? -1 : (int64_t)facts.f_flags;
}

int gantry_renameat2(int from, const char *old_name, int to, const char *new_name, unsigned int flags) {
    return renameat2(from, old_name, to, new_name, flags);
}

static void exit_by_signal(int signal) { _exit(128 + signal); }

int gantry_exit_on_signal(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = exit_by_signal;
    return sigaction(signal, &action, NULL);
}

int gantry_prlimit(pid_t pid, int resource, const struct rlimit *value) {
    return prlimit(pid, (enum __rlimit_resource)resource, value, NULL);
}

// Of one with CAP_SETUID they set all three ids. Programs that change their user by them are the most common, so that a
// seccomp filter lets them through.
int gantry_set_user(uid_t user) { return setuid(user); }
int gantry_set_group(gid_t group) { return setgid(group); }

// What a container is made of: namespaces, the new mount calls, capabilities, filters, terminals. Included by CLinux.h.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "CLinuxDeviceFilter.h"

int gantry_setns(int descriptor, int flags);
/// clone3(2) as gantry_clone3_fork, with CLONE_PARENT: the child's parent is the caller's.
pid_t gantry_clone3_sibling(uint64_t flags, int *pidfd);
/// clone(2) of the same kind without new namespaces: filters that know their arguments let it through more often.
pid_t gantry_clone_sibling(int *pidfd);
/// The same as vfork(2) does it: the child runs `run`, on a stack of its own in the caller's memory, and the caller, which
/// must have one thread, goes on once that has executed a program or ended. `run` must not return.
pid_t gantry_clone_sibling_sharing(int *pidfd, int (*run)(void *), void *argument);
int gantry_sethostname(const char *name, size_t length);
int gantry_setdomainname(const char *name, size_t length);

int gantry_open_tree(int directory, const char *path, unsigned int flags);
int gantry_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags);
/// fsopen(2), close-on-exec.
int gantry_fsopen(const char *type);
/// fsconfig(2): sets an option (a flag where `value` is NULL), or, where `name` is NULL, creates the file system.
int gantry_fsconfig(int context, const char *name, const char *value);
/// fsmount(2), close-on-exec, with MOUNT_ATTR_ bits.
int gantry_fsmount(int context, unsigned int attributes);
/// mount_setattr(2). `userns` counts only where MOUNT_ATTR_IDMAP is set.
int gantry_mount_setattr(
    int directory, const char *path, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation,
    uint64_t userns);

/// capset(2) for the calling process: 64-bit sets, a bit a capability.
int gantry_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/// capget(2) for the calling process.
int gantry_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

/// seccomp(2) SECCOMP_SET_MODE_FILTER: `count` instructions of 8 bytes.
int gantry_seccomp_filter(const void *instructions, unsigned short count, unsigned int flags);
/// TIOCGPTPEER: the other end of a pseudoterminal, whatever is mounted at /dev/pts.
int gantry_pty_peer(int master, int flags);
/// keyctl(2): the new keyring's serial number; its description (`type;uid;gid;mask;name`); its rights.
int gantry_keyctl_join_session(const char *name);
int gantry_keyctl_describe(int serial, char *text, size_t capacity);
int gantry_keyctl_set_permissions(int serial, unsigned int mask);
/// waitid(2) on a pidfd: the exit code, or 128 + signal; -2 where it runs on (`block` false); -1 and errno.
int gantry_wait_pidfd(int pidfd, int block);
/// waitid(2) on a pidfd, which reaps: the exit code, or 0 with the signal, and whether a core was written; -1 and errno.
int gantry_reap_pidfd(int pidfd, int *signal, int *dumped);
/// Whether the process is a child of the caller's that lives or is not reaped yet: waitid(2) that takes nothing.
int gantry_is_child(int pidfd);
/// setfsuid(2) and setfsgid(2): whose files the calling thread makes; -1 where they are others afterwards.
int gantry_set_file_ids(uid_t user, gid_t group);
int gantry_mknod_at(int directory, const char *name, mode_t mode, unsigned int major, unsigned int minor);
unsigned int gantry_major(uint64_t device);
unsigned int gantry_minor(uint64_t device);
/// The kind of file system below a descriptor (statfs f_type), or -1.
int64_t gantry_filesystem_magic(int descriptor);
/// The same by a path, whose links are followed.
int64_t gantry_filesystem_magic_at(const char *path);
/// Whether the top directory stands there of a file system that is a tree of the kernel's own (kernfs): of cgroups of
/// either version, or sysfs. 0 also where that cannot be told by one call, as before Linux 5.5.
int gantry_is_kernel_tree_top(const char *path);
/// The mount's flags (statfs f_flags: ST_RDONLY and so on), or -1.
int64_t gantry_mount_flags(int descriptor);
int gantry_renameat2(int from, const char *old_name, int to, const char *new_name, unsigned int flags);
/// Lets `signal` end this process with 128 + signal by a handler: the first process of a pid namespace is immune to
/// signals that have their default action.
int gantry_exit_on_signal(int signal);
/// prlimit(2): sets a limit of another process.
int gantry_prlimit(pid_t pid, int resource, const struct rlimit *value);
/// setresuid(2) and setresgid(2) with one id for all three.
int gantry_set_user(uid_t user);
int gantry_set_group(gid_t group);

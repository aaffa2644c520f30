/// The system-call filter that container engines give where the user names none: docker's default profile, as facts.
///
/// Everything is refused with EPERM but what is listed; capabilities open further calls. A name that the machine's
/// libseccomp does not know is passed over by the runtime, so the lists may be newer than the machine.
package enum DefaultSeccomp {
    /// The profile for a container that holds these capabilities (`CAP_…`), on a machine of this architecture.
    package static func profile(
        capabilities: Set<String>, machine: Machine = .current
    ) -> LinuxSeccomp {
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ERRNO")
        profile.defaultErrnoRet = 1
        profile.architectures = machine.seccompArchitectures
        profile.syscalls = [LinuxSyscall(allowed + machine.ownCalls, action: allow)]
        profile.syscalls += sockets + personalities
        profile.syscalls += clone(capabilities, machine)
        for (capability, names) in openedByCapability where capabilities.contains(capability) {
            profile.syscalls.append(LinuxSyscall(names, action: allow))
        }
        return profile
    }

    private static let allow = "SCMP_ACT_ALLOW"

    /// Address families that a container may open: none of the kernel's key store, AF_ALG (a history of privilege
    /// escalations) or AF_VSOCK (it leads to the hypervisor, past every namespace).
    private static var sockets: [LinuxSyscall] {
        let single: [UInt64] = [
            13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
        ]
        let low = LinuxSyscallArgument(index: 0, value: 12, comparison: "SCMP_CMP_LT")
        return [LinuxSyscall(["socket"], action: allow, args: [low])] + single.map { equal("socket", $0) }
    }

    /// Linux, Linux with 32-bit `uname`, both without address randomisation, and the query.
    private static var personalities: [LinuxSyscall] {
        [0, 8, 0x20000, 0x20008, 0xFFFF_FFFF].map { equal("personality", $0) }
    }

    private static func equal(_ name: String, _ value: UInt64) -> LinuxSyscall {
        LinuxSyscall(
            [name], action: allow, args: [LinuxSyscallArgument(index: 0, value: value, comparison: "SCMP_CMP_EQ")])
    }

    /// New namespaces need CAP_SYS_ADMIN: without it, `clone` is allowed where none of their flags is set, and
    /// `clone3`, whose flags are in memory that a filter cannot read, looks as if the kernel had none (ENOSYS), so that
    /// C libraries fall back to `clone`.
    private static func clone(_ capabilities: Set<String>, _ machine: Machine) -> [LinuxSyscall] {
        if capabilities.contains("CAP_SYS_ADMIN") { return [] }
        let namespaceFlags = LinuxSyscallArgument(
            index: machine == .s390x ? 1 : 0, value: 0x7E02_0000, comparison: "SCMP_CMP_MASKED_EQ")
        return [
            LinuxSyscall(["clone"], action: allow, args: [namespaceFlags]),
            LinuxSyscall(["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38),
        ]
    }

    private static let openedByCapability: [(String, [String])] = [
        ("CAP_DAC_READ_SEARCH", ["open_by_handle_at"]),
        (
            "CAP_SYS_ADMIN",
            [
                "bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie",
                "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "mount", "mount_setattr", "move_mount",
                "open_tree", "perf_event_open", "quotactl", "quotactl_fd", "setdomainname", "sethostname", "setns",
                "syslog", "umount", "umount2", "unshare",
            ]
        ),
        ("CAP_SYS_BOOT", ["reboot"]),
        ("CAP_SYS_CHROOT", ["chroot"]),
        ("CAP_SYS_MODULE", ["delete_module", "init_module", "finit_module"]),
        ("CAP_SYS_PACCT", ["acct"]),
        ("CAP_SYS_PTRACE", ["kcmp", "pidfd_getfd", "process_madvise"]),
        ("CAP_SYS_RAWIO", ["iopl", "ioperm"]),
        ("CAP_SYS_TIME", ["settimeofday", "stime", "clock_settime", "clock_settime64"]),
        ("CAP_SYS_TTY_CONFIG", ["vhangup"]),
        ("CAP_SYS_NICE", ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"]),
        ("CAP_SYSLOG", ["syslog"]),
        ("CAP_BPF", ["bpf"]),
        ("CAP_PERFMON", ["perf_event_open"]),
    ]
}

extension DefaultSeccomp {
    /// A machine's architecture, for what of the profile depends on it.
    package enum Machine: Hashable, Sendable {
        case x86_64, aarch64, riscv64, s390x, ppc64le

        package static var current: Machine {
            #if arch(arm64)
                .aarch64
            #elseif arch(riscv64)
                .riscv64
            #elseif arch(s390x)
                .s390x
            #elseif arch(powerpc64le)
                .ppc64le
            #else
                .x86_64
            #endif
        }

        /// The architecture and the older ones whose programs it runs too.
        var seccompArchitectures: [String] {
            switch self {
            case .x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
            case .aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
            case .riscv64: ["SCMP_ARCH_RISCV64"]
            case .s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"]
            case .ppc64le: ["SCMP_ARCH_PPC64LE"]
            }
        }

        var ownCalls: [String] {
            switch self {
            case .x86_64: ["arch_prctl", "modify_ldt"]
            case .aarch64:
                [
                    "arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush",
                    "set_tls",
                ]
            case .riscv64: ["riscv_flush_icache"]
            case .s390x: ["s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"]
            case .ppc64le: ["sync_file_range2", "swapcontext"]
            }
        }
    }

    private static let allowed = [
        "accept", "accept4", "access", "adjtimex", "alarm", "bind", "brk", "cachestat", "capget", "capset", "chdir",
        "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64",
        "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "close", "close_range",
        "connect", "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
        "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2",
        "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fadvise64_64",
        "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat",
        "fcntl", "fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr",
        "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex",
        "futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "futimesat", "get_robust_list",
        "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid",
        "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid",
        "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid",
        "getresuid32", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday",
        "getuid", "getuid32", "getxattr", "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1",
        "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
        "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "kill", "landlock_add_rule",
        "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link", "linkat",
        "listen", "listmount", "listxattr", "listxattrat", "llistxattr", "_llseek", "lremovexattr", "lseek",
        "lsetxattr", "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
        "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect",
        "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
        "mq_timedsend_time64", "mq_unlink", "mremap", "mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync",
        "munlock", "munlockall", "munmap", "name_to_handle_at", "nanosleep", "newfstatat", "_newselect", "open",
        "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free",
        "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64", "preadv", "preadv2", "prlimit64",
        "process_mrelease", "process_vm_readv", "process_vm_writev", "pselect6", "pselect6_time64", "ptrace",
        "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "recv", "recvfrom",
        "recvmmsg", "recvmmsg_time64", "recvmsg", "remap_file_pages", "removexattr", "removexattrat", "rename",
        "renameat", "renameat2", "restart_syscall", "riscv_hwprobe", "rmdir", "rseq", "rt_sigaction", "rt_sigpending",
        "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
        "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max", "sched_get_priority_min",
        "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
        "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
        "sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send",
        "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list", "set_thread_area",
        "set_tid_address", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
        "setgroups32", "setitimer", "setpgid", "setpriority", "setregid", "setregid32", "setresgid", "setresgid32",
        "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid",
        "setuid32", "setxattr", "setxattrat", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack",
        "signalfd", "signalfd4", "sigprocmask", "sigreturn", "socketcall", "socketpair", "splice", "stat", "stat64",
        "statfs", "statfs64", "statmount", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs",
        "sysinfo", "tee", "tgkill", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
        "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
        "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate", "truncate64",
        "ugetrlimit", "umask", "uname", "unlink", "unlinkat", "uretprobe", "utime", "utimensat", "utimensat_time64",
        "utimes", "vfork", "vmsplice", "wait4", "waitid", "waitpid", "write", "writev",
    ]
}

import Glibc
import OCI

/// What a profile says of single calls, without a filter made of it.
package enum SeccompVerdict {
    /// Whether a process with the filter can make another, by either way, tell its number and end, and that one take its
    /// terminal and close what it does not need.
    package static func allowsEntry(_ profile: LinuxSeccomp) -> Bool {
        // CLONE_PARENT, CLONE_PIDFD; CLONE_VM, CLONE_VFORK.
        let clone = UInt64(0x8000 | 0x1000) | UInt64(SIGCHLD)
        let calls = ["write", "rt_sigaction", "exit_group", "setsid", "ioctl", "close_range", "close", "read"]
        return [clone, clone | 0x100 | 0x4000].allSatisfy { allows("clone", first: $0, profile) }
            && calls.allSatisfy { allows($0, first: nil, profile) }
    }

    /// Whether a call is let through for certain: by a rule, or by none where that is how the profile begins.
    ///
    /// - Parameter first: its first argument; nil where it may be any.
    static func allows(_ call: String, first: UInt64?, _ profile: LinuxSeccomp) -> Bool {
        let rules = profile.syscalls.filter { $0.names.contains(call) }
        // Which of several rules counts is the library's to know.
        guard rules.allSatisfy({ isPermissive($0.action) }) else { return false }
        return isPermissive(profile.defaultAction) || rules.contains { $0.args.allSatisfy { holds($0, first) } }
    }

    private static func isPermissive(_ action: String) -> Bool {
        action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_LOG"
    }

    private static func holds(_ condition: LinuxSyscallArgument, _ first: UInt64?) -> Bool {
        guard condition.index == 0, let first else { return false }
        return switch condition.comparison {
        case "SCMP_CMP_EQ": first == condition.value
        case "SCMP_CMP_NE": first != condition.value
        case "SCMP_CMP_LT": first < condition.value
        case "SCMP_CMP_LE": first <= condition.value
        case "SCMP_CMP_GT": first > condition.value
        case "SCMP_CMP_GE": first >= condition.value
        case "SCMP_CMP_MASKED_EQ": first & condition.value == condition.valueTwo
        default: false
        }
    }
}

import CLinux
import Glibc

/// A set of capabilities(7), a bit each.
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The kernel's numbers are the positions here.
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// Names known to this program: `CAP_CHOWN`, …
    package static var allNames: [String] { names.map { "CAP_" + $0 } }
    package static var count: Int { names.count }

    /// The capability of that name, with or without `CAP_`; nil for an unknown one.
    package init?(name: String) {
        let upper = name.uppercased()
        let hasPrefix = upper.utf8.starts(with: "CAP_".utf8)
        let short = hasPrefix ? String(Substring(upper.utf8.dropFirst(4))) : upper
        guard let number = Self.names.firstIndex(of: short) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    package init(number: Int) { self.init(rawValue: 1 << UInt64(number)) }

    package var names: [String] {
        Self.names.indices.filter { rawValue >> UInt64($0) & 1 == 1 }.map { "CAP_" + Self.names[$0] }
    }

    /// What this process may use at most: its permitted set.
    package static func permitted() throws(KernelError) -> CapabilitySet {
        var (effective, permitted, inheritable): (UInt64, UInt64, UInt64) = (0, 0, 0)
        try kernelCall("capget") { gantry_capget(&effective, &permitted, &inheritable) }
        return CapabilitySet(rawValue: permitted)
    }
}

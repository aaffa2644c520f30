import Linux
import OCI

/// Which namespaces are made and which are joined.
package struct NamespacePlan: Hashable, Sendable {
    package struct Joined: Hashable, Sendable {
        package var kind: LinuxNamespace.Kind
        package var path: String
    }

    /// A set of kinds, by their flags of clone(2).
    package struct Kinds: Hashable, Sendable {
        package private(set) var cloneFlags: Int32 = 0

        package func contains(_ kind: LinuxNamespace.Kind) -> Bool { cloneFlags & kind.cloneFlag != 0 }
        mutating func insert(_ kind: LinuxNamespace.Kind) { cloneFlags |= kind.cloneFlag }
        mutating func remove(_ kind: LinuxNamespace.Kind) { cloneFlags &= ~kind.cloneFlag }
    }

    package var new = Kinds()
    /// Whether the runtime itself is in a user namespace, which the container then shares.
    package var inheritsUser = false
    /// In the order of setns(2): the user namespace first, since it gives the right to the others.
    package var joined: [Joined] = []

    init(_ namespaces: [LinuxNamespace]) throws(RuntimeError) {
        for namespace in namespaces {
            guard !has(namespace.kind) else {
                throw RuntimeError("malformed spec file: duplicated ns {\"\(namespace.kind.rawValue)\"}")
            }
            if let path = namespace.path {
                joined.append(Joined(kind: namespace.kind, path: path))
            } else {
                new.insert(namespace.kind)
            }
        }
        joined.sort { $0.kind == .user && $1.kind != .user }
    }

    package func has(_ kind: LinuxNamespace.Kind) -> Bool {
        new.contains(kind) || joined.contains { $0.kind == kind }
    }

    /// The flags for clone3(2). The cgroup namespace is not among them: its root is the cgroup that a process is in
    /// when it unshares, and the child is in its own only after it was made.
    package var cloneFlags: UInt64 {
        UInt64(new.cloneFlags & ~(LinuxNamespace.Kind.cgroup.cloneFlag | LinuxNamespace.Kind.time.cloneFlag))
    }

    package var joinsUser: Bool { joined.contains { $0.kind == .user } }
    package var hasUser: Bool { has(.user) || inheritsUser }
}

extension LinuxNamespace.Kind {
    /// CLONE_NEW… of this namespace.
    package var cloneFlag: Int32 {
        switch self {
        case .mount: 0x0002_0000
        case .cgroup: 0x0200_0000
        case .uts: 0x0400_0000
        case .ipc: 0x0800_0000
        case .user: 0x1000_0000
        case .pid: 0x2000_0000
        case .network: 0x4000_0000
        case .time: 0x80
        }
    }

    /// Its name in /proc/PID/ns.
    package var procName: String {
        switch self {
        case .network: "net"
        case .mount: "mnt"
        default: rawValue
        }
    }
}

import CLinux
import Glibc
import JSON
import Linux
import OCI

/// Where the agent listens that decides about the calls of `SCMP_ACT_NOTIFY`: it gets the filter's descriptor, with the
/// specification's `ContainerProcessState` beside it.
struct SeccompListener: Hashable {
    let path: String
    let metadata: String

    /// Nil where the profile asks nobody.
    init?(_ profile: LinuxSeccomp) throws(RuntimeError) {
        let path = profile.listenerPath ?? ""
        metadata = profile.listenerMetadata ?? ""
        guard metadata.isEmpty || !path.isEmpty else {
            throw RuntimeError("linux.seccomp.listenerMetadata: must not be set without listenerPath")
        }
        guard profile.defaultAction != Self.action else {
            // The descriptor could never be given to the agent.
            throw RuntimeError("linux.seccomp.defaultAction: \(Self.action) cannot be used as default action")
        }
        let asking = profile.syscalls.filter { $0.action == Self.action }
        guard !asking.isEmpty else { return nil }
        guard !path.isEmpty else {
            throw RuntimeError("linux.seccomp.listenerPath: must be set, since a rule is \(Self.action)")
        }
        // By this call the descriptor's number is told.
        guard !asking.contains(where: { $0.names.contains("write") }) else {
            throw RuntimeError("linux.seccomp.syscalls: \(Self.action) cannot be used for the write syscall")
        }
        self.path = path
    }

    static let action = "SCMP_ACT_NOTIFY"

    /// In the runtime: takes the filter's descriptor out of the process that has installed it, and gives it to the
    /// agent, over a connection of its own.
    ///
    /// - Parameter number: the descriptor's number there.
    func handOver(_ process: LaunchedProcess, _ number: Int32, state: JSONValue) throws(RuntimeError) {
        try attempt("linux.seccomp.listenerPath: unable to send the seccomp descriptor to `\(path)`") {
            () throws(KernelError) in
            let filter = OwnedDescriptor(
                Descriptor(
                    rawValue: try kernelCall("take the seccomp descriptor") {
                        gantry_pidfd_getfd(process.pidfd.rawValue, number)
                    }))
            let (parent, name) = PathName.split(path)
            let directory = OwnedDescriptor(try Descriptor.open(parent, O_PATH | O_DIRECTORY))
            let socket = OwnedDescriptor(try UnixSocket.connect(in: directory.descriptor, name: name))
            try socket.descriptor.setNonBlocking(false)
            let text = message(pid: process.pid, state: state).compactText
            let sent = try kernelCall("send a descriptor") {
                gantry_send_descriptor_with(
                    socket.descriptor.rawValue, filter.descriptor.rawValue, text, text.utf8.count)
            }
            try socket.descriptor.writeAll(Array(text.utf8.dropFirst(Int(sent))))
        }
    }

    private func message(pid: Int32, state: JSONValue) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("ociVersion", state["ociVersion"] ?? .string(RuntimeSpec().ociVersion)),
            ("fds", .array([.string("seccompFd")])), ("pid", .integer(Int64(pid))),
        ]
        if !metadata.isEmpty { members.append(("metadata", .string(metadata))) }
        members.append(("state", state))
        return .object(JSONObject(members))
    }
}

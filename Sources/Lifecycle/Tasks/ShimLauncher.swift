import EngineAPI
import Glibc
import Linux
import Netlink
import ShimAPI

/// Starts shims. Its calls block, shortly.
struct ShimLauncher: Sendable {
    let runRoot: String
    let shimPath: String
    /// Inherited by every shim, after what it is told of.
    var leases: [Descriptor] = []
    /// Nil: shims are in the engine's own.
    var cgroup: ShimCgroup?

    /// What the runtimes get as `--root`.
    var runtimeRoot: String { "\(runRoot)/runtime" }

    /// Makes the task's directory and socket, and starts its shim; the socket takes connections from the first moment.
    ///
    /// - Returns: the shim's pid; the caller reaps it. On failure nothing is left.
    func launch(_ spec: TaskSpec, in directory: ShimDirectory) throws(EngineError) -> Int32 {
        do {
            try directory.create(runRoot: runRoot)
        } catch {
            if error.errno == .exists {
                throw EngineError(.conflict, "task \(spec.id) already exists", object: spec.id)
            }
            throw EngineError(error, task: spec.id)
        }
        do {
            var task = ShimTask(spec, runtimeRoot: runtimeRoot)
            task.shimCgroup = cgroup?.legacyDirectory
            try directory.write(task)
            return try start(spec, in: directory)
        } catch {
            directory.remove()
            throw EngineError(error, task: spec.id)
        }
    }

    /// Who attach at once and find no room are refused at once, by EAGAIN: as many as the kernel allows by itself
    /// (net.core.somaxconn).
    private static let backlog: Int32 = 4096

    private func start(_ spec: TaskSpec, in directory: ShimDirectory) throws(KernelError) -> Int32 {
        let place = OwnedDescriptor(try Descriptor.open(directory.path, O_RDONLY | O_DIRECTORY))
        let listener = OwnedDescriptor(
            try UnixSocket.listen(in: place.descriptor, name: ShimDirectory.socketName, backlog: Self.backlog))
        let log = OwnedDescriptor(
            try place.descriptor.open("shim.log", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600))
        var spawn = Spawn(program: shimPath, arguments: [shimPath, "-id", spec.id, "-dir", directory.path])
        spawn.descriptors = [nil, nil, log.descriptor, listener.descriptor] + (spec.network?.sockets ?? [])
        spawn.descriptors += leases
        spawn.newSession = true
        spawn.cgroup = cgroup?.open()
        defer { spawn.cgroup?.close() }
        guard let namespace = spec.shimNamespace else { return try spawn.start() }
        let program = spawn
        return try NetworkNamespace.run(in: namespace) { () throws(KernelError) in try program.start() }
    }
}

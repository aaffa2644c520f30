import EngineAPI
import Glibc
import Images
import Linux

/// Where a bind mount's files come from.
enum BindSource {
    /// Makes sure that the sources of all bind mounts are there.
    ///
    /// - Parameter checksPropagation: whether they also must share what the container is to share with the host.
    static func prepare(_ mounts: [MountSpec], checksPropagation: Bool = false) async throws(EngineError) {
        for mount in mounts where mount.kind == .bind {
            try await ServedFiles.look(into: mount.source) { () throws(EngineError) in
                try prepare(mount)
                if checksPropagation { try checkPropagation(mount) }
            }
        }
    }

    /// What the container shall share with the host, the host must share.
    private static func checkPropagation(_ mount: MountSpec) throws(EngineError) {
        guard let propagation = mount.propagation, !propagation.hasSuffix("private"), !propagation.isEmpty,
            let resolved = realpath(mount.source, nil)
        else { return }
        defer { free(resolved) }
        let path = String(cString: resolved)
        let table: [MountEntry]
        do throws(KernelError) { table = try MountTable.current() } catch { throw EngineError(error, object: path) }
        guard let found = MountTable.entry(above: path, in: table) else { return }
        let isShared = found.propagation.contains { $0.hasPrefix("shared:") }
        let isSlave = found.propagation.contains { $0.hasPrefix("master:") }
        let takesSlave = propagation.hasSuffix("slave")
        guard isShared || takesSlave && isSlave else {
            throw EngineError(
                .invalid,
                "path \(mount.source) is mounted on \(found.mountPoint) but it is not a shared "
                    + "\(takesSlave ? "or slave " : "")mount")
        }
    }

    /// Makes sure that the source is there: made as a directory where that was asked for.
    private static func prepare(_ mount: MountSpec) throws(EngineError) {
        var facts = stat()
        if stat(mount.source, &facts) == 0 { return }
        guard mount.createsSource else {
            throw EngineError(
                .invalid,
                "invalid mount config for type \"bind\": bind source path does not exist: \(mount.source)")
        }
        do throws(KernelError) { try Directory.create(mount.source) } catch {
            throw EngineError(.invalid, "error while creating mount source path '\(mount.source)': \(error)")
        }
    }
}

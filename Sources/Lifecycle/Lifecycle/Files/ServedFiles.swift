import AsyncIO
import EngineAPI
import Glibc
import Linux

/// Looking into what a container or a volume has mounted: files that a server may hold up for ever, and so nothing that
/// the engine's own work may wait for.
enum ServedFiles {
    /// Runs `body` on a thread that nobody else needs.
    ///
    /// - Parameters:
    ///   - subject: the container's id, the volume's name, or the path on the host, to which the files belong.
    ///   - use: what does not wait behind other looks into the same.
    /// - Throws: what `body` throws; `unavailable` where too much waits for these files already; `cancelled`.
    static func look<Value: Sendable>(
        into subject: String, apart use: String = "", _ body: @escaping @Sendable () throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let result = await SubjectThreads.shared.run(for: subject + use) { () -> Result<Value, EngineError> in
            do throws(EngineError) { return .success(try body()) } catch { return .failure(error) }
        }
        guard let result else {
            if Task.isCancelled { throw EngineError(.cancelled, "context canceled", object: subject) }
            throw EngineError(
                .unavailable, "the files of \(subject) do not answer: too many requests wait for them already",
                object: subject)
        }
        return try result.get()
    }
}

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
        let above = table.filter {
            $0.mountPoint == "/" || path == $0.mountPoint || path.hasPrefix($0.mountPoint + "/")
        }
        guard let found = above.max(by: { $0.mountPoint.utf8.count <= $1.mountPoint.utf8.count }) else { return }
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

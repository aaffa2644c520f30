import AsyncIO
import EngineAPI
import Faults
import Glibc
import Images
import Linux
import Snapshots

/// How an empty volume gets what the image has at its place: all of it or nothing, wherever the engine dies over it. For a
/// volume with half of the files would count as one that is somebody's, and never get the rest. Blocking.
///
///     NAME/_copying       being copied: worth nothing once nobody copies
///     NAME/_copied        all of it, being moved to its place: whoever finds it moves the rest
struct VolumeFilling: Sendable {
    private let target: String
    private let partial: String
    private let whole: String

    /// - Parameter isMounted: the volume's files are on another file system than its folder; no move leads there, so all
    ///   happens among them.
    init(_ name: String, of host: VolumeHost, isMounted: Bool) {
        target = host.mountpoint(name)
        let place = isMounted ? target + "/.gantry" : host.folder(name) + "/"
        (partial, whole) = (place + "_copying", place + "_copied")
    }

    /// Whether there is nothing in the volume, once what a former engine has left is where it belongs.
    func isEmpty() throws(KernelError) -> Bool {
        try finish()
        return try Directory.list(target).isEmpty
    }

    /// Fills the volume if it is empty.
    ///
    /// - Parameters:
    ///   - path: of the image's root; where that has no such directory the volume stays empty.
    ///   - owners: whose the files become.
    func fill(
        from path: String, of root: OpenedRoot, owners: TreeOwners, faults: FaultPlan
    ) throws(KernelError) {
        guard try isEmpty() else { return }
        do throws(KernelError) {
            try Directory.create(partial, mode: 0o700)
            guard try RootCopy.copy(path, of: root, into: partial, owners: owners) else {
                rmdir(partial)
                return
            }
            faults.pass(.volumeFillAfterCopy)
            try kernelCall("rename", partial) { rename(partial, whole) }
        } catch {
            try? Directory.removeTree(partial)  // The first failure is the one to tell of.
            throw error
        }
        faults.pass(.volumeFillAfterWhole)
        try finish()
    }

    /// What a former engine was killed over: what was whole is moved to its place, what was not goes.
    func finish() throws(KernelError) {
        try Directory.removeTree(partial)
        guard access(whole, F_OK) == 0 else { return }
        try RootCopy.move(whole, into: target)
        // What is left of it has names that somebody has taken meanwhile.
        try Directory.removeTree(whole)
    }
}

extension VolumeService {
    /// Fills volumes that are empty with what the image has at their places.
    ///
    /// - Parameters:
    ///   - remap: of the container.
    ///   - open: the container's root, which nothing was written to yet; asked for where a volume is empty.
    package func copyUp(
        _ mounts: [MountSpec], remap: IDRemap? = nil, open: () async throws(EngineError) -> OpenedRoot
    ) async throws(EngineError) {
        let owners = remap.map { remap in
            TreeOwners { (remap.hostUID($0) ?? remap.rootUID, remap.hostGID($1) ?? remap.rootGID) }
        }
        var opened: OpenedRoot?
        for mount in mounts where mount.kind == .volume && !mount.noCopy && mount.subpath == nil {
            // What is in memory is gone before the container starts.
            guard let volume = volumes[mount.source], volume.mount?.isMemory != true else { continue }
            let holder = RandomID.make()
            if mountsOnHost { try await hold(mount.source, by: holder) } else if volume.mount != nil { continue }
            let filling = VolumeFilling(mount.source, of: host, isMounted: volume.mount != nil)
            let faults = self.faults
            let failure: EngineError?
            do throws(EngineError) {
                if try await blocking(mount.source, { () throws(KernelError) in try filling.isEmpty() }) {
                    let root: OpenedRoot
                    if let opened { root = opened } else { root = try await open() }
                    opened = root
                    try await blocking(mount.source) { () throws(KernelError) in
                        try filling.fill(
                            from: mount.target, of: root, owners: owners ?? .same, faults: faults)
                    }
                }
                failure = nil
            } catch { failure = error }
            await release(mount.source, by: holder, detach: true)
            if let failure { throw failure }
        }
    }

    /// What is done to a volume's files, while nothing else is done to the volume.
    private func blocking<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) async throws(EngineError) -> Value {
        let outcome = await inTurn(name) { () async -> Result<Value, EngineError> in
            do throws(EngineError) {
                let value = try await ServedFiles.look(into: name) { () throws(EngineError) -> Value in
                    do throws(KernelError) { return try body() } catch {
                        throw EngineError(
                            error.errno.isAboutRoom ? .unavailable : .internal,
                            "copy the image's files into volume \(name): \(error)", object: name)
                    }
                }
                return .success(value)
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}

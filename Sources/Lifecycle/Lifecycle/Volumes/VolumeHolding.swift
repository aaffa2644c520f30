import AsyncIO
import EngineAPI
import Glibc
import Images
import Linux

/// Volumes that mount options describe: mounted on the host from the first container that runs with them to the last, so
/// that all of these see one file system.
extension VolumeService {
    /// Whether this process may mount; if not, each container has a mount of its own.
    nonisolated var mountsOnHost: Bool { geteuid() == 0 }

    /// Has a volume mounted, if it is one that is, for as long as the holder keeps it.
    func hold(_ name: String, by holder: String) async throws(EngineError) {
        guard let plan = volumes[name]?.mount else { return }
        holders[name, default: []].insert(holder)
        let (host, faults) = (self.host, self.faults)
        let failure = await touch(name) { () throws(EngineError) in
            let isMounted: Bool
            do throws(KernelError) { isMounted = try host.mounted().contains(name) } catch {
                throw EngineError(error, object: name)
            }
            let known = isMounted ? plan : try plan.withAddress(Self.address)
            do throws(KernelError) {
                if !isMounted { try host.mount(known, at: name) }
                faults.pass(.volumeHoldAfterMount)
            } catch {
                throw EngineError(
                    error.errno.isAboutRoom ? .unavailable : .internal,
                    "failed to mount local volume: mount \(known.source):\(host.mountpoint(name)), data: "
                        + "\(known.data): \(error.errno)", object: name)
            }
        }
        guard let failure else { return }
        await release(name, by: holder, detach: false)
        throw failure
    }

    private static func address(_ host: String) throws(EngineError) -> IPAddress {
        do throws(HostLookupFailure) { return try HostAddress.find(host) } catch {
            throw EngineError(
                .internal, "error resolving passed in network volume address: \(error)", object: host)
        }
    }

    /// - Parameter detach: it may go while somebody has it open; else it stays then, for the next who wants it.
    func release(_ name: String, by holder: String, detach: Bool) async {
        guard holders[name]?.remove(holder) != nil else { return }
        if isFree(name) { holders[name] = nil }
        let (host, faults) = (self.host, self.faults)
        let failure = await touch(name, whileFree: true) { () throws(EngineError) in
            do throws(KernelError) {
                guard try host.mounted().contains(name) else { return }
                faults.pass(.volumeReleaseBeforeUnmount)
                try host.unmount(name, detach: detach)
            } catch { throw EngineError(error, object: name) }
        }
        if let failure { note("volume \(name): \(failure)") }
    }

    /// What is done to a volume's mount, in its turn; whose server has gone holds up nobody else.
    ///
    /// - Parameter whileFree: it is not done where somebody holds the volume by then.
    private func touch(
        _ name: String, whileFree: Bool = false, _ body: @escaping @Sendable () throws(EngineError) -> Void
    ) async -> EngineError? {
        await inTurn(name) { () async -> EngineError? in
            if whileFree, await !self.isFree(name) { return nil }
            do throws(EngineError) {
                try await ServedFiles.look(into: name, apart: " mount", body)
                return nil
            } catch { return error }
        }
    }

    /// The same as `sources`, for who looks at the files of a container that does not run: what mount options describe is
    /// mounted for the holder. A file system in memory that no container has is not, for nothing of it would last.
    func lastingSources(
        _ mounts: [MountSpec], heldBy holder: String
    ) async throws(EngineError) -> [String: VolumeSource] {
        var sources: [String: VolumeSource] = [:]
        for mount in mounts where mount.kind == .volume {
            let volume = try await find(mount.source)
            if let plan = volume.mount {
                guard mountsOnHost, !plan.isMemory || !isFree(mount.source) else {
                    sources[mount.source] = volume.ownMount
                    continue
                }
                try await hold(mount.source, by: holder)
            }
            sources[mount.source] = VolumeSource(type: "bind", source: mountpoint(mount.source), options: ["rbind"])
        }
        return sources
    }

    private func isFree(_ name: String) -> Bool { holders[name]?.isEmpty != false }

    /// What is done to one volume's files and mount, one after the other.
    func inTurn<Outcome: Sendable>(
        _ name: String, _ body: @escaping @Sendable () async -> Outcome
    ) async -> Outcome {
        let turn = turns.begin(name, body)
        let outcome = await turn.outcome
        turns.end(name, turn)
        return outcome
    }

    /// After a container's end, or a start that failed.
    package func release(_ mounts: [MountSpec], of containerID: String) async {
        guard mounts.contains(where: { $0.kind == .volume }) else { return }
        // Where they cannot be read nothing of theirs was mounted by this engine.
        do throws(EngineError) { try await load() } catch { return note("volumes: \(error)") }
        for mount in mounts where mount.kind == .volume {
            await release(mount.source, by: containerID, detach: false)
        }
    }

    /// What a former engine mounted is its living containers', or goes.
    func adoptMounts() async {
        guard mountsOnHost, volumes.values.contains(where: { $0.mount != nil }) else { return }
        for container in index.all where await container.run != nil {
            for mount in container.definition.spec.mounts where volumes[mount.source]?.mount != nil {
                if mount.kind == .volume { holders[mount.source, default: []].insert(container.id) }
            }
        }
        let (host, held) = (self.host, Set(holders.filter { !$0.value.isEmpty }.keys))
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in
                for name in try host.mounted() where !held.contains(name) { try host.unmount(name, detach: false) }
            }
        } catch { note("volumes: \(error)") }
    }
}

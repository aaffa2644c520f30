import AsyncIO
import EngineAPI
import OCI
import Snapshots

/// The roots of containers, over the layers of their images.
extension ImageStore {
    package func prepareRoot(
        containerID: String, image: ImageRecord, isContainer: Bool
    ) async throws(EngineError) -> [SnapshotMount] {
        guard records[image.id] != nil else { throw .noSuchImage(image.id.description) }
        let layers = image.chainIDs
        pin(layers)
        defer { unpin(layers) }
        if isContainer { newRoots[containerID] = image.id }
        for layer in layers { await waitUntilIdle(layer) }
        do throws(EngineError) {
            let mounts = try await onPool { (snapshots) throws(SnapshotError) in
                try snapshots.prepareRoot(containerID, layers: layers, hasBottom: isContainer)
            }
            rootLayers[containerID] = layers
            return mounts
        } catch {
            if rootLayers[containerID] == nil { newRoots[containerID] = nil }
            throw error
        }
    }

    package func rootMounts(
        containerID: String, isDisposable: Bool
    ) async throws(EngineError) -> [SnapshotMount] {
        try await onPool { (snapshots) throws(SnapshotError) in
            try snapshots.rootMounts(containerID, isDisposable: isDisposable)
        }
    }

    package func storageFacts() async throws(EngineError) -> [StorageFact] {
        let facts = try await onPool { (snapshots) throws(SnapshotError) in try snapshots.overlayFacts() }
        guard let facts else { return [] }
        return [
            StorageFact("Backing Filesystem", facts.backingFileSystem), StorageFact("Supports d_type", "true"),
            StorageFact("Using metacopy", "false"), StorageFact("Native Overlay Diff", "true"),
            StorageFact("userxattr", "\(facts.usesUserAttributes)"),
        ]
    }

    package func rootPlaces(containerID: String) -> RootPlaces? {
        rootLayers[containerID].flatMap { snapshots.places(containerID, layers: $0) }
    }

    package func openRoot(
        containerID: String, forWriting: Bool, inside: InnerMounts
    ) async throws(EngineError) -> OpenedRoot {
        let snapshots = snapshots
        // What is mounted inside is looked at, which may last as long as its server likes.
        return try await ServedFiles.look(into: containerID) { () throws(EngineError) in
            do throws(SnapshotError) {
                return try snapshots.openRoot(containerID, forWriting: forWriting, inside: inside)
            } catch {
                guard case .kernel(let failure) = error, failure.errno == .noSuchFile else { throw EngineError(error) }
                throw EngineError(.notFound, failure.description)
            }
        }
    }

    package func changes(
        containerID: String, leavingOut isLeftOut: @escaping @Sendable (String) -> Bool
    ) async throws(EngineError) -> [RootChange] {
        try await onPool(.trees) { (snapshots) throws(SnapshotError) in
            try snapshots.changes(containerID, leavingOut: isLeftOut)
        }
    }

    package func writtenBytes(containerID: String) async throws(EngineError) -> Int64 {
        try await onPool(.trees) { (snapshots) throws(SnapshotError) in try snapshots.writtenBytes(containerID) }
    }

    package func removeRoot(containerID: String) async throws(EngineError) {
        for root in [containerID]
            + rootLayers.keys.filter({ $0 != containerID && MountedImage.owner(of: $0) == containerID })
        {
            try await onPool(.trees) { (snapshots) throws(SnapshotError) in try snapshots.removeRoot(root) }
            rootLayers[root] = nil
            newRoots[root] = nil
        }
    }
}

import Linux
import OCI

/// A snapshotter that keeps each layer, and each root, as a directory of its own.
protocol DirectorySnapshotter: Snapshotter {
    var directory: SnapshotDirectory { get }
}

extension DirectorySnapshotter {
    package func layer(_ chainID: Digest) throws(SnapshotError) -> LayerFacts? {
        try kernel { () throws(KernelError) in try directory.readLayer(chainID) }
    }

    /// Of a root that is a whole copy that is all it takes of the disk.
    package func writtenBytes(_ containerID: String) throws(SnapshotError) -> Int64 {
        let path = try directory.rootPath(containerID)
        return try kernel { () throws(KernelError) in try FileSizes.sum(below: "\(path)/fs") }
    }

    package func removeRoot(_ containerID: String) throws(SnapshotError) {
        let path = try directory.rootPath(containerID)
        guard !directory.isLayer(path) else { throw .invalidName(containerID) }
        try directory.remove(path)
    }

    package func layers() throws(SnapshotError) -> Set<Digest> {
        try kernel { () throws(KernelError) in try directory.layers() }
    }

    package func roots() throws(SnapshotError) -> [String: [Digest]] {
        try kernel { () throws(KernelError) in try directory.roots() }
    }

    package func removeLeftovers() throws(SnapshotError) -> [KernelError] {
        try kernel { () throws(KernelError) in try directory.removeLeftovers() }
    }
}

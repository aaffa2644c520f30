import Archive
import Glibc
import Linux
import OCI

/// Keeps unpacked layers, each once, and makes containers' root file systems of them.
///
/// A *layer* is named by its chain ID and never changes; a *root* is named by its container's id and is the container's
/// to write. All calls block and may be made from any thread at once; the caller makes sure that one layer is not unpacked
/// twice at a time. What can be seen is whole and on disk; what a crash leaves is taken away by `removeLeftovers`.
package protocol Snapshotter: Sendable {
    /// What is known of a layer; nil where it is not here, or damaged.
    func layer(_ chainID: Digest) throws(SnapshotError) -> LayerFacts?

    /// Makes a layer: `apply` changes the tree of the layers below, given as a directory, into the new one and returns
    /// the size of what it wrote. Nothing is left where it throws. One that is damaged is made anew.
    ///
    /// - Parameter parents: the chain IDs of the layers below, lowest first.
    func unpack(
        _ chainID: Digest, onto parents: [Digest], _ apply: (Descriptor) throws(ArchiveError) -> Int64
    ) throws(SnapshotError) -> LayerFacts

    /// Makes a container's root over layers (chain IDs, lowest first), or keeps the one that is there, and says how it is
    /// mounted.
    ///
    /// - Parameter hasBottom: whether it has what each container's root has where its image lacks it: `/.dockerenv`,
    ///   `/etc/mtab`, and perhaps the places at which something is mounted.
    func prepareRoot(
        _ containerID: String, layers: [Digest], hasBottom: Bool
    ) throws(SnapshotError) -> [SnapshotMount]
    /// How a container's root is mounted. To be asked for each time it is.
    ///
    /// - Parameter isDisposable: whether nobody will want the root after the container has ended: it is not synced then.
    func rootMounts(_ containerID: String, isDisposable: Bool) throws(SnapshotError) -> [SnapshotMount]
    /// Where a root over layers (chain IDs, lowest first) is kept, by its paths alone; nil where it is one plain tree.
    func places(_ containerID: String, layers: [Digest]) -> RootPlaces?
    /// Nil where roots are no overlays.
    func overlayFacts() throws(SnapshotError) -> OverlayFacts?
    /// Where layers (chain IDs, lowest first) are kept, topmost first, by their paths alone; nil where no layer has a
    /// tree of its own.
    func places(ofLayers layers: [Digest]) -> [String]?
    /// A container's root held open, with `inside` mounted in it where nobody else sees it. For writing only while nothing
    /// else has it mounted.
    func openRoot(_ containerID: String, forWriting: Bool, inside: InnerMounts) throws(SnapshotError) -> OpenedRoot
    /// What a container has changed of its layers, in order of the paths, but what is left out by its path.
    func changes(_ containerID: String, leavingOut isLeftOut: (String) -> Bool) throws(SnapshotError) -> [RootChange]
    /// The contents of the files that a container has written; a file with several names counts once.
    func writtenBytes(_ containerID: String) throws(SnapshotError) -> Int64
    /// Writes what a container has changed of its layers as the members of a layer, without the archive's end.
    ///
    /// - Parameter isLeftOut: what is no change of the container's, by its path; a directory goes with all in it.
    /// - Returns: false where nothing was changed.
    func archiveChanges(
        _ containerID: String, leavingOut isLeftOut: @escaping (String) -> Bool, to writer: TarWriter<ArchiveError>
    ) throws(SnapshotError) -> Bool
    /// Succeeds where there is none.
    func removeRoot(_ containerID: String) throws(SnapshotError)
    /// Also one that is damaged; succeeds where there is none. The caller knows that nothing is built on the layer.
    func removeLayer(_ chainID: Digest) throws(SnapshotError)

    /// Also those that are damaged.
    func layers() throws(SnapshotError) -> Set<Digest>
    /// The containers that have roots, with the layers these need.
    func roots() throws(SnapshotError) -> [String: [Digest]]
    /// Only where no other process uses the same directory.
    ///
    /// - Returns: why some of it is still there.
    func removeLeftovers() throws(SnapshotError) -> [KernelError]
}

/// A path at which a root differs from its layers.
package struct RootChange: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case modified, added, deleted
    }

    package var kind: Kind
    /// From the root: `/etc/passwd`.
    package var path: String
    package var isDirectory: Bool
    package var sizeBytes: Int64
    /// Owner and mode are those of the layers.
    var hasOnlyNewTime = false
}

/// The directories that make a container's root.
package struct RootPlaces: Hashable, Sendable {
    /// Topmost first.
    package var lower: [String]
    package var upper: String
    package var work: String
}

/// What is kept beside an unpacked layer.
package struct LayerFacts: Hashable, Sendable {
    package var chainID: Digest
    /// The chain ID of the layer right below.
    package var parent: Digest?
    /// Of the files' contents.
    package var sizeBytes: Int64
}

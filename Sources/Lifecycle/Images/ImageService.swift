import EngineAPI
import Linux
import OCI
import Registry
import Snapshots

/// The images of an engine and the root file systems made from them.
///
/// All calls may be made from any task at once. Errors are `EngineError`, in docker's words; cancelled calls leave
/// nothing half done.
package protocol ImageService: Sendable {
    /// Loads every image of an archive or a layout directory; returns them in the archive's order.
    ///
    /// An image is kept whole or not at all; those before one that fails stay.
    ///
    /// - Parameter progress: called in order, on threads of the store; must not block.
    func load(
        from source: ImageLoadSource, progress: @escaping @Sendable (ImageLoadProgress) -> Void
    ) async throws(EngineError) -> [ImageRecord]

    /// The image of that `name:tag`, `name@digest`, id or unique prefix of an id.
    ///
    /// - Throws: `notFound`; `invalid` for a malformed reference.
    func resolve(_ reference: String) async throws(EngineError) -> ImageRecord

    /// The ids of the images that references mean; an empty one where nothing has that name.
    func meant(by references: Set<String>) async -> [String: String]
    /// Rises with every change of images and their names.
    var revision: Revision { get }

    /// Newest first, without the counts of containers, which the caller knows.
    func list(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary]
    func details(_ reference: String) async throws(EngineError) -> ImageDetails
    /// The manifests of images by those images' ids; of one that is not here, none. Without the containers, which the
    /// caller knows.
    func manifests(of ids: [String]) async throws(EngineError) -> [String: ImageManifestSummary]
    /// The ids of the images that were made from an image here, or from one that was.
    func descendants(of id: String) async -> Set<String>
    /// All images, newest first, with what each shares with others, and what all their layers take.
    func usage() async -> (images: [ImageSummary], layersBytes: Int64)

    /// Removes a name, or the image where it has no further one, with what no other image or container needs.
    ///
    /// - Parameters:
    ///   - prune: with it those without a name go that it was made from, and that nothing else needs.
    ///   - uses: the containers made from any image.
    /// - Throws: `conflict` where a container needs the image: always while that runs, unless forced while not; and for the
    ///   id of one that others were made from.
    func remove(
        _ reference: String, force: Bool, prune: Bool, uses: [ImageUse]
    ) async throws(EngineError) -> [ImageRemoval]

    /// Pulls the session's image. Its layers come side by side; each is unpacked as soon as those below it are.
    ///
    /// Content before row: an image is kept whole or not at all, and nothing that a pull is about to refer to is collected
    /// while it runs.
    ///
    /// - Parameters:
    ///   - platform: nil for this machine's.
    ///   - progress: called in order for each layer, from any thread; must not block.
    func pull(
        _ session: RegistrySession, platform: Platform?, progress: @escaping @Sendable (ImageTransferProgress) -> Void
    ) async throws(EngineError) -> PulledImage
    /// Pushes the image of the session's name; returns the digest by which the registry knows it.
    func push(
        _ session: RegistrySession, progress: @escaping @Sendable (ImageTransferProgress) -> Void
    ) async throws(EngineError) -> Digest

    /// Gives an image a further name, away from the image that had it; returns both.
    func tag(_ reference: String, as name: String) async throws(EngineError) -> (record: ImageRecord, name: String)
    /// One archive with the images, in docker's form and OCI's at once. What it holds is not collected while the stream
    /// lives.
    func save(_ references: [String]) async throws(EngineError) -> SavedImages
    /// Makes an image of one layer from an archive of a root file system.
    func importImage(_ request: ImageImportRequest) async throws(EngineError) -> ImageRecord
    /// Makes an image of what a container has changed of its own.
    ///
    /// - Parameter whenRead: called once the container's files are not needed any more, however that ended.
    func commit(
        _ wanted: ContainerCommit, whenRead: @Sendable () async -> Void
    ) async throws(EngineError) -> ImageRecord
    /// Removes images that no container uses.
    ///
    /// - Parameter all: also those with a name.
    func prune(all: Bool, filter: ImageFilter, uses: [ImageUse]) async throws(EngineError) -> ImagePruneResult

    /// Makes a writable root file system over the image's layers, named by the container's id; returns the mounts that
    /// make it up, in order. One that exists already is kept, and its mounts returned.
    ///
    /// - Parameter isContainer: whether it is a container's own root, which has some files more than its image.
    func prepareRoot(
        containerID: String, image: ImageRecord, isContainer: Bool
    ) async throws(EngineError) -> [SnapshotMount]
    /// The mounts of a root file system that was prepared before. To be asked for each time it is mounted.
    ///
    /// - Parameter isDisposable: whether the root goes with the container's end (`--rm`): then nothing in it is ever
    ///   synced to the disk, and unmounting does not wait for that.
    func rootMounts(containerID: String, isDisposable: Bool) async throws(EngineError) -> [SnapshotMount]
    /// How layers are kept.
    var driver: StorageDriver { get }
    /// What the user should know of that choice, and of what was found on disk.
    var warnings: [String] { get }
    /// What docker tells of its overlay2, of ours.
    func storageFacts() async throws(EngineError) -> [StorageFact]
    /// Where a container's root file system is kept, told from memory; nil where it has none, or one that is no overlay.
    func rootPlaces(containerID: String) async -> RootPlaces?
    /// A container's root file system held open, with `inside` mounted in it where nobody else sees it. For writing only
    /// while the container does not run.
    ///
    /// - Throws: `notFound` also where a place to mount at is missing, and is not to be made.
    func openRoot(
        containerID: String, forWriting: Bool, inside: InnerMounts
    ) async throws(EngineError) -> OpenedRoot
    /// What a container has changed of its image, in order of the paths, but what is left out by its path.
    func changes(
        containerID: String, leavingOut isLeftOut: @escaping @Sendable (String) -> Bool
    ) async throws(EngineError) -> [RootChange]
    /// The contents of the files that a container has written over its image.
    func writtenBytes(containerID: String) async throws(EngineError) -> Int64
    /// Removes a container's root file system with all that was written to it; succeeds where there is none.
    func removeRoot(containerID: String) async throws(EngineError)

    /// Packs `gantry/starter:latest` from a static busybox.
    ///
    /// - Parameter busybox: its path; nil to look in the usual places.
    /// - Throws: `unavailable` where there is none, with what to do about it.
    func packStarterImage(busybox: String?) async throws(EngineError) -> ImageRecord

    /// Deletes blobs and layers that no image and no container needs.
    ///
    /// - Parameter containers: the ids that exist: root file systems of others go too. Nil: all are kept.
    func collectGarbage(containers: Set<String>?) async throws(EngineError)
}

/// Images on their way out.
package struct SavedImages: Sendable {
    package var bytes: EngineStream<[UInt8]>
    /// Those that each reference meant.
    package var images: [(reference: String, record: ImageRecord)]
}

/// A container, as far as the removal of its image is concerned.
package struct ImageUse: Hashable, Sendable {
    package var containerID: String
    package var imageID: String
    /// The reference that the container was made by.
    package var reference: String
    package var isRunning: Bool

    package init(containerID: String, imageID: String, reference: String, isRunning: Bool) {
        self.containerID = containerID
        self.imageID = imageID
        self.reference = reference
        self.isRunning = isRunning
    }
}

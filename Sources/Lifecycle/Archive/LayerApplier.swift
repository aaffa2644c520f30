import Glibc
import Linux

/// Applies a layer to the tree of the layers below it (OCI image specification, "Image Layer Filesystem Changeset").
///
/// The tree is changed as a user of it would change it: where it is a mounted overlay, the kernel makes whiteouts and
/// copies files up. Nothing outside of the root is touched, whatever the archive and the tree hold. On failure, and when
/// the reader is cancelled, the tree is half changed, and the caller's to remove.
package final class LayerApplier {
    private let directories: RootedDirectories
    /// What this layer holds: whiteouts hide only what is from layers below.
    private var unpacked = LayerNames()
    /// The contents of the files written so far.
    package private(set) var contentBytes: Int64 = 0

    private let placement: Placement

    private static let whiteoutPrefix = Array(".wh.".utf8)
    private static let opaqueMarker = Array(".wh..wh..opq".utf8)
    private static let reservedPrefix = Array(".wh..wh.".utf8)

    /// - Parameter root: a directory, opened O_PATH or for reading; stays the caller's.
    package init(root: Descriptor, placement: Placement = .layer) throws(ArchiveError) {
        directories = try RootedDirectories(root: root)
        self.placement = placement
    }

    /// Where members go, and whether some of them stand for removals.
    package struct Placement: Sendable {
        /// A layer: members belong to the root, whiteouts remove.
        package static let layer = Placement()

        /// The directory below the root to which paths of the archive are added; it must exist.
        fileprivate var prefix: [[UInt8]] = []
        /// The first component of each path takes this name.
        fileprivate var topName: [UInt8]?
        fileprivate var hasWhiteouts = true
        /// A directory does not take the place of something else, nor the other way round.
        fileprivate var keepsKinds = false
        fileprivate var owner: (user: Int64, group: Int64)?
        fileprivate var takesTop = false
        /// What stands for an owner and a group where they are unpacked; nil for themselves.
        package var translated: (@Sendable (Int64, Int64) -> (user: Int64, group: Int64))?

        private init() {}

        /// An archive of plain files, as docker's `cp` has it.
        ///
        /// - Parameters:
        ///   - topName: the name of what the archive holds as a whole; nil for its own.
        ///   - owner: of all that is unpacked; nil for what the archive says.
        ///   - takesTop: the directory takes owner, mode and time of the archive's own top, if that is in it.
        package init(
            into directory: String, topName: String? = nil, keepsKinds: Bool = false,
            owner: (user: Int64, group: Int64)? = nil, takesTop: Bool = false
        ) {
            prefix = directory.utf8.split(separator: 47).filter { !$0.elementsEqual([46]) }.map { Array($0) }
            self.topName = topName.map { Array($0.utf8) }
            hasWhiteouts = false
            self.keepsKinds = keepsKinds
            self.owner = owner
            self.takesTop = takesTop
        }
    }

    package func apply(_ reader: TarReader) throws(ArchiveError) {
        while let entry = try reader.next() { try apply(entry, from: reader) }
        try setDirectoryTimes()
    }

    private func apply(_ entry: TarEntry, from reader: TarReader) throws(ArchiveError) {
        guard placement.hasWhiteouts else { return try applyPlain(entry, from: reader) }
        let path = try EntryPath(entry.path)
        if path.isRoot {
            guard case .directory = entry.kind else { throw refusal(entry, "it would replace the root") }
            return try finishDirectory(entry, path)
        }
        // Bookkeeping of an old union file system, which docker leaves out as well.
        let isReserved = path.components.contains { $0.starts(with: Self.reservedPrefix) && $0 != Self.opaqueMarker }
        if isReserved { return }
        if path.name == Self.opaqueMarker { return try makeOpaque(path.parent) }
        if path.name.starts(with: Self.whiteoutPrefix) { return try applyWhiteout(path, entry) }
        try write(entry, at: path, from: reader)
        unpacked.insert(path)
    }

    private func applyPlain(_ entry: TarEntry, from reader: TarReader) throws(ArchiveError) {
        var entry = entry
        if let owner = placement.owner { (entry.userID, entry.groupID) = owner }
        if let translated = placement.translated {
            (entry.userID, entry.groupID) = translated(entry.userID, entry.groupID)
        }
        guard let path = try placed(entry.path) else {
            // Else the directory that is copied into keeps what it is.
            guard placement.takesTop, case .directory = entry.kind else { return }
            return try finishDirectory(entry, EntryPath(joining: placement.prefix))
        }
        if case .hardLink(let target) = entry.kind {
            guard let place = try placed(target) else { throw refusal(entry, "a link to the whole archive") }
            entry.kind = .hardLink(target: place.joined)
        }
        if placement.keepsKinds { try checkKind(entry, at: path) }
        try write(entry, at: path, from: reader)
    }

    /// Nil for the archive's own top, where it is to be the directory that is copied into.
    private func placed(_ path: [UInt8]) throws(ArchiveError) -> EntryPath? {
        var components = try EntryPath(path).components
        if let name = placement.topName {
            if components.isEmpty { components = [name] } else { components[0] = name }
        }
        if components.isEmpty { return nil }
        return EntryPath(joining: placement.prefix + components)
    }

    private func checkKind(_ entry: TarEntry, at path: EntryPath) throws(ArchiveError) {
        guard let parent = try directories.existing(path.parent) else { return }
        var facts = stat()
        guard fstatat(parent.number, cString(path.name), &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        let wasDirectory = facts.st_mode & S_IFMT == S_IFDIR
        if (entry.kind == .directory) != wasDirectory {
            throw refusal(
                entry,
                wasDirectory
                    ? "cannot overwrite a directory with a non-directory"
                    : "cannot overwrite a non-directory with a directory")
        }
    }

    // MARK: Whiteouts

    private func applyWhiteout(_ path: EntryPath, _ entry: TarEntry) throws(ArchiveError) {
        let name = Array(path.name.dropFirst(Self.whiteoutPrefix.count))
        guard !name.isEmpty, name != [46], name != [46, 46] else { throw refusal(entry, "a whiteout of no file") }
        let hidden = path.parent.appending(name)
        guard let parent = try directories.existing(path.parent) else { return }
        if !unpacked.contains(hidden) { return try remove(name, in: parent) }
        // What this layer brings stays; of a directory, what the layers below have in it does not.
        if isDirectory(cString(name), in: parent) { try makeOpaque(hidden) }
    }

    /// Removes what layers below put into a directory. Listed level by level: depth costs no stack and no descriptors.
    private func makeOpaque(_ directory: EntryPath) throws(ArchiveError) {
        var pending = [directory]
        while let path = pending.popLast() {
            guard let parent = try directories.existing(path) else { continue }
            for child in try kernel({ () throws(KernelError) in try TreeRemoval.entries(of: parent.descriptor) }) {
                let name = child.name.dropLast().map { UInt8(bitPattern: $0) }
                let childPath = path.appending(name)
                if unpacked.contains(childPath) {
                    if isDirectory(child.name, in: parent) { pending.append(childPath) }
                } else {
                    try kernel { () throws(KernelError) in try TreeRemoval.remove(child.name, in: parent.descriptor) }
                }
            }
            directories.forget()
        }
    }

    // MARK: Entries

    private func write(_ entry: TarEntry, at path: EntryPath, from reader: TarReader) throws(ArchiveError) {
        try checkOwner(entry)
        let parent = try directories.existingOrMade(path.parent, reader.countUnnamed)
        let place = EntryPlace(parent: parent, name: cString(path.name), display: path.display)
        if case .directory = entry.kind {
            try makeDirectory(place)
            return try finishDirectory(entry, path)
        }
        if case .hardLink(let target) = entry.kind { return try link(path, at: place, to: EntryPath(target)) }
        if case .file = entry.kind { return try writeFile(entry, at: place, from: reader) }
        // Docker counts the words of links, too.
        if case .symbolicLink(let target) = entry.kind { contentBytes += Int64(target.count) }
        try replacing(place) { () throws(KernelError) in try EntryCreation.create(entry, at: place) }
        try kernel { () throws(KernelError) in try EntryMetadata.apply(entry, toNodeAt: place) }
    }

    /// A directory stays with what is in it, also one of a layer below; anything else gives way.
    private func makeDirectory(_ place: EntryPlace) throws(ArchiveError) {
        if isDirectory(place.name, in: place.parent) { return }
        try replacing(place) { () throws(KernelError) in
            _ = try kernelCall("mkdir", place.display) { mkdirat(place.parent.number, place.name, 0o700) }
        }
    }

    private func checkOwner(_ entry: TarEntry) throws(ArchiveError) {
        guard EntryMetadata.canBeOwned(entry) else {
            throw refusal(entry, "nobody is \(entry.userID):\(entry.groupID)")
        }
    }

    private func finishDirectory(_ entry: TarEntry, _ path: EntryPath) throws(ArchiveError) {
        try checkOwner(entry)
        let parent = try directories.existing(path.parent) ?? directories.root
        try kernel { () throws(KernelError) in
            let directory = OwnedDescriptor(try EntryCreation.openDirectory(path, in: parent))
            try EntryMetadata.apply(entry, to: directory.descriptor, path.display)
        }
        unpacked.setTime(entry.modified, of: path)
    }

    private func writeFile(
        _ entry: TarEntry, at place: EntryPlace, from reader: TarReader
    ) throws(ArchiveError) {
        let number = try replacing(place) { () throws(KernelError) in try EntryCreation.createFile(place) }
        let file = OwnedDescriptor(number)
        var end: Int64 = 0
        try reader.forEachPiece(
            { (piece, offset) throws(ArchiveError) in
                try kernel { () throws(KernelError) in
                    try EntryCreation.write(piece, at: offset, to: number, place.display)
                }
                end = max(end, offset + Int64(piece.count))
                contentBytes += Int64(piece.count)
            }, failure: { $0 })
        try kernel { () throws(KernelError) in
            // The hole at the end of a sparse file.
            if entry.sizeBytes > end {
                try kernelCall("truncate", place.display) {
                    ftruncate(file.descriptor.rawValue, off_t(entry.sizeBytes))
                }
            }
            try EntryMetadata.apply(entry, to: file.descriptor, place.display)
            try EntryMetadata.setTime(entry.modified, of: file.descriptor, place.display)
        }
    }

    /// Both names are looked up from the root; the target's last component is not followed.
    private func link(_ path: EntryPath, at place: EntryPlace, to target: EntryPath) throws(ArchiveError) {
        if path == target { return }
        guard !target.isRoot, let found = try directories.existing(target.parent) else {
            throw .kernel(KernelError("link \(path.display) to", target.display, .noSuchFile))
        }
        let targetName = cString(target.name)
        try replacing(place) { () throws(KernelError) in
            _ = try kernelCall("link \(place.display) to", target.display) {
                linkat(found.number, targetName, place.parent.number, place.name, 0)
            }
        }
    }

    /// Runs `make`; where something has the name already, removes that and runs it again.
    private func replacing<Result>(
        _ place: EntryPlace, _ make: () throws(KernelError) -> Result
    ) throws(ArchiveError) -> Result {
        do throws(KernelError) { return try make() } catch {
            guard error.errno == .exists else { throw .kernel(error) }
        }
        try remove(place.name.dropLast().map { UInt8(bitPattern: $0) }, in: place.parent)
        return try kernel(make)
    }

    private func remove(_ name: [UInt8], in parent: OwnedDirectory) throws(ArchiveError) {
        try kernel { () throws(KernelError) in try TreeRemoval.remove(cString(name), in: parent.descriptor) }
        directories.forget()
    }

    private func isDirectory(_ name: [CChar], in parent: OwnedDirectory) -> Bool {
        var facts = stat()
        return fstatat(parent.number, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// Last of all, because making an entry changes the time of its directory.
    private func setDirectoryTimes() throws(ArchiveError) {
        try unpacked.forEachTime { (path, time) throws(ArchiveError) in
            try kernel { () throws(KernelError) in
                do throws(KernelError) {
                    let directory = OwnedDescriptor(try directories.open(path, O_RDONLY | O_DIRECTORY))
                    try EntryMetadata.setTime(time, of: directory.descriptor, path.display)
                } catch  where error.errno == .noSuchFile || error.errno == .notDirectory {
                    // A later entry of the layer replaced it.
                }
            }
        }
    }

    private func refusal(_ entry: TarEntry, _ reason: String) -> ArchiveError {
        .refused(path: entry.displayPath, reason: reason)
    }

    private func kernel<Result>(_ body: () throws(KernelError) -> Result) throws(ArchiveError) -> Result {
        do throws(KernelError) { return try body() } catch { throw .kernel(error) }
    }
}

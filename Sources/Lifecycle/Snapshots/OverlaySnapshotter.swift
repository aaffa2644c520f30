import Archive
import CLinux
import Glibc
import Linux
import OCI
import Synchronization

/// Layers as directories, stacked by overlayfs, or a program that does its work: nothing is copied, and of the kernel's
/// containers share the pages of what they read.
package final class OverlaySnapshotter: DirectorySnapshotter {
    let directory: SnapshotDirectory
    let assembly: OverlayAssembly
    private let whenUsed: (@Sendable () throws(KernelError) -> Void)?
    private let isUsed = Atomic(false)
    private static let overlayMagic: Int64 = 0x794c_7630

    /// - Parameters:
    ///   - path: the directory of snapshots, made where it is missing.
    ///   - whenUsed: called before anything can come into a layer or a root, until it has succeeded.
    package init(
        path: String, assembly: OverlayAssembly = .kernel,
        whenUsed: (@Sendable () throws(KernelError) -> Void)? = nil
    ) throws(SnapshotError) {
        self.assembly = assembly
        self.whenUsed = whenUsed
        directory = try kernel { () throws(KernelError) in try SnapshotDirectory(path: path) }
        // On a full disk it is made with the first root that can be.
        _ = try? directory.bottomName()
    }

    package func prepareRoot(
        _ containerID: String, layers: [Digest], hasBottom: Bool
    ) throws(SnapshotError) -> [SnapshotMount] {
        let path = try directory.rootPath(containerID)
        let present = try kernel { () throws(KernelError) in try directory.readRoot(path) }
        if present != nil { return try rootMounts(containerID, isDisposable: false) }
        try checkUpper()
        for layer in layers where try self.layer(layer) == nil { throw .missingLayer(layer) }
        // One whose record a crash of the machine cut off.
        try removeRoot(containerID)
        try use()
        try directory.create(path, synced: false) { (passing) throws(SnapshotError) in
            try makeTop("\(passing)/fs", over: layers.last)
            try kernel { () throws(KernelError) in
                if hasBottom { _ = try directory.bottomName() }
                try Directory.create("\(passing)/work", mode: 0o711)
                try directory.writeRoot(.init(layers: layers, hasBottom: hasBottom), in: passing)
            }
        }
        return try rootMounts(containerID, isDisposable: false)
    }

    package func rootMounts(
        _ containerID: String, isDisposable: Bool
    ) throws(SnapshotError) -> [SnapshotMount] {
        let path = try directory.rootPath(containerID)
        guard let record = try kernel({ () throws(KernelError) in try directory.readRecord(path) }) else {
            throw .kernel(KernelError("open the root file system of", containerID, .noSuchFile))
        }
        try use()
        let names = try lowerNames(record)
        if case .program(let program) = assembly {
            let stack = OverlayStack(lower: names, upper: PathName.split(path).name, isVolatile: isDisposable)
            var mount = SnapshotMount(
                type: "fuse.\(PathName.split(program).name)", source: directory.path, options: assembly.options(stack))
            mount.server = program
            return [mount]
        }
        // The kernel's mark of an earlier volatile mount; it refuses another while that is there.
        if isDisposable {
            try kernel { () throws(KernelError) in try Directory.removeTree("\(path)/work/work/incompat") }
        }
        let stack = OverlayStack(
            lower: names.map { OverlayPath.escaped("\(directory.path)/\($0)") }, upper: OverlayPath.escaped(path),
            isVolatile: isDisposable)
        return [SnapshotMount(type: "overlay", source: "overlay", options: assembly.options(stack))]
    }

    package func places(_ containerID: String, layers: [Digest]) -> RootPlaces? {
        // An id that is no name of a directory has no root.
        guard let path = try? directory.rootPath(containerID) else { return nil }
        return RootPlaces(lower: stacked(layers), upper: "\(path)/fs", work: "\(path)/work")
    }

    package func overlayFacts() throws(SnapshotError) -> OverlayFacts? {
        guard assembly == .kernel else { return nil }
        return OverlayFacts(
            backingFileSystem: OverlayFacts.name(magic: try fileSystemMagic()), usesUserAttributes: UserNamespace.isOwn)
    }

    package func places(ofLayers layers: [Digest]) -> [String]? { stacked(layers) }

    private func stacked(_ layers: [Digest]) -> [String] {
        layers.reversed().map { "\(directory.layerPath($0))/fs" }
    }

    package func openRoot(
        _ containerID: String, forWriting: Bool, inside: InnerMounts
    ) throws(SnapshotError) -> OpenedRoot {
        let path = try directory.rootPath(containerID)
        guard let record = try kernel({ () throws(KernelError) in try directory.readRecord(path) }) else {
            throw .kernel(KernelError("open the root file system of", containerID, .noSuchFile))
        }
        if forWriting { try use() }
        let name = PathName.split(path).name
        let lower = try lowerNames(record)
        // To be looked at, the upper directory is one more layer: a running container's own mount is not disturbed.
        let stack =
            forWriting ? OverlayStack(lower: lower, upper: name) : OverlayStack(lower: ["\(name)/fs"] + lower)
        do throws(KernelError) {
            try Directory.create("\(path)/merged", mode: 0o700)
            return try assembly.open(stack, at: "\(name)/merged", in: directory.path, inside: inside)
        } catch { throw overlayFailure(error) }
    }

    package func changes(
        _ containerID: String, leavingOut isLeftOut: (String) -> Bool
    ) throws(SnapshotError) -> [RootChange] {
        let path = try directory.rootPath(containerID)
        guard let layers = try kernel({ () throws(KernelError) in try directory.readRoot(path) }) else {
            throw .kernel(KernelError("open the root file system of", containerID, .noSuchFile))
        }
        return try kernel { () throws(KernelError) in
            try UpperChanges(upper: "\(path)/fs", below: try directory.files(of: layers), marks: assembly.marks)
                .list(leavingOut: isLeftOut)
        }
    }

    package func archiveChanges(
        _ containerID: String, leavingOut isLeftOut: @escaping (String) -> Bool, to writer: TarWriter<ArchiveError>
    ) throws(SnapshotError) -> Bool {
        let path = try directory.rootPath(containerID)
        guard let layers = try kernel({ () throws(KernelError) in try directory.readRoot(path) }) else {
            throw .kernel(KernelError("open the root file system of", containerID, .noSuchFile))
        }
        let top = OwnedDescriptor(
            try kernel { () throws(KernelError) in try Descriptor.open("\(path)/fs", O_RDONLY | O_DIRECTORY) })
        let hasOwnTop = try kernel { () throws(KernelError) in try differs(top.descriptor, from: layers.last) }
        let below = try kernel { () throws(KernelError) in try directory.files(of: layers) }
        let changes = UpperChanges(upper: "\(path)/fs", below: below, marks: assembly.marks)
        let archiver = TreeArchiver(
            top: top.descriptor, to: writer,
            as: UpperRules(
                includesTop: hasOwnTop, marks: assembly.marks, leavingOut: isLeftOut, below: changes.status(below:)))
        do throws(ArchiveError) { try archiver.append(".", as: "") } catch { throw .archive(error) }
        return archiver.memberCount > 0
    }

    /// Whether the top directory is not as the layer below has it.
    private func differs(_ top: Descriptor, from below: Digest?) throws(KernelError) -> Bool {
        guard let below else { return true }
        var facts = stat()
        let path = "\(directory.layerPath(below))/fs"
        try kernelCall("stat", path) { stat(path, &facts) }
        let own = try top.status()
        return (own.st_mode, own.st_uid, own.st_gid) != (facts.st_mode, facts.st_uid, facts.st_gid)
    }

    package func removeLayer(_ chainID: Digest) throws(SnapshotError) {
        try kernel { () throws(KernelError) in try directory.removeLink(chainID) }
        try directory.remove(directory.layerPath(chainID))
    }

    /// Topmost first, as overlayfs takes them, by short names.
    func lowerNames(_ layers: [Digest]) throws(SnapshotError) -> [String] {
        try kernel { () throws(KernelError) in
            guard !layers.isEmpty else {
                // Overlayfs wants something below, even for an image of no layers.
                try Directory.create("\(directory.path)/l/empty", mode: 0o755)
                return ["l/empty"]
            }
            var names: [String] = []
            for layer in layers.reversed() { names.append(try directory.link(layer)) }
            return names
        }
    }

    private func lowerNames(_ root: SnapshotDirectory.RootRecord) throws(SnapshotError) -> [String] {
        guard root.hasBottom else { return try lowerNames(root.layers) }
        let bottom = try kernel { () throws(KernelError) in try directory.bottomName() }
        return root.layers.isEmpty ? [bottom] : try lowerNames(root.layers) + [bottom]
    }

    func use() throws(SnapshotError) {
        guard let whenUsed, !isUsed.load(ordering: .acquiring) else { return }
        try kernel { () throws(KernelError) in try whenUsed() }
        isUsed.store(true, ordering: .releasing)
    }

    private func fileSystemMagic() throws(SnapshotError) -> Int64 {
        try kernel { () throws(KernelError) in
            let place = OwnedDescriptor(try Descriptor.open(directory.path, O_PATH | O_DIRECTORY))
            return gantry_filesystem_magic(place.descriptor.rawValue)
        }
    }

    func checkUpper() throws(SnapshotError) {
        if assembly != .kernel { return }
        guard try fileSystemMagic() != Self.overlayMagic else {
            throw .overlayUnavailable(
                "`\(directory.path)` is itself on overlayfs, which cannot be stacked so; choose another data root")
        }
    }

    func overlayFailure(_ error: KernelError) -> SnapshotError {
        guard assembly == .kernel else { return .kernel(error) }
        return switch error.errno {
        case .noDevice: .overlayUnavailable("this kernel has no overlayfs")
        case .notPermitted, .accessDenied: .overlayUnavailable("mounting is not permitted: \(error)")
        case .invalidArgument:
            .overlayUnavailable("the file system of `\(directory.path)` cannot hold its upper layer: \(error)")
        default: .kernel(error)
        }
    }
}

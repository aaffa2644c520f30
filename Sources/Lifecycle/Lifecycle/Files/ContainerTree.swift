import EngineAPI
import Glibc
import Linux
import Snapshots

/// A container's file system held open, with the paths in it resolved as its own processes would resolve them: no link,
/// raced or not, leads out. Blocking.
struct ContainerTree: Sendable {
    let root: HeldDescriptor
    /// As whoever asks has called it.
    var container: String
    /// Nil where ids are the host's.
    var ids: TreeIDs?

    private var tree: RootedTree { RootedTree(root: root.descriptor) }

    func calling(_ reference: String) -> ContainerTree {
        var tree = self
        tree.container = reference
        return tree
    }

    private static func clean(_ path: String) -> String { PathName.cleaned("/" + path) }

    /// What stands at the path. A link as the last component is itself meant, unless a slash follows it.
    func stat(_ path: String) throws(EngineError) -> PathStat {
        let follows = path.hasSuffix("/") || path.hasSuffix("/.")
        do throws(KernelError) {
            let found = OwnedDescriptor(try tree.open(Self.clean(path), O_PATH | (follows ? 0 : O_NOFOLLOW)))
            let facts = try found.descriptor.status()
            var target: String?
            if facts.st_mode & S_IFMT == S_IFLNK {
                let text = try linkText(found.descriptor)
                let parent = PathName.split(PathName.cleaned("/" + path)).parent
                target = PathName.cleaned(text.hasPrefix("/") ? text : PathName.joined(parent, text))
            }
            let clean = Self.clean(path)
            return PathStat(
                name: clean == "/" ? clean : PathName.split(clean).name, sizeBytes: Int64(facts.st_size),
                mode: facts.st_mode,
                modifiedAt: Timestamp(
                    seconds: Int64(facts.st_mtim.tv_sec), nanoseconds: Int64(facts.st_mtim.tv_nsec)),
                linkTarget: target)
        } catch { throw failure(error, path) }
    }

    /// As `stat`, but what a slash follows must be a directory.
    func named(_ path: String) throws(EngineError) -> PathStat {
        let found = try stat(path)
        guard found.isDirectory || !(path.hasSuffix("/") || path.hasSuffix("/.")) else {
            throw failure(KernelError("open", path, .notDirectory), path)
        }
        return found
    }

    /// What is in a directory, by name; a link tells where it leads as it is written. What goes meanwhile is left out.
    ///
    /// - Throws: `invalid` where it is no directory.
    func list(_ path: String) throws(EngineError) -> [PathStat] {
        guard try stat(path.hasSuffix("/") ? path : path + "/").isDirectory else {
            throw PathArchive.isNoDirectory(path)
        }
        do throws(KernelError) {
            let directory = OwnedDescriptor(try tree.open(Self.clean(path), O_RDONLY | O_DIRECTORY))
            let names = try Directory.list(in: directory.descriptor)
            return names.compactMap { member($0, of: directory.descriptor) }.sorted { $0.name < $1.name }
        } catch { throw failure(error, path) }
    }

    private func member(_ name: String, of directory: Descriptor) -> PathStat? {
        // Gone meanwhile, or with a name that is no text.
        guard let found = try? directory.open(name, O_PATH | O_NOFOLLOW) else { return nil }
        let file = OwnedDescriptor(found)
        guard let facts = try? file.descriptor.status() else { return nil }  // As above.
        let isLink = facts.st_mode & S_IFMT == S_IFLNK
        return PathStat(
            name: name, sizeBytes: Int64(facts.st_size), mode: facts.st_mode,
            modifiedAt: Timestamp(seconds: Int64(facts.st_mtim.tv_sec), nanoseconds: Int64(facts.st_mtim.tv_nsec)),
            linkTarget: isLink ? try? linkText(file.descriptor) : nil)  // As above.
    }

    /// A directory in which something has its name, opened, and that name; `.` where the path is a root.
    func parent(of path: String) throws(EngineError) -> (directory: HeldDescriptor, name: String) {
        let follows = path.hasSuffix("/") || path.hasSuffix("/.")
        do throws(KernelError) {
            let clean = Self.clean(path)
            if clean == "/" || follows {
                let found = try tree.open(clean, O_PATH)
                let held = HeldDescriptor(found, below: root)
                if try found.isDirectory() { return (held, ".") }
                withExtendedLifetime(held) {}
            }
            let (parent, name) = PathName.split(clean)
            return (HeldDescriptor(try tree.open(parent, O_PATH | O_DIRECTORY), below: root), name)
        } catch { throw failure(error, path) }
    }

    /// - Throws: `denied` where a directory stands on what is mounted read-only; `invalid` where it is no directory.
    func checkTarget(_ path: String) throws(EngineError) {
        let isDirectory: Bool
        do throws(KernelError) {
            let target = OwnedDescriptor(try tree.open(Self.clean(path), O_PATH))
            isDirectory = try target.descriptor.isDirectory()
        } catch { throw failure(error, path) }
        guard isDirectory else {
            throw EngineError(.invalid, "extraction point is not a directory", object: container)
        }
        let readOnly: String?
        do throws(KernelError) { readOnly = try readOnlyMount(path) } catch { throw failure(error, path) }
        if let readOnly { throw EngineError(.denied, "\(readOnly) is marked read-only", object: container) }
    }

    private func readOnlyMount(_ path: String) throws(KernelError) -> String? {
        let place = OwnedDescriptor(try tree.open(Self.clean(path), O_PATH | O_DIRECTORY))
        var facts = statvfs()
        try kernelCall("statvfs", path) { fstatvfs(place.descriptor.rawValue, &facts) }
        guard facts.f_flag & UInt(ST_RDONLY) != 0 else { return nil }
        let isRoot = try place.descriptor.status().st_dev == root.descriptor.status().st_dev
        return isRoot ? "container rootfs" : "mounted volume"
    }

    /// Whose on the host what is unpacked at the path is.
    func owners(at path: String) throws(EngineError) -> (@Sendable (Int64, Int64) -> (user: Int64, group: Int64))? {
        guard let ids else { return nil }
        do throws(KernelError) {
            let place = OwnedDescriptor(try tree.open(Self.clean(path), O_PATH | O_DIRECTORY))
            return ids.outside(device: try place.descriptor.status().st_dev)
        } catch { throw failure(error, path) }
    }

    /// In the root of a container that runs only ids of its own can own what is made.
    func beginOwnership() throws(EngineError) -> FileOwnership? {
        guard let ids, ids.plainDevice == nil else { return nil }
        do throws(KernelError) {
            return try FileOwnership(uid: ids.remap.rootUID, gid: ids.remap.rootGID)
        } catch { throw EngineError(error, object: container) }
    }

    func failure(_ error: KernelError, _ path: String) -> EngineError {
        switch error.errno {
        case .noSuchFile, .notDirectory:
            EngineError(.notFound, "Could not find the file \(path) in container \(container)", object: container)
        case .readOnlyFileSystem:
            EngineError(.denied, "mounted volume is marked read-only: \(error)", object: container)
        default: EngineError(error, object: container)
        }
    }

    private func linkText(_ link: Descriptor) throws(KernelError) -> String {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try kernelCall("readlink") { readlinkat(link.rawValue, "", &text, text.count) }
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A descriptor that closes with the last reference to it: who uses its number holds one until then.
final class HeldDescriptor: Sendable {
    let descriptor: Descriptor
    /// The root whose descriptor it is, or below which it is.
    private let owner: OpenedRoot?

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
        owner = nil
    }

    init(_ root: OpenedRoot) {
        descriptor = root.descriptor
        owner = root
    }

    /// A directory below a root, whose mounts last as long as the root is held.
    init(_ descriptor: Descriptor, below root: HeldDescriptor) {
        self.descriptor = descriptor
        owner = root.owner
    }

    deinit { if descriptor != owner?.descriptor { descriptor.close() } }
}

import EngineAPI
import Glibc
import Linux

/// A container's file system held open, with the paths in it resolved as its own processes would resolve them: no link,
/// raced or not, leads out. Blocking.
struct ContainerTree: Sendable {
    let root: HeldDescriptor
    let containerID: String
    /// Of a container that does not run: its binds are not mounted, and their paths are the host's.
    var binds: [MountSpec] = []
    var readOnlyRoot = false

    private var tree: RootedTree { RootedTree(root: root.descriptor) }

    /// Where a path is: a directory that is a root by itself, and the path below it.
    struct Place {
        let directory: HeldDescriptor
        /// From the directory; `.` for itself.
        let path: String
        let isReadOnly: Bool
    }

    /// A directory that is to be written into or a tree that is to be read.
    func place(_ path: String) throws(EngineError) -> Place {
        let clean = PathName.cleaned("/" + path)
        let bind = binds.filter { clean == $0.target || clean.hasPrefix($0.target + "/") }
            .max { $0.target.utf8.count < $1.target.utf8.count }
        guard let bind else {
            do throws(KernelError) {
                return Place(
                    directory: HeldDescriptor(try root.descriptor.open(".", O_PATH | O_DIRECTORY)),
                    path: Self.relative(clean), isReadOnly: readOnlyRoot)
            } catch { throw failure(error, path) }
        }
        var rest = String(clean.dropFirst(bind.target.utf8.count))
        var source = bind.source
        do throws(KernelError) {
            if rest.isEmpty, try !isDirectory(source) {
                rest = PathName.split(source).name
                source = PathName.split(source).parent
            }
            return Place(
                directory: HeldDescriptor(try Descriptor.open(source, O_PATH | O_DIRECTORY)),
                path: Self.relative(rest), isReadOnly: bind.readOnly)
        } catch { throw failure(error, path) }
    }

    private static func relative(_ path: String) -> String {
        let rest = path.drop { $0 == "/" }
        return rest.isEmpty ? "." : String(rest)
    }

    /// What stands at the path. A link as the last component is itself meant, unless a slash follows it.
    func stat(_ path: String) throws(EngineError) -> PathStat {
        let place = try place(path)
        defer { withExtendedLifetime(place) {} }
        let follows = path.hasSuffix("/") || path.hasSuffix("/.")
        do throws(KernelError) {
            let found = OwnedDescriptor(
                try RootedTree(root: place.directory.descriptor).open(place.path, O_PATH | (follows ? 0 : O_NOFOLLOW)))
            let facts = try found.descriptor.status()
            var target: String?
            if facts.st_mode & S_IFMT == S_IFLNK {
                let text = try linkText(found.descriptor)
                let parent = PathName.split(PathName.cleaned("/" + path)).parent
                target = PathName.cleaned(text.hasPrefix("/") ? text : PathName.joined(parent, text))
            }
            return PathStat(
                name: PathName.split(PathName.cleaned("/" + path)).name, sizeBytes: Int64(facts.st_size),
                mode: facts.st_mode,
                modifiedAt: Timestamp(
                    nanosecondsSinceEpoch: Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)),
                linkTarget: target)
        } catch { throw failure(error, path) }
    }

    /// A directory in which something has its name, opened, and that name; `.` where the path is a root.
    func parent(of path: String) throws(EngineError) -> (directory: HeldDescriptor, name: String) {
        let place = try place(path)
        defer { withExtendedLifetime(place) {} }
        let follows = path.hasSuffix("/") || path.hasSuffix("/.")
        do throws(KernelError) {
            let tree = RootedTree(root: place.directory.descriptor)
            if place.path == "." || follows {
                let found = try tree.open(place.path, O_PATH)
                let held = HeldDescriptor(found)
                if try found.isDirectory() { return (held, ".") }
                withExtendedLifetime(held) {}
            }
            let (parent, name) = PathName.split(place.path)
            return (HeldDescriptor(try tree.open(parent, O_PATH | O_DIRECTORY)), name)
        } catch { throw failure(error, path) }
    }

    func failure(_ error: KernelError, _ path: String) -> EngineError {
        switch error.errno {
        case .noSuchFile, .notDirectory:
            EngineError(.notFound, "Could not find the file \(path) in container \(containerID)", object: containerID)
        case .readOnlyFileSystem:
            EngineError(.denied, "mounted volume is marked read-only: \(error)", object: containerID)
        default: EngineError(error, object: containerID)
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

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    deinit { descriptor.close() }
}

private func isDirectory(_ path: String) throws(KernelError) -> Bool {
    let place = OwnedDescriptor(try Descriptor.open(path, O_PATH))
    return try place.descriptor.isDirectory()
}

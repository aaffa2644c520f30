import Archive
import CLinux
import Glibc
import Images
import Linux
import Snapshots

/// Reads files of a container's root before it is mounted: its layers, seen as overlayfs shows them.
///
/// Paths are followed name by name from the layers' roots and symbolic links by their text, so that nothing outside of
/// the layers can be reached. Whiteouts and opaque directories hide what is below them. Blocking.
struct LayeredRoot {
    /// Directories of the host, the uppermost first.
    let layers: [String]
    private let marks: OverlayMarks

    init(layers: [String], marks: OverlayMarks = .kernel) {
        self.layers = layers
        self.marks = marks
    }

    /// The layers that the mounts of a snapshot name.
    init(mounts: [SnapshotMount]) {
        marks = mounts.contains { $0.server != nil } ? .program : .kernel
        layers = mounts.last.map(Self.layers) ?? []
    }

    private static func layers(_ mount: SnapshotMount) -> [String] {
        guard mount.type == "overlay" || mount.server != nil else { return [mount.source] }
        var upper: [String] = []
        var lower: [String] = []
        for option in mount.options {
            if option.hasPrefix("upperdir=") {
                upper = [OverlayPath.unescaped(String(option.dropFirst(9)))]
            } else if option.hasPrefix("lowerdir=") {
                lower += OverlayPath.parts(option.dropFirst(9)).map(OverlayPath.unescaped)
            }
        }
        let all = upper + lower
        return mount.server == nil ? all : all.map { "\(mount.source)/\($0)" }
    }

    /// The contents of a regular file; empty where there is none.
    ///
    /// - Parameter limitBytes: EFBIG beyond.
    func contents(_ path: String, limitBytes: Int = 8 << 20) throws(KernelError) -> [UInt8] {
        guard case .file(let file) = try resolve(path) else { return [] }
        defer { file.close() }
        return try file.readAll(limitBytes: limitBytes)
    }

    enum Kind: Hashable {
        case directory, file
    }

    /// Nil where there is neither.
    func kind(of path: String) throws(KernelError) -> Kind? {
        switch try resolve(path) {
        case .directory: return .directory
        case .file(let file):
            file.close()
            return .file
        case .absent, .link: return nil
        }
    }

    private func resolve(_ path: String) throws(KernelError) -> Found {
        var rest = Array(path.split(separator: "/").map(String.init).reversed())
        var place: [String] = []
        var linksLeft = 40
        while let name = rest.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = place.popLast()
                continue
            }
            switch try find(place + [name]) {
            case .absent: return .absent
            case .directory: place.append(name)
            case .link(let target):
                linksLeft -= 1
                guard linksLeft > 0 else { throw KernelError("open", path, .symbolicLinkLoop) }
                if target.hasPrefix("/") { place = [] }
                rest += target.split(separator: "/").map(String.init).reversed()
            case .file(let file):
                if rest.isEmpty { return .file(file) }
                file.close()
                return .absent
            }
        }
        return .directory
    }

    private enum Found {
        case absent, directory
        case link(String)
        case file(Descriptor)
    }

    /// What stands at a path whose parents are directories: the uppermost layer that has something there decides.
    private func find(_ components: [String]) throws(KernelError) -> Found {
        for layer in layers {
            let root: Descriptor
            do { root = try Descriptor.open(layer, O_PATH | O_DIRECTORY) } catch  where error.errno == .noSuchFile {
                continue
            }
            defer { root.close() }
            switch try look(root, components) {
            case .found(let found): return found
            case .hidden: return .absent
            case .nothing: continue
            }
        }
        return .absent
    }

    private enum Sight {
        case found(Found)
        /// Not here, and not to be looked for below.
        case hidden
        case nothing
    }

    private func look(_ root: Descriptor, _ components: [String]) throws(KernelError) -> Sight {
        var isOpaque = false
        for depth in 1...components.count {
            let path = components[..<depth].joined(separator: "/")
            let place: Descriptor
            do {
                place = try Self.openBelow(root, path, O_PATH | O_NOFOLLOW)
            } catch  where error.errno == .noSuchFile || error.errno == .notDirectory {
                return isOpaque || isMarkedHidden(root, components[..<depth]) ? .hidden : .nothing
            }
            defer { place.close() }
            let facts = try place.status()
            let kind = facts.st_mode & S_IFMT
            if kind == S_IFCHR, facts.st_rdev == 0 { return .hidden }
            if depth < components.count {
                // In an upper layer something else may hide a directory of a lower one.
                guard kind == S_IFDIR else { return .hidden }
                isOpaque = isOpaque || Self.isOpaque(place)
                if marks == .program { isOpaque = isOpaque || Self.isThere(root, path + "/.wh..wh..opq") }
                continue
            }
            switch kind {
            case S_IFDIR: return .found(.directory)
            case S_IFLNK: return .found(.link(try Self.linkText(place, path)))
            case S_IFREG: return .found(.file(try Self.openBelow(root, path, O_RDONLY | O_NOFOLLOW)))
            default: return .hidden
            }
        }
        return .nothing
    }

    private func isMarkedHidden(_ root: Descriptor, _ components: ArraySlice<String>) -> Bool {
        guard let name = marks.whiteoutName(of: (components.last ?? "").utf8) else { return false }
        let path = components.dropLast() + [String(decoding: name, as: UTF8.self)]
        return Self.isThere(root, path.joined(separator: "/"))
    }

    private static func isThere(_ root: Descriptor, _ path: String) -> Bool {
        // What cannot be opened hides nothing.
        guard let place = try? openBelow(root, path, O_PATH | O_NOFOLLOW) else { return false }
        place.close()
        return true
    }

    /// RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS.
    private static func openBelow(_ root: Descriptor, _ path: String, _ flags: Int32) throws(KernelError) -> Descriptor
    {
        let number = try kernelCall("open", path) {
            gantry_openat2(root.rawValue, path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), 0, 8 | 4 | 2)
        }
        return Descriptor(rawValue: number)
    }

    private static func isOpaque(_ directory: Descriptor) -> Bool {
        OverlayMarks.attributePrefixes.contains { prefix in
            var value: UInt8 = 0
            return getxattr(directory.procPath, prefix + "opaque", &value, 1) == 1 && value == UInt8(ascii: "y")
        }
    }

    private static func linkText(_ link: Descriptor, _ path: String) throws(KernelError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let room = buffer.count
        let count = try kernelCall("readlink", path) {
            buffer.withUnsafeMutableBytes { raw -> Int in
                guard let base = raw.baseAddress else { return 0 }
                return readlinkat(link.rawValue, "", base.assumingMemoryBound(to: CChar.self), room)
            }
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}

import CLinux
import Glibc

/// A directory taken as the root of all paths below it, whatever symbolic links there say: openat2(2) with
/// RESOLVE_IN_ROOT. Nothing that is opened here lies outside, also while another process changes the tree.
package struct RootedTree: Sendable {
    package let root: Descriptor

    /// - Parameter root: a directory, opened O_PATH or for reading; the caller closes it.
    package init(root: Descriptor) { self.root = root }

    /// Opens a path as a process with this root would, but follows no magic link of /proc.
    package func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(KernelError) -> Descriptor {
        // The kernel answers EAGAIN where a rename crossed its way.
        for _ in 0..<128 {
            do throws(KernelError) {
                return try open(path, flags, mode, Self.insideRoot)
            } catch  where error.errno == .wouldBlock {
                continue
            }
        }
        throw KernelError("open", path, .wouldBlock)
    }

    /// The same with O_PATH, by what the kernel has in memory alone: never waits for a file system, which may be one
    /// that does not answer. EAGAIN where that would be needed, EINVAL before Linux 5.12.
    package func knownPlace(_ path: String) throws(KernelError) -> Descriptor {
        try open(path, O_PATH, 0, Self.insideRoot | Self.cached)
    }

    /// RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT.
    private static let insideRoot: UInt64 = 2 | 16
    /// RESOLVE_CACHED.
    private static let cached: UInt64 = 32

    private func open(
        _ path: String, _ flags: Int32, _ mode: mode_t, _ resolve: UInt64
    ) throws(KernelError) -> Descriptor {
        let rest = Substring(path.utf8.drop { $0 == 47 })
        let relative = rest.isEmpty ? "." : String(rest)
        let number = try kernelCall("open", path) {
            gantry_openat2(
                root.rawValue, relative, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), UInt64(mode), resolve)
        }
        return Descriptor(rawValue: number)
    }

    /// Opens a path with O_PATH: a place to be mounted on or looked at.
    package func place(_ path: String) throws(KernelError) -> Descriptor { try open(path, O_PATH) }

    /// Makes each missing directory of the path, each below the one before it, and returns the last. A link that leads to
    /// nothing gets the directory that it names, inside.
    package func createDirectories(_ path: String, mode: mode_t = 0o755) throws(KernelError) -> Descriptor {
        try createDirectories(path, mode: mode, linksLeft: 16)
    }

    private func createDirectories(
        _ path: String, mode: mode_t, linksLeft: Int
    ) throws(KernelError) -> Descriptor {
        if let found = try existing(path) { return found }
        var made = ""
        var current = try place(".")
        for component in path.split(separator: "/") where component != "." {
            let name = String(component)
            made += "/" + name
            do throws(KernelError) {
                let next = try step(from: current, name, path: made, mode: mode, linksLeft: linksLeft)
                current.close()
                current = next
            } catch {
                current.close()
                throw error
            }
        }
        return current
    }

    /// Makes an empty file with its directories where nothing is, and returns the place.
    package func createFile(_ path: String, mode: mode_t = 0o644) throws(KernelError) -> Descriptor {
        try createFile(path, mode: mode, linksLeft: 16)
    }

    private func createFile(_ path: String, mode: mode_t, linksLeft: Int) throws(KernelError) -> Descriptor {
        if let found = try existing(path) { return found }
        let (parent, name) = PathName.split(path)
        let directory = OwnedDescriptor(try createDirectories(parent, mode: 0o755, linksLeft: linksLeft))
        do throws(KernelError) {
            // O_EXCL follows no link.
            try directory.descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode).close()
        } catch  where error.errno == .exists {
            // Made meanwhile, or a link that leads to nothing.
            if let found = try existing(path) { return found }
            let target = try linkTarget(directory.descriptor, name, below: parent, linksLeft)
            try createFile(target, mode: mode, linksLeft: linksLeft - 1).close()
        }
        return try place(path)
    }

    private func existing(_ path: String) throws(KernelError) -> Descriptor? {
        do throws(KernelError) { return try place(path) } catch  where error.errno == .noSuchFile { return nil }
    }

    /// `path` is resolved from the root again, so that `..` and links mean what they would inside; the directory that
    /// is missing is made below the descriptor of the one that was resolved last.
    private func step(
        from current: Descriptor, _ name: String, path: String, mode: mode_t, linksLeft: Int
    ) throws(KernelError) -> Descriptor {
        if let found = try existing(path) { return found }
        if name != ".." {
            do throws(KernelError) {
                try kernelCall("mkdir", path) { mkdirat(current.rawValue, name, mode) }
            } catch  where error.errno == .exists {
                // Made meanwhile, or a link that leads to nothing.
                if let found = try existing(path) { return found }
                let target = try linkTarget(current, name, below: PathName.split(path).parent, linksLeft)
                try createDirectories(target, mode: mode, linksLeft: linksLeft - 1).close()
            }
        }
        return try place(path)
    }

    /// Where a link leads, as a path from this root.
    private func linkTarget(
        _ directory: Descriptor, _ name: String, below parent: String, _ linksLeft: Int
    ) throws(KernelError) -> String {
        guard linksLeft > 0 else { throw KernelError("open", PathName.joined(parent, name), .symbolicLinkLoop) }
        var text = [CChar](repeating: 0, count: 4097)
        try kernelCall("readlink", name) { readlinkat(directory.rawValue, name, &text, 4096) }
        let target = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.hasPrefix("/") ? target : PathName.joined(parent, target)
    }
}

extension Descriptor {
    /// The path under which the kernel takes this descriptor where only a path will do.
    package var procPath: String { "/proc/self/fd/\(rawValue)" }

    /// fstat(2).
    package func status() throws(KernelError) -> stat {
        var facts = stat()
        try kernelCall("stat") { fstat(rawValue, &facts) }
        return facts
    }

    package func isDirectory() throws(KernelError) -> Bool { try status().st_mode & S_IFMT == S_IFDIR }
}

/// open(2): only the place, neither for reading nor for writing. Glibc's module does not show it.
package let O_PATH: Int32 = 0o10000000

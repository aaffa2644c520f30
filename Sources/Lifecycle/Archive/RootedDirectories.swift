import CLinux
import Glibc
import Linux

/// Opens directories by their paths below a root, as a process with that root would: links are followed, and none leads
/// out (openat2(2), RESOLVE_IN_ROOT). Remembers the last one, since a tar archive goes directory by directory.
final class RootedDirectories {
    let root: OwnedDirectory
    private var last: (path: EntryPath, directory: OwnedDirectory)?

    /// - Parameter root: stays the caller's.
    init(root: Descriptor) throws(ArchiveError) {
        do throws(KernelError) {
            self.root = OwnedDirectory(try root.open(".", O_PATH | O_DIRECTORY))
        } catch { throw .kernel(error) }
    }

    /// The directory of that path; nil where it, or one on the way, is missing.
    func existing(_ path: EntryPath) throws(ArchiveError) -> OwnedDirectory? {
        if path.isRoot { return root }
        if let last, last.path == path { return last.directory }
        do throws(KernelError) {
            let opened = OwnedDirectory(try open(path, O_PATH | O_DIRECTORY))
            last = (path, opened)
            return opened
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw .kernel(error)
        }
    }

    /// The same, with missing directories made, as root's and with mode 0755. Depth costs no stack.
    ///
    /// - Parameter willMake: called before each that is made; what it throws ends it.
    func existingOrMade(
        _ path: EntryPath, _ willMake: () throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> OwnedDirectory {
        var directory = root
        var depth = path.components.count
        while depth > 0 {
            if let found = try existing(path.prefix(depth)) {
                directory = found
                break
            }
            depth -= 1
        }
        while depth < path.components.count {
            depth += 1
            try willMake()
            directory = try make(path.prefix(depth), in: directory)
        }
        last = (path, directory)
        return directory
    }

    private func make(_ path: EntryPath, in above: OwnedDirectory) throws(ArchiveError) -> OwnedDirectory {
        let name = cString(path.name)
        do throws(KernelError) {
            try kernelCall("mkdir", path.display) { mkdirat(above.number, name, 0o755) }
            // By descriptor: a process of the container may put a link in its place meanwhile.
            let made = OwnedDirectory(
                Descriptor(
                    rawValue: try kernelCall("open", path.display) {
                        openat(above.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    }))
            try kernelCall("chmod", path.display) { fchmod(made.number, 0o755) }
            return made
        } catch {
            // A link that leads nowhere is no directory and no place for one.
            guard error.errno != .exists else {
                throw .refused(path: path.display, reason: "it is needed as a directory but is a link to nothing")
            }
            throw .kernel(error)
        }
    }

    /// To be called when an existing entry is removed or replaced: what is remembered may be another directory then.
    func forget() { last = nil }

    func open(_ path: EntryPath, _ flags: Int32) throws(KernelError) -> Descriptor {
        let name = cString(path.joined)
        let flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        for _ in 0..<128 {
            do throws(KernelError) {
                // RESOLVE_NO_MAGICLINKS 2, RESOLVE_IN_ROOT 16.
                let number = try kernelCall("open", path.display) {
                    gantry_openat2(root.number, name, flags, 0, 18)
                }
                return Descriptor(rawValue: number)
            } catch  where error.errno == .wouldBlock {
                continue
            }
        }
        throw KernelError("open", path.display, .wouldBlock)
    }
}

/// A descriptor that closes with the last reference to it.
final class OwnedDirectory {
    let descriptor: Descriptor
    var number: Int32 { descriptor.rawValue }

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    deinit { descriptor.close() }
}

func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

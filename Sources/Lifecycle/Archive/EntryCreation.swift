import CLinux
import Glibc
import Linux

/// Where an entry is made: a name in an open directory, so that no path is looked up again.
struct EntryPlace {
    let parent: OwnedDirectory
    /// A C string.
    let name: [CChar]
    /// The whole path, for messages.
    let display: String
}

/// The calls that make an entry. Each fails with EEXIST where the name is taken, and follows no link.
enum EntryCreation {
    static func create(_ entry: TarEntry, at place: EntryPlace) throws(KernelError) {
        let (parent, name) = (place.parent.number, place.name)
        switch entry.kind {
        case .symbolicLink(let target):
            let text = cString(target)
            try kernelCall("symlink", place.display) { symlinkat(text, parent, name) }
        case .fifo:
            try kernelCall("mkfifo", place.display) { mkfifoat(parent, name, 0o600) }
        case .characterDevice(let major, let minor):
            // Character device 0, 0 is how overlayfs writes a whiteout: a layer must not bring its own.
            guard major != 0 || minor != 0 else { throw KernelError("mknod c 0 0", place.display, .notPermitted) }
            try kernelCall("mknod", place.display) { gantry_mknod_at(parent, name, S_IFCHR | 0o600, major, minor) }
        case .blockDevice(let major, let minor):
            try kernelCall("mknod", place.display) { gantry_mknod_at(parent, name, S_IFBLK | 0o600, major, minor) }
        case .file, .directory, .hardLink, .other:
            throw KernelError("unpack an entry of unknown type", place.display, .notSupported)
        }
    }

    /// Makes a file and opens it for writing.
    static func createFile(_ place: EntryPlace) throws(KernelError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(
            rawValue: try kernelCall("create", place.display) {
                gantry_openat(place.parent.number, place.name, flags, 0o600)
            })
    }

    static func openDirectory(_ path: EntryPath, in parent: OwnedDirectory) throws(KernelError) -> Descriptor {
        let name = cString(path.name)
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(
            rawValue: try kernelCall("open", path.display) { gantry_openat(parent.number, name, flags, 0) })
    }

    static func write(
        _ piece: UnsafeRawBufferPointer, at offset: Int64, to file: Descriptor, _ display: String
    ) throws(KernelError) {
        var rest = piece
        var position = offset
        while !rest.isEmpty {
            let count = try kernelCall("write", display) {
                pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(position))
            }
            position += Int64(count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}

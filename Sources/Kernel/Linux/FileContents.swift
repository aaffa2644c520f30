import CLinux
import Glibc

/// Whole small files: read at once, or replaced so that a reader sees the old or the new one and never a part.
package enum FileContents {
    package static func read(_ path: String, limitBytes: Int = 64 << 20) throws(KernelError) -> [UInt8] {
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
        return try file.descriptor.readAll(limitBytes: limitBytes)
    }

    /// Reads `name` in a directory.
    package static func read(
        _ name: String, in directory: Descriptor, limitBytes: Int = 64 << 20
    ) throws(KernelError) -> [UInt8] {
        let file = OwnedDescriptor(try directory.open(name, O_RDONLY))
        return try file.descriptor.readAll(limitBytes: limitBytes)
    }

    /// Reads `name` in a directory that somebody else may have filled: no link is followed, and neither a FIFO nor a
    /// device is waited for or read.
    ///
    /// - Throws: ELOOP for a link, EINVAL for what is no regular file.
    package static func readRegular(
        _ name: String, in directory: Descriptor, limitBytes: Int = 64 << 20
    ) throws(KernelError) -> [UInt8] {
        let file = OwnedDescriptor(try directory.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY))
        guard try file.descriptor.status().st_mode & S_IFMT == S_IFREG else {
            throw KernelError("read a regular file from", name, .invalidArgument)
        }
        return try file.descriptor.readAll(limitBytes: limitBytes)
    }

    /// Makes the file `name`, which must not be there, with `bytes` in it. A reader may see a part.
    package static func create(
        _ name: String, in directory: Descriptor, with bytes: [UInt8], mode: mode_t = 0o600
    ) throws(KernelError) {
        let file = OwnedDescriptor(try directory.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode))
        try file.descriptor.writeAll(bytes)
    }

    /// Puts `bytes` in place of the file `name`: a temporary file beside it, fsync(2), rename(2).
    ///
    /// - Parameter durable: whether the file and its directory are synced, so that it also survives a crash of the
    ///   machine. Needless below a run root, which does not outlive the boot.
    package static func replace(
        _ name: String, in directory: Descriptor, with bytes: [UInt8], mode: mode_t = 0o600, durable: Bool = true
    ) throws(KernelError) {
        // A name that no other thread has: it would cut the file off before it is renamed.
        let temporary = ".\(name).\(getpid()).\(pthread_self()).tmp"
        let file = OwnedDescriptor(try makeTemporary(temporary, in: directory, mode))
        do {
            try kernelCall("chmod", temporary) { fchmod(file.descriptor.rawValue, mode) }
            try file.descriptor.writeAll(bytes)
            if durable { try kernelCall("fsync", temporary) { fsync(file.descriptor.rawValue) } }
            try kernelCall("rename", name) { renameat(directory.rawValue, temporary, directory.rawValue, name) }
        } catch {
            _ = unlinkat(directory.rawValue, temporary, 0)
            throw error
        }
        if durable { try kernelCall("fsync", ".") { fsync(directory.rawValue) } }
    }

    /// A file that is there already is somebody's whose process had the same numbers: never written through.
    private static func makeTemporary(
        _ name: String, in directory: Descriptor, _ mode: mode_t
    ) throws(KernelError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        do throws(KernelError) {
            return try directory.open(name, flags, mode: mode)
        } catch  where error.errno == .exists {
            _ = unlinkat(directory.rawValue, name, 0)
            return try directory.open(name, flags, mode: mode)
        }
    }

    package static func replace(
        _ path: String, with bytes: [UInt8], mode: mode_t = 0o600, durable: Bool = true
    ) throws(KernelError) {
        let (parent, name) = PathName.split(path)
        // fsync needs a descriptor that is open for reading.
        let directory = OwnedDescriptor(try Descriptor.open(parent, (durable ? O_RDONLY : O_PATH) | O_DIRECTORY))
        try replace(name, in: directory.descriptor, with: bytes, mode: mode, durable: durable)
    }

    /// The same for a file that a link may stand for, because somebody keeps it elsewhere: the link stays.
    package static func replaceLinked(
        _ path: String, with bytes: [UInt8], mode: mode_t = 0o600
    ) throws(KernelError) {
        let place = realpath(path, nil)
        defer { free(place) }
        try replace(place.map { String(cString: $0) } ?? path, with: bytes, mode: mode)
    }

    /// Writes to a file that exists and is the kernel's, as in /proc, /sys and cgroup directories: one write(2).
    package static func write(_ text: String, to path: String) throws(KernelError) {
        let file = OwnedDescriptor(try Descriptor.open(path, O_WRONLY))
        try write(text, to: file.descriptor, named: path)
    }

    /// The same for a file in a directory.
    package static func write(_ text: String, to name: String, in directory: Descriptor) throws(KernelError) {
        let file = OwnedDescriptor(try directory.open(name, O_WRONLY))
        try write(text, to: file.descriptor, named: name)
    }

    private static func write(_ text: String, to file: Descriptor, named name: String) throws(KernelError) {
        var text = text
        try kernelCall("write \"\(text)\" to", name) {
            text.withUTF8 { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
        }
    }
}

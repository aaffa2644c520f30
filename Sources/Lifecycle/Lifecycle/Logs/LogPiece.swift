import Archive
import Glibc
import Linux
import ShimAPI

/// One file of a log, open: as it was written, or packed with gzip since.
struct LogPiece {
    /// Of the file as it was written.
    let identity: PackedLogMark
    private var descriptor: Descriptor
    private var isPacked: Bool

    /// Nil where there is neither. The plain file comes first: where both are there, it is whole for sure.
    static func open(_ path: String, mayBePacked: Bool) throws(KernelError) -> LogPiece? {
        if let file = try file(path) { return try LogPiece(file, isPacked: false) }
        guard mayBePacked, let file = try file(path + ".gz") else { return nil }
        return try LogPiece(file, isPacked: true)
    }

    private static func file(_ path: String) throws(KernelError) -> Descriptor? {
        do throws(KernelError) { return try Descriptor.open(path, O_RDONLY | O_NOFOLLOW) } catch {
            if error.errno == .noSuchFile { return nil }
            throw error
        }
    }

    private init(_ file: Descriptor, isPacked: Bool) throws(KernelError) {
        descriptor = file
        self.isPacked = isPacked
        do throws(KernelError) {
            let own = try PackedLogMark(file)
            identity = isPacked ? PackedLogMark(header: try file.head()) ?? own : own
        } catch {
            file.close()
            throw error
        }
    }

    func close() { descriptor.close() }

    /// When the last of it was written; of a packed one, the same or later.
    func lastWritten() throws(KernelError) -> Timestamp {
        let facts = try descriptor.status()
        return Timestamp(seconds: Int64(facts.st_mtim.tv_sec), nanoseconds: Int64(facts.st_mtim.tv_nsec))
    }

    func isFile(at path: String) -> Bool {
        var facts = stat()
        guard !isPacked, lstat(path, &facts) == 0 else { return false }
        return identity == PackedLogMark(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    /// The file as it was written. A packed one is unpacked to a file without a name, beside the log, once.
    mutating func plain(besides path: String) throws(KernelError) -> Descriptor {
        guard isPacked else { return descriptor }
        // O_TMPFILE, which Swift cannot see: 0o20000000 and O_DIRECTORY.
        let flags = O_RDWR | 0o20_000_000 | O_DIRECTORY
        let plain = OwnedDescriptor(try Descriptor.open(PathName.split(path).parent, flags, mode: 0o600))
        do throws(ArchiveError) {
            // Our own file, of a size that the container's options bound.
            let input = try InflatingInput(DescriptorInput(descriptor), hash: nil, limits: UnpackLimits())
            while true {
                let piece = try input.next()
                if piece.isEmpty { break }
                do throws(KernelError) { try plain.descriptor.writeAll(piece) } catch { throw .kernel(error) }
            }
        } catch {
            if case .kernel(let error) = error { throw error }
            throw KernelError("unpack a file of the log (\(error))", path, .inputOutput)
        }
        lseek(plain.descriptor.rawValue, 0, SEEK_SET)
        descriptor.close()
        descriptor = plain.release()
        isPacked = false
        return descriptor
    }
}

extension PackedLogMark {
    fileprivate init(_ file: Descriptor) throws(KernelError) {
        let facts = try file.status()
        self.init(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }
}

extension Descriptor {
    fileprivate func head() throws(KernelError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: PackedLogMark.headerByteCount)
        let count = try kernelCall("read the log") {
            bytes.withUnsafeMutableBytes { pread(rawValue, $0.baseAddress, $0.count, 0) }
        }
        return Array(bytes[..<count])
    }
}

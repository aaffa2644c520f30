import Content
import Glibc
import Linux
import OCI
import Synchronization

/// A part of a blob, read piece by piece. Blocking.
final class BlobReader: Sendable {
    private let file: Descriptor
    private let left: Mutex<Int64>
    private static let pieceBytes: Int64 = 512 << 10

    init(_ content: ContentStore, _ digest: Digest, offset: Int64, lengthBytes: Int64) throws(ContentError) {
        let opened = OwnedDescriptor(try content.open(digest))
        do throws(KernelError) {
            if offset > 0 {
                let number = opened.descriptor.rawValue
                try kernelCall("seek in", digest.description) { lseek(number, off_t(offset), SEEK_SET) }
            }
        } catch { throw .kernel(error) }
        file = opened.release()
        left = Mutex(lengthBytes)
    }

    deinit { file.close() }

    /// The next bytes; nil at the part's end, or the blob's.
    func next() throws(KernelError) -> [UInt8]? {
        let wanted = left.withLock { min($0, Self.pieceBytes) }
        guard wanted > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(wanted))
        let count = try file.read(into: &bytes)
        left.withLock { $0 -= Int64(count) }
        if count == 0 { return nil }
        return count == bytes.count ? bytes : Array(bytes[..<count])
    }
}

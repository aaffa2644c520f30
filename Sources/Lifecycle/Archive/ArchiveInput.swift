import Glibc
import Linux

/// Bytes that come piece by piece. Used by one thread.
package protocol ArchiveInput: AnyObject {
    /// The next piece, valid until the next call; empty at the end.
    func next() throws(ArchiveError) -> UnsafeRawBufferPointer
}

/// The bytes of a file from where it stands.
package final class DescriptorInput: ArchiveInput {
    private let file: Descriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    private let onRead: (Int64) throws(ArchiveError) -> Void
    package private(set) var readBytes: Int64 = 0

    /// - Parameters:
    ///   - file: stays the caller's to close.
    ///   - onRead: called with all bytes read so far, after each piece; ends the reading by throwing.
    package init(_ file: Descriptor, onRead: @escaping (Int64) throws(ArchiveError) -> Void = { _ in }) {
        self.file = file
        self.onRead = onRead
    }

    deinit { buffer.deallocate() }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        let count: Int
        do throws(KernelError) { count = try file.read(into: buffer) } catch { throw .kernel(error) }
        readBytes += Int64(count)
        try onRead(readBytes)
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }
}

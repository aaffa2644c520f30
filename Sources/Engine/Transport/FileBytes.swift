import Glibc
import Linux
import NIOPosix

/// A file's bytes, read piece by piece on a thread made for calls that block.
package final class FileBytes: Sendable {
    private let descriptor: Descriptor
    private static let pieceLength = 256 << 10

    /// - Throws: `KernelError` where the file cannot be opened.
    package init(path: String) async throws {
        let opened = try await NIOThreadPool.singleton.runIfActive {
            Result<Descriptor, KernelError> { () throws(KernelError) in try Descriptor.open(path, O_RDONLY) }
        }
        descriptor = try opened.get()
    }

    deinit { descriptor.close() }

    /// The next bytes; nil at the end.
    package func next() async throws -> [UInt8]? {
        let descriptor = descriptor
        let piece = try await NIOThreadPool.singleton.runIfActive {
            Result<[UInt8], KernelError> { () throws(KernelError) in
                var failure: KernelError?
                let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceLength) { buffer, count in
                    do throws(KernelError) {
                        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
                return bytes
            }
        }
        let bytes = try piece.get()
        return bytes.isEmpty ? nil : bytes
    }

    /// Whether a path is a directory; false where it is nothing.
    package static func isDirectory(_ path: String) async throws -> Bool {
        try await NIOThreadPool.singleton.runIfActive {
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }
}

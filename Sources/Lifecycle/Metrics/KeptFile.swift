import Glibc
import Linux

/// A kernel file that is read again and again through one descriptor: pread(2) at 0 makes its text anew.
///
/// Where the process has few descriptors left, the file is opened for each reading instead, which takes 5 µs more: hundreds of
/// containers may be watched at once, and connections need descriptors too.
final class KeptFile {
    private let path: String
    private let kept: Descriptor?

    /// Nil where there is no such file, or it cannot be opened: the figure is one that this machine does not have.
    ///
    /// - Parameter limit: the number that a kept descriptor must be below.
    init?(_ path: String, keptBelow limit: Int32 = KeptFile.limit) {
        self.path = path
        do throws(KernelError) {
            let descriptor = try Descriptor.open(path, O_RDONLY)
            if descriptor.rawValue < limit {
                kept = descriptor
            } else {
                descriptor.close()
                kept = nil
            }
        } catch {
            guard error.errno.rawValue == EMFILE || error.errno.rawValue == ENFILE else { return nil }
            kept = nil
        }
    }

    deinit { kept?.close() }

    /// Half of what the process may have.
    private static let limit: Int32 = {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return 512 }
        return Int32(clamping: limits.rlim_cur / 2)
    }()

    /// Reads the whole text into `buffer`, which grows where it is too small, and hands it to `body`. False where
    /// what the file describes is gone.
    func read(into buffer: inout [UInt8], _ body: (StatText) -> Void) -> Bool {
        do throws(KernelError) {
            var count = try readBytes(into: &buffer)
            while count == buffer.count, count < 1 << 20 {
                buffer = [UInt8](repeating: 0, count: count * 2)
                count = try readBytes(into: &buffer)
            }
            buffer.withUnsafeBytes { body(StatText(UnsafeRawBufferPointer(rebasing: $0[..<count]))) }
            return true
        } catch {
            // Any other failure leaves its figure at zero.
            return ![.noDevice, .noSuchProcess, .noSuchFile].contains(error.errno)
        }
    }

    /// Reads no more than fits `buffer`.
    func readBeginning(into buffer: inout [UInt8], _ body: (StatText) -> Void) {
        // A host without the file has no figure to give, and nobody to tell.
        guard let count = try? readBytes(into: &buffer) else { return }
        buffer.withUnsafeBytes { body(StatText(UnsafeRawBufferPointer(rebasing: $0[..<count]))) }
    }

    private func readBytes(into buffer: inout [UInt8]) throws(KernelError) -> Int {
        if let kept { return try readBytes(of: kept, into: &buffer) }
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
        return try readBytes(of: file.descriptor, into: &buffer)
    }

    private func readBytes(of descriptor: Descriptor, into buffer: inout [UInt8]) throws(KernelError) -> Int {
        let capacity = buffer.count
        return try kernelCall("read", path) {
            buffer.withUnsafeMutableBytes { pread(descriptor.rawValue, $0.baseAddress, capacity, 0) }
        }
    }
}

import Glibc
import Linux

/// A kernel file that is read again and again through one descriptor: pread(2) at 0 makes its text anew.
final class KeptFile {
    private let descriptor: OwnedDescriptor

    /// Nil where there is no such file, or it cannot be opened: the figure is one that this machine does not have.
    init?(_ path: String) {
        // The reason does not matter to anybody: the figure stays at zero.
        guard let descriptor = try? Descriptor.open(path, O_RDONLY) else { return nil }
        self.descriptor = OwnedDescriptor(descriptor)
    }

    /// Reads the whole text into `buffer`, which grows where it is too small, and hands it to `body`. False where
    /// what the file describes is gone.
    func read(into buffer: inout [UInt8], _ body: (StatText) -> Void) -> Bool {
        while true {
            let capacity = buffer.count
            var count = 0
            do {
                count = try kernelCall("read") {
                    buffer.withUnsafeMutableBytes { pread(descriptor.descriptor.rawValue, $0.baseAddress, capacity, 0) }
                }
            } catch {
                return error.errno != .noDevice && error.errno != .noSuchProcess && error.errno != .noSuchFile
            }
            if count == capacity, capacity < 1 << 20 {
                buffer = [UInt8](repeating: 0, count: capacity * 2)
                continue
            }
            buffer.withUnsafeBytes { body(StatText(UnsafeRawBufferPointer(rebasing: $0[..<count]))) }
            return true
        }
    }

    /// Reads no more than fits `buffer`.
    func readBeginning(into buffer: inout [UInt8], _ body: (StatText) -> Void) -> Bool {
        let capacity = buffer.count
        // A host without the file has no figure to give, and nobody to tell.
        let count = try? kernelCall("read") {
            buffer.withUnsafeMutableBytes { pread(descriptor.descriptor.rawValue, $0.baseAddress, capacity, 0) }
        }
        guard let count else { return false }
        buffer.withUnsafeBytes { body(StatText(UnsafeRawBufferPointer(rebasing: $0[..<count]))) }
        return true
    }
}

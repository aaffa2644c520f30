import Glibc
import Linux

/// Looks for where the last lines of a log begin, backwards, a piece at a time. Blocking, each step for one read.
struct TailSearch {
    /// A log's place: the number of the file, the oldest first, and the offset in it.
    typealias Place = (file: Int, offset: off_t)

    private static let pieceBytes = 1 << 18

    private var missing: Int
    /// The file that is searched, and what of it is not yet: nil where its size is not known yet.
    private var file: Int
    private var left: off_t?
    /// Where the searched file's last line ends.
    private var end: off_t

    /// - Parameters:
    ///   - count: how many lines are wanted.
    ///   - lastSizeBytes: where the current file ended when it was opened: what is written since is behind the last lines.
    init(_ count: Int, fileCount: Int, lastSizeBytes: off_t) {
        missing = count
        file = fileCount - 1
        (left, end) = (lastSizeBytes, lastSizeBytes)
    }

    /// Goes one piece back. A last line without its line end counts as a line.
    ///
    /// - Returns: where the lines begin, once that is known.
    mutating func step(_ files: LogFiles) throws(KernelError) -> Place? {
        guard file >= 0 else { return (0, 0) }
        guard missing > 0 else { return (file, end) }
        let descriptor = try files.file(file)
        if left == nil {
            end = try descriptor.size()
            left = end
        }
        let position = left ?? 0
        if position == 0 { return previousFile() }
        let start = max(0, position - off_t(Self.pieceBytes))
        guard let bytes = try Self.read(descriptor, start..<position) else {
            // Somebody has emptied it meanwhile: what is written from now on is all there is.
            return (file, 0)
        }
        left = start
        for index in bytes.indices.reversed() where bytes[index] == 10 && start + off_t(index) + 1 != end {
            missing -= 1
            if missing == 0 { return (file, start + off_t(index) + 1) }
        }
        return nil
    }

    private mutating func previousFile() -> Place? {
        if end > 0 { missing -= 1 }
        if missing == 0 || file == 0 { return (file, 0) }
        file -= 1
        left = nil
        return nil
    }

    /// Nil where the file ends before.
    private static func read(_ file: Descriptor, _ range: Range<off_t>) throws(KernelError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(range.count))
        var filled = 0
        while filled < bytes.count {
            let start = filled
            let count = try kernelCall("read the log") {
                bytes.withUnsafeMutableBytes {
                    let place = range.lowerBound + off_t(start)
                    return pread(file.rawValue, $0.baseAddress.map { $0 + start }, $0.count - start, place)
                }
            }
            if count == 0 { return nil }
            filled += count
        }
        return bytes
    }
}

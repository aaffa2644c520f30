import EngineAPI
import Glibc
import Linux

/// A log and the files that rotation left of it, open: `path` is the current one, `path.1` the one before.
///
/// Open descriptors outlive rotation and removal, so what was there when the log was opened is read to its end.
/// Blocking: for a thread that may wait for the disk.
final class LogFiles {
    /// The oldest first; the last is the current one.
    private(set) var files: [Descriptor]

    deinit { for file in files { file.close() } }

    /// Opens what there is; none where the log does not exist.
    init(path: String) throws(KernelError) { files = try Self.openCurrent(path) }

    /// A rotation may rename files while they are opened: then it is done again.
    private static func openCurrent(_ path: String) throws(KernelError) -> [Descriptor] {
        for _ in 0..<16 {
            let found = try openAll(path)
            if isCurrent(found.last, path) { return found }
            for file in found { file.close() }
        }
        throw KernelError("open the log", path, .busy)
    }

    private static func openAll(_ path: String) throws(KernelError) -> [Descriptor] {
        var found: [Descriptor] = []
        var name = path
        while true {
            do {
                found.append(try Descriptor.open(name, O_RDONLY | O_NOFOLLOW))
            } catch {
                if error.errno == .noSuchFile { return found.reversed() }
                for file in found { file.close() }
                throw error
            }
            name = "\(path).\(found.count)"
        }
    }

    private static func isCurrent(_ file: Descriptor?, _ path: String) -> Bool {
        guard let file else { return access(path, F_OK) != 0 }
        return file.isFile(at: path)
    }

    /// Where the last `count` lines begin: the index of the file and the offset in it. Reads backwards.
    func startOfTail(_ count: Int) throws(KernelError) -> (file: Int, offset: off_t) {
        var missing = count
        for index in files.indices.reversed() {
            let end = try files[index].size()
            if missing == 0 { return (index + 1, 0) }
            if let offset = try Self.startOfLines(missing: &missing, in: files[index], end: end) {
                return (index, offset)
            }
        }
        return (0, 0)
    }

    /// The offset at which the last `missing` lines before `end` begin; nil where there are fewer, which are then
    /// taken off `missing`. A last line without its line end counts as a line.
    private static func startOfLines(
        missing: inout Int, in file: Descriptor, end: off_t
    ) throws(KernelError) -> off_t? {
        var chunk = [UInt8](repeating: 0, count: 65536)
        var position = end
        while position > 0 {
            let length = Int(min(position, off_t(chunk.count)))
            position -= off_t(length)
            try file.readFully(&chunk, length, at: position)
            for index in stride(from: length - 1, through: 0, by: -1) where chunk[index] == 10 {
                let start = position + off_t(index) + 1
                if start == end { continue }
                missing -= 1
                if missing == 0 { return start }
            }
        }
        if end > 0 {
            missing -= 1
            if missing == 0 { return 0 }
        }
        return nil
    }

    /// Drops the files before `index`, of which nothing is wanted.
    func dropFiles(before index: Int) {
        for file in files[..<index] { file.close() }
        files.removeFirst(index)
    }

    /// Goes on to the next file once the first is read to its end; false where it is the current one.
    func advance() -> Bool {
        guard files.count > 1 else { return false }
        files.removeFirst().close()
        return true
    }

    /// After a rotation: adds the files that came after ours. False where there are none: ours is still the current
    /// one, or the log is gone.
    func followRotation(path: String) throws(KernelError) -> Bool {
        guard let ours = files.last, !ours.isFile(at: path) else { return false }
        let now = try Self.openCurrent(path)
        let position = now.firstIndex { $0.isSameFile(as: ours) }
        let newer = position.map { now.index(after: $0) } ?? now.startIndex
        for file in now[..<newer] { file.close() }
        files += now[newer...]
        return newer < now.endIndex
    }
}

extension Descriptor {
    fileprivate func size() throws(KernelError) -> off_t {
        var facts = stat()
        try kernelCall("look at the log") { fstat(rawValue, &facts) }
        return facts.st_size
    }

    fileprivate func isFile(at path: String) -> Bool {
        var ours = stat()
        var theirs = stat()
        guard fstat(rawValue, &ours) == 0, lstat(path, &theirs) == 0 else { return false }
        return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev
    }

    fileprivate func isSameFile(as other: Descriptor) -> Bool {
        var ours = stat()
        var theirs = stat()
        guard fstat(rawValue, &ours) == 0, fstat(other.rawValue, &theirs) == 0 else { return false }
        return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev
    }

    fileprivate func readFully(_ chunk: inout [UInt8], _ length: Int, at offset: off_t) throws(KernelError) {
        var filled = 0
        while filled < length {
            let start = filled
            let count = try kernelCall("read the log") {
                chunk.withUnsafeMutableBytes {
                    pread(rawValue, $0.baseAddress.map { $0 + start }, length - start, offset + off_t(start))
                }
            }
            guard count > 0 else { throw KernelError("read the log", "", .inputOutput) }
            filled += count
        }
    }
}

import EngineAPI
import Glibc
import Linux

/// A log and the files that rotation left of it, open: `path` is the current one, `path.1` or `path.1.gz` the one before.
///
/// Open descriptors outlive rotation, packing and removal, so what was there when the log was opened is read to its end.
/// Blocking: for a thread that may wait for the disk.
final class LogFiles {
    private static let attempts = 16

    /// The oldest first; the last is the current one.
    private var pieces: [LogPiece]
    private let path: String

    deinit { for piece in pieces { piece.close() } }

    /// Opens what there is; none where the log does not exist.
    init(path: String) throws(KernelError) {
        self.path = path
        pieces = try Self.openCurrent(path)
    }

    var count: Int { pieces.count }

    /// The oldest that is still held, ready to be read.
    var first: Descriptor? {
        get throws(KernelError) { pieces.isEmpty ? nil : try pieces[0].plain(besides: path) }
    }

    /// How much is in the current file, or was current when this was opened; 0 where there is none.
    var lastSizeBytes: off_t {
        get throws(KernelError) {
            guard let last = pieces.indices.last else { return 0 }
            return try pieces[last].plain(besides: path).size()
        }
    }

    /// What a log and the files that it was rotated to take together (lstat(2)); 0 where there are none.
    static func totalBytes(path: String) -> Int64 {
        func size(_ path: String) -> Int64? {
            var facts = stat()
            return lstat(path, &facts) == 0 ? Int64(facts.st_size) : nil
        }
        var total = size(path) ?? 0
        // As where they are opened, a single number may be missing.
        var (number, missing) = (1, 0)
        while missing < 2 {
            if let bytes = size("\(path).\(number)") ?? size("\(path).\(number).gz") {
                (total, missing) = (total + bytes, 0)
            } else {
                missing += 1
            }
            number += 1
        }
        return total
    }

    /// A rotation may rename files while they are opened: then it is done again.
    private static func openCurrent(_ path: String) throws(KernelError) -> [LogPiece] {
        for attempt in 1...attempts {
            // A number that stays missing was lost in a crash, and is no reason to miss what is older.
            guard let found = try openAll(path, allowsGaps: attempt > attempts / 2) else { continue }
            if isCurrent(found.last, path) { return found }
            for piece in found { piece.close() }
        }
        throw KernelError("open the log", path, .busy)
    }

    /// Nil where files are being renamed.
    private static func openAll(_ path: String, allowsGaps: Bool) throws(KernelError) -> [LogPiece]? {
        var found: [LogPiece] = []
        do throws(KernelError) {
            var number = 0
            while true {
                let name = number == 0 ? path : "\(path).\(number)"
                if let piece = try LogPiece.open(name, mayBePacked: number > 0) {
                    found.append(piece)
                } else {
                    let next = "\(path).\(number + 1)"
                    guard access(next, F_OK) == 0 || access(next + ".gz", F_OK) == 0 else { return found.reversed() }
                    if !allowsGaps { break }
                }
                number += 1
            }
        } catch {
            for piece in found { piece.close() }
            throw error
        }
        for piece in found { piece.close() }
        return nil
    }

    private static func isCurrent(_ piece: LogPiece?, _ path: String) -> Bool {
        guard let piece else { return access(path, F_OK) != 0 }
        return piece.isFile(at: path)
    }

    /// A file by its number, the oldest first, as it was written.
    func file(_ index: Int) throws(KernelError) -> Descriptor { try pieces[index].plain(besides: path) }

    /// Drops what rotation left of before a time; never the current file. A file's last line is no younger than the file.
    func dropFiles(lastWrittenBefore time: Timestamp) throws(KernelError) {
        var count = 0
        while count + 1 < pieces.count, try pieces[count].lastWritten() < time { count += 1 }
        dropFiles(before: count)
    }

    /// Drops the files before `index`, of which nothing is wanted.
    func dropFiles(before index: Int) {
        for piece in pieces[..<index] { piece.close() }
        pieces.removeFirst(index)
    }

    /// Goes on to the next file once the first is read to its end; false where it is the current one.
    func advance() -> Bool {
        guard pieces.count > 1 else { return false }
        pieces.removeFirst().close()
        return true
    }

    /// After a rotation: adds the files that came after ours. False where there are none: ours is still the current
    /// one, or the log is gone.
    func followRotation() throws(KernelError) -> Bool {
        guard let ours = pieces.last, !ours.isFile(at: path) else { return false }
        let now = try Self.openCurrent(path)
        // The last: a file of long ago, packed since, may have had the number that ours has now.
        let position = now.lastIndex { $0.identity == ours.identity }
        let newer = position.map { now.index(after: $0) } ?? now.startIndex
        for piece in now[..<newer] { piece.close() }
        pieces += now[newer...]
        return newer < now.endIndex
    }
}

extension Descriptor {
    func size() throws(KernelError) -> off_t {
        var facts = stat()
        try kernelCall("look at the log") { fstat(rawValue, &facts) }
        return facts.st_size
    }
}

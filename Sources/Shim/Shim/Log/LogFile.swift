import Glibc
import Linux
import ShimAPI

/// The log's file on disk, with its older ones: `path`, `path.1`, …, which may be packed: `path.1.gz`.
///
/// A full disk costs lines, never the container: what could not be written is counted, and once there is room again a
/// line in the log says how much is missing.
final class LogFile {
    private let path: String
    private let maximumSizeBytes: Int64
    private let maximumFiles: Int
    private let line: LogLine
    /// Packs older files; nil where they stay as they are.
    private let packer: LogPacker?
    private var descriptor: Descriptor?
    /// As this process wrote it.
    private var sizeBytes: Int64
    private var lostBytes: UInt64 = 0
    private var reason = ""

    /// Opens the file for adding to it, and makes it where it is missing.
    init(path: String, _ log: ShimTask.Log, line: LogLine, reaper: ChildReaper) throws(KernelError) {
        self.path = path
        packer = log.packs ? LogPacker(path: path, maximumFiles: log.maximumFiles, reaper: reaper) : nil
        self.line = line
        maximumSizeBytes = log.maximumSizeBytes ?? .max
        maximumFiles = max(1, log.maximumFiles)
        let file = try Descriptor.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o640)
        descriptor = file
        sizeBytes = Int64(max(0, lseek(file.rawValue, 0, SEEK_END)))
        packer?.begin()
    }

    /// Whether the file has reached its size, together with what is still to be written.
    func wantsRotation(pendingBytes: Int) -> Bool {
        guard sizeBytes + Int64(pendingBytes) >= maximumSizeBytes else { return false }
        measure()
        return sizeBytes + Int64(pendingBytes) >= maximumSizeBytes
    }

    /// What the kernel says of the size: others may have cut the file, as one does where a disk is full.
    private func measure() {
        guard let descriptor else { return }
        var facts = stat()
        if fstat(descriptor.rawValue, &facts) == 0 { sizeBytes = Int64(facts.st_size) }
    }

    /// Begins a new file; the oldest goes. Where that fails, the present file goes on growing.
    func rotate() {
        descriptor?.close()
        descriptor = nil
        if maximumFiles > 1 {
            moveFiles()
        } else {
            // Another file, not the same one emptied: who follows it stands behind what would come then.
            unlink(path)
        }
        reopen(truncating: maximumFiles == 1)
    }

    /// Only up to the first number that is free: how many files there may be costs nothing.
    private func moveFiles() {
        let forms = OldLogFiles.forms
        let end = min(OldLogFiles(path: path).count + 1, maximumFiles - 1)
        for form in forms { unlink("\(path).\(end)\(form)") }
        for number in stride(from: end, to: 1, by: -1) {
            for form in forms { rename("\(path).\(number - 1)\(form)", "\(path).\(number)\(form)") }
        }
        rename(path, "\(path).1")
        packer?.filesMoved()
    }

    /// Writes whole lines.
    func write(_ lines: UnsafeRawBufferPointer) {
        if descriptor == nil { reopen(truncating: false) }
        if lostBytes > 0, !writeNotice() { return lose(lines.count, reason) }
        store(lines)
    }

    func close() {
        packer?.end()
        descriptor?.close()
        descriptor = nil
    }

    private func reopen(truncating: Bool) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | (truncating ? O_TRUNC : 0)
        do {
            let file = try Descriptor.open(path, flags, mode: 0o640)
            descriptor = file
            sizeBytes = Int64(max(0, lseek(file.rawValue, 0, SEEK_END)))
        } catch { reason = error.errno.description }
    }

    private func writeNotice() -> Bool {
        let text = "gantry: \(lostBytes) bytes of log were lost here: \(reason)\n"
        let notice = encoded(text)
        let before = lostBytes
        lostBytes = 0
        if notice.withUnsafeBytes({ store($0) }) { return true }
        lostBytes = before
        return false
    }

    private func encoded(_ text: String) -> [UInt8] {
        let stamp = line.stamp(.stderr, .now())
        return Array(text.utf8).withUnsafeBytes { line.encoded($0, stamp: stamp) }
    }

    @discardableResult
    private func store(_ lines: UnsafeRawBufferPointer) -> Bool {
        guard let descriptor else {
            lose(lines.count, reason)
            return false
        }
        var rest = lines
        do {
            while !rest.isEmpty {
                let count = try descriptor.write(rest)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                sizeBytes += Int64(count)
            }
            return true
        } catch {
            let kept = cutToWholeLines(lines, written: lines.count - rest.count)
            lose(lines.count - kept, error.errno.description)
            return false
        }
    }

    /// Takes half a line off the end of the file again, so that every line in it can be read.
    private func cutToWholeLines(_ lines: UnsafeRawBufferPointer, written: Int) -> Int {
        guard written > 0 else { return 0 }
        let whole = lines[..<written].lastIndex(of: 10).map { $0 + 1 } ?? 0
        if whole < written, let descriptor {
            // By the file's own size: one that was cut meanwhile must not grow by this.
            measure()
            sizeBytes = max(0, sizeBytes - Int64(written - whole))
            ftruncate(descriptor.rawValue, off_t(sizeBytes))
        }
        return whole
    }

    private func lose(_ byteCount: Int, _ why: String) {
        lostBytes += UInt64(byteCount)
        reason = why
    }
}

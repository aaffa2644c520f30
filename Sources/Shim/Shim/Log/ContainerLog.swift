import Glibc
import Linux
import ShimAPI

/// Turns output into lines of the log file. Whatever has come is in the file (the kernel has it) when `append` returns,
/// but for the beginning of a line whose end is still to come.
final class ContainerLog {
    private let output: Output
    private let scratch: ScratchMemory
    private var partial: [[UInt8]] = [[], []]
    private var used = 0
    /// That of the next line of a file; the journal has times of its own.
    private var stamp: LogStamp

    private enum Output {
        case file(LogFile, LogLine)
        case journal(JournalSocket)
    }

    /// - Parameter scratch: room for encoded lines, of at least 128 KiB.
    init(_ log: ShimTask.Log, scratch: ScratchMemory, reaper: ChildReaper) throws(KernelError) {
        if log.form == .journal {
            output = .journal(try JournalSocket(fields: log.attributes))
            stamp = LogStamp(.stdout, LogLine())
        } else {
            let line = LogLine(isCompact: log.form == .compact, attributes: log.attributes)
            stamp = LogStamp(.stdout, line)
            output = .file(try LogFile(log, line: line, reaper: reaper), line)
        }
        self.scratch = scratch
    }

    /// Adds what one read brought.
    func append(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        guard var position = bytes.baseAddress else { return }
        begin(kind)
        let end = position + bytes.count
        while position < end {
            guard let newline = memchr(position, 10, end - position) else {
                hold(UnsafeRawBufferPointer(start: position, count: end - position), kind)
                break
            }
            let next = UnsafeRawPointer(newline) + 1
            line(UnsafeRawBufferPointer(start: position, count: next - position), kind)
            position = next
        }
        flush()
    }

    private func begin(_ kind: OutputKind) {
        switch output {
        case .file(_, let line): stamp = LogStamp(kind, line, after: stamp)
        case .journal(let journal): journal.beginOutput()
        }
    }

    /// Writes what is held of lines that will not end any more.
    func finish() {
        for kind in OutputKind.allCases where !partial[kind.rawValue].isEmpty {
            begin(kind)
            partial[kind.rawValue].withUnsafeBytes { encode($0, kind) }
            partial[kind.rawValue] = []
        }
        flush()
        switch output {
        case .file(let file, _): file.close()
        case .journal(let journal): journal.close()
        }
    }

    private func line(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        if partial[kind.rawValue].isEmpty { return cutAndEncode(bytes, kind) }
        var whole: [UInt8] = []
        swap(&whole, &partial[kind.rawValue])
        whole.append(contentsOf: bytes)
        whole.withUnsafeBytes { cutAndEncode($0, kind) }
    }

    /// Keeps the beginning of a line, but never more than one entry's worth of it.
    private func hold(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        var held: [UInt8] = []
        swap(&held, &partial[kind.rawValue])
        held.append(contentsOf: bytes)
        held.withUnsafeBytes { held in
            var rest = held
            while rest.count > LogLine.contentLimit {
                let cut = LogLine.cut(rest)
                encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), kind)
                rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
            }
            partial[kind.rawValue] = Array(rest)
        }
    }

    private func cutAndEncode(_ line: UnsafeRawBufferPointer, _ kind: OutputKind) {
        var rest = line
        while rest.count > LogLine.contentLimit + 1 {
            let cut = LogLine.cut(rest)
            encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), kind)
            rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
        }
        encode(rest, kind)
    }

    private func encode(_ content: UnsafeRawBufferPointer, _ kind: OutputKind) {
        switch output {
        case .journal(let journal): journal.send(content, kind)
        case .file(let file, let line):
            defer { stamp.advance() }
            if file.wantsRotation(pendingBytes: used) {
                flush()
                file.rotate()
            }
            let room = line.roomNeeded(contentCount: content.count, stamp: stamp.bytes)
            if used + room > scratch.byteCount { flush() }
            // Attributes are labels and variables of any size.
            guard room <= scratch.byteCount else { return writeAlone(line.encoded(content, stamp: stamp.bytes), file) }
            guard let base = scratch.buffer.baseAddress else { return }
            used = line.write(content, stamp: stamp.bytes, to: base + used) - base
        }
    }

    private func writeAlone(_ line: [UInt8], _ file: LogFile) {
        line.withUnsafeBytes { file.write($0) }
    }

    private func flush() {
        guard used > 0, case .file(let file, _) = output else { return }
        file.write(UnsafeRawBufferPointer(rebasing: scratch.buffer[..<used]))
        used = 0
    }
}

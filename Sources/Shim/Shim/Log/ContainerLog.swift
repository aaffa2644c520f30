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

    private enum Output {
        case file(LogFile, LogLine)
        case journal(JournalSocket)
    }

    /// - Parameter scratch: room for encoded lines, of at least 128 KiB.
    init(_ log: ShimTask.Log, scratch: ScratchMemory, reaper: ChildReaper) throws(KernelError) {
        if log.form == .journal {
            output = .journal(try JournalSocket(fields: log.attributes))
        } else {
            let line = LogLine(isCompact: log.form == .compact, attributes: log.attributes)
            output = .file(try LogFile(log, line: line, reaper: reaper), line)
        }
        self.scratch = scratch
    }

    /// Adds what one read brought. All its lines bear one time.
    func append(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        let stamp = Stamp(kind, output)
        guard var position = bytes.baseAddress else { return }
        if case .journal(let journal) = output { journal.beginOutput() }
        let end = position + bytes.count
        while position < end {
            guard let newline = memchr(position, 10, end - position) else {
                hold(UnsafeRawBufferPointer(start: position, count: end - position), stamp)
                break
            }
            let next = UnsafeRawPointer(newline) + 1
            line(UnsafeRawBufferPointer(start: position, count: next - position), stamp)
            position = next
        }
        flush()
    }

    /// Writes what is held of lines that will not end any more.
    func finish() {
        for kind in OutputKind.allCases where !partial[kind.rawValue].isEmpty {
            let stamp = Stamp(kind, output)
            partial[kind.rawValue].withUnsafeBytes { encode($0, stamp) }
            partial[kind.rawValue] = []
        }
        flush()
        switch output {
        case .file(let file, _): file.close()
        case .journal(let journal): journal.close()
        }
    }

    private func line(_ bytes: UnsafeRawBufferPointer, _ stamp: Stamp) {
        if partial[stamp.kind.rawValue].isEmpty { return cutAndEncode(bytes, stamp) }
        var whole: [UInt8] = []
        swap(&whole, &partial[stamp.kind.rawValue])
        whole.append(contentsOf: bytes)
        whole.withUnsafeBytes { cutAndEncode($0, stamp) }
    }

    /// Keeps the beginning of a line, but never more than one entry's worth of it.
    private func hold(_ bytes: UnsafeRawBufferPointer, _ stamp: Stamp) {
        var held: [UInt8] = []
        swap(&held, &partial[stamp.kind.rawValue])
        held.append(contentsOf: bytes)
        held.withUnsafeBytes { held in
            var rest = held
            while rest.count > LogLine.contentLimit {
                let cut = LogLine.cut(rest)
                encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), stamp)
                rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
            }
            partial[stamp.kind.rawValue] = Array(rest)
        }
    }

    private func cutAndEncode(_ line: UnsafeRawBufferPointer, _ stamp: Stamp) {
        var rest = line
        while rest.count > LogLine.contentLimit + 1 {
            let cut = LogLine.cut(rest)
            encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), stamp)
            rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
        }
        encode(rest, stamp)
    }

    private func encode(_ content: UnsafeRawBufferPointer, _ stamp: Stamp) {
        switch output {
        case .journal(let journal): journal.send(content, stamp.kind)
        case .file(let file, let line):
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

    /// What all lines of one read have in common.
    private struct Stamp {
        let kind: OutputKind
        let bytes: [UInt8]

        init(_ kind: OutputKind, _ output: Output) {
            self.kind = kind
            if case .file(_, let line) = output { bytes = line.stamp(kind, .now()) } else { bytes = [] }
        }
    }
}

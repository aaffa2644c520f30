import Glibc
import Linux
import ShimAPI

/// Turns output into lines of the log file. Whatever has come is in the file (the kernel has it) when `append` returns,
/// but for the beginning of a line whose end is still to come.
final class ContainerLog {
    private let file: LogFile
    private let scratch: ScratchMemory
    private var partial: [[UInt8]] = [[], []]
    private var used = 0

    /// - Parameter scratch: room for encoded lines, of at least 128 KiB.
    init(_ log: ShimTask.Log, scratch: ScratchMemory) throws(KernelError) {
        file = try LogFile(log)
        self.scratch = scratch
    }

    /// Adds what one read brought. All its lines bear one time.
    func append(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        let suffix = LogLine.suffix(kind, time: Timestamp.now().rfc3339NanoBytes)
        guard var position = bytes.baseAddress else { return }
        let end = position + bytes.count
        while position < end {
            guard let newline = memchr(position, 10, end - position) else {
                hold(UnsafeRawBufferPointer(start: position, count: end - position), kind, suffix)
                break
            }
            let next = UnsafeRawPointer(newline) + 1
            line(UnsafeRawBufferPointer(start: position, count: next - position), kind, suffix)
            position = next
        }
        flush()
    }

    /// Writes what is held of lines that will not end any more.
    func finish() {
        for kind in OutputKind.allCases where !partial[kind.rawValue].isEmpty {
            let suffix = LogLine.suffix(kind, time: Timestamp.now().rfc3339NanoBytes)
            partial[kind.rawValue].withUnsafeBytes { encode($0, suffix) }
            partial[kind.rawValue] = []
        }
        flush()
        file.close()
    }

    private func line(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind, _ suffix: [UInt8]) {
        if partial[kind.rawValue].isEmpty { return cutAndEncode(bytes, suffix) }
        var whole: [UInt8] = []
        swap(&whole, &partial[kind.rawValue])
        whole.append(contentsOf: bytes)
        whole.withUnsafeBytes { cutAndEncode($0, suffix) }
    }

    /// Keeps the beginning of a line, but never more than one entry's worth of it.
    private func hold(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind, _ suffix: [UInt8]) {
        var held: [UInt8] = []
        swap(&held, &partial[kind.rawValue])
        held.append(contentsOf: bytes)
        held.withUnsafeBytes { held in
            var rest = held
            while rest.count > LogLine.contentLimit {
                let cut = LogLine.cut(rest)
                encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), suffix)
                rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
            }
            partial[kind.rawValue] = Array(rest)
        }
    }

    private func cutAndEncode(_ line: UnsafeRawBufferPointer, _ suffix: [UInt8]) {
        var rest = line
        while rest.count > LogLine.contentLimit + 1 {
            let cut = LogLine.cut(rest)
            encode(UnsafeRawBufferPointer(rebasing: rest[..<cut]), suffix)
            rest = UnsafeRawBufferPointer(rebasing: rest[cut...])
        }
        encode(rest, suffix)
    }

    private func encode(_ content: UnsafeRawBufferPointer, _ suffix: [UInt8]) {
        if file.wantsRotation(pendingBytes: used) {
            flush()
            file.rotate()
        }
        if used + LogLine.roomNeeded(contentCount: content.count, suffix: suffix) > scratch.byteCount { flush() }
        guard let base = scratch.buffer.baseAddress else { return }
        used = LogLine.write(content, suffix: suffix, to: base + used) - base
    }

    private func flush() {
        guard used > 0 else { return }
        file.write(UnsafeRawBufferPointer(rebasing: scratch.buffer[..<used]))
        used = 0
    }
}

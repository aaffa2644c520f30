import Glibc
import Linux
import ShimAPI

/// Turns output into lines of the log file, and into messages for whom they are forwarded to. Whatever has come is in the
/// file (the kernel has it) when `append` returns, but for the beginning of a line whose end is still to come.
final class ContainerLog {
    private let file: LogFile?
    private let form: LogLine
    private let forwarder: LogForwarder?
    private let scratch: ScratchMemory
    private var partial: [[UInt8]] = [[], []]
    private var used = 0
    /// That of the file's next line.
    private var stamp: LogStamp

    /// - Parameter scratch: room for encoded lines, of at least 128 KiB.
    init(
        _ log: ShimTask.Log, scratch: ScratchMemory, reaper: ChildReaper, loop: EventLoop
    ) throws(KernelError) {
        form = LogLine(isCompact: log.form == .compact, attributes: log.attributes)
        stamp = LogStamp(.stdout, form)
        // First: where lines cannot be sent as they are to be, no file is begun.
        if let forward = log.forward {
            do throws(KernelError) { forwarder = try LogForwarder(forward, loop: loop) } catch {
                throw KernelError("failed to initialize logging driver: \(error.operation)", error.object, error.errno)
            }
        } else {
            forwarder = nil
        }
        if let path = log.path {
            file = try LogFile(path: path, log, line: form, reaper: reaper)
        } else {
            file = nil
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
        stamp = LogStamp(kind, form, after: stamp)
        forwarder?.beginOutput()
    }

    /// Writes what is held of lines that will not end any more.
    func finish() {
        for kind in OutputKind.allCases where !partial[kind.rawValue].isEmpty {
            begin(kind)
            partial[kind.rawValue].withUnsafeBytes { encode($0, kind) }
            partial[kind.rawValue] = []
        }
        flush()
        file?.close()
        forwarder?.close()
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
        forwarder?.send(content, kind)
        guard let file else { return }
        defer { stamp.advance() }
        if file.wantsRotation(pendingBytes: used) {
            flush()
            file.rotate()
        }
        let room = form.roomNeeded(contentCount: content.count, stamp: stamp.bytes)
        if used + room > scratch.byteCount { flush() }
        // Attributes are labels and variables of any size.
        guard room <= scratch.byteCount else {
            return form.encoded(content, stamp: stamp.bytes).withUnsafeBytes { file.write($0) }
        }
        guard let base = scratch.buffer.baseAddress else { return }
        used = form.write(content, stamp: stamp.bytes, to: base + used) - base
    }

    private func flush() {
        guard used > 0, let file else { return }
        file.write(UnsafeRawBufferPointer(rebasing: scratch.buffer[..<used]))
        used = 0
    }
}

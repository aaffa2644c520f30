import Glibc
import Linux

/// A process's standard input: what clients gave and the process has not yet read. Bounded, so that a client that
/// gives faster than the process reads is held back.
final class InputQueue {
    /// Clients are held back while more than this waits.
    static let limitBytes = 64 << 10
    private static let endOfTransmission: UInt8 = 4

    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var watch: EventLoop.Watch?
    private var isTerminal = false
    private var isDiscarding = false
    private var isWide = false
    private var isEnding = false
    /// What waits, behind what is written already and not dropped yet.
    private(set) var bytes: [UInt8] = []
    private var offset = 0
    private var onSpace: [() -> Void] = []

    init(_ loop: EventLoop) { self.loop = loop }

    var isFull: Bool { bytes.count - offset > Self.limitBytes }

    /// Gives the queue the end to write to, which it then owns; what waits goes out.
    func open(_ descriptor: Descriptor, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        pump()
    }

    /// The process has no input: what comes is dropped.
    func discard() {
        isDiscarding = true
        close()
    }

    func write(_ more: [UInt8]) {
        guard !isDiscarding, !isEnding else { return }
        if bytes.isEmpty {
            bytes = more
        } else {
            dropWritten()
            bytes.append(contentsOf: more)
        }
        pump()
    }

    /// The queue of a process that reads slower than clients give is never empty: what is written must go in between.
    private func dropWritten() {
        guard offset > Self.limitBytes else { return }
        bytes.removeFirst(offset)
        offset = 0
    }

    /// Closes once all that waits is written. A terminal stays open and is told by ctrl-d.
    func end() {
        guard !isDiscarding, !isEnding else { return }
        if isTerminal { return write([Self.endOfTransmission]) }
        isEnding = true
        pump()
    }

    /// Calls `body` once there is room, or no need for any.
    func whenSpace(_ body: @escaping () -> Void) {
        if isFull { onSpace.append(body) } else { body() }
    }

    func close() {
        stopWatching()
        descriptor?.close()
        descriptor = nil
        isDiscarding = true
        bytes = []
        offset = 0
        wake()
    }

    private func pump() {
        guard let descriptor else { return }
        do {
            while offset < bytes.count {
                offset += try descriptor.write(bytes, from: offset)
            }
            bytes = []
            offset = 0
            stopWatching()
            if isEnding { return close() }
        } catch {
            // EPIPE: nobody reads any more. EIO: the terminal is gone.
            guard error.errno == .wouldBlock else { return close() }
            widen(descriptor)
            waitUntilWritable(descriptor)
        }
        if !isFull { wake() }
    }

    /// A client that gives much finds room for it.
    private func widen(_ descriptor: Descriptor) {
        guard !isTerminal, !isWide else { return }
        isWide = true
        // Where the user has too much already, the pipe stays as it is.
        try? descriptor.setPipeSize(byteCount: ProcessStdio.widePipeBytes)
    }

    private func waitUntilWritable(_ descriptor: Descriptor) {
        guard watch == nil else { return }
        do {
            watch = try loop.watch(descriptor, .writable) { [unowned self] _ in pump() }
        } catch { close() }
    }

    private func stopWatching() {
        if let watch { loop.forget(watch) }
        watch = nil
    }

    private func wake() {
        let waiting = onSpace
        onSpace = []
        for body in waiting { body() }
    }
}

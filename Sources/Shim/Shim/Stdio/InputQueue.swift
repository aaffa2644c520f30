import Glibc
import Linux

/// A process's standard input: what clients gave and the process has not yet read. Bounded, so that a client that
/// gives faster than the process reads is held back.
///
/// What is given in quantity is better passed on by `pass`, from the client's socket to the process's pipe: it is not even
/// copied here, and what finds no room in the pipe stays in the socket.
final class InputQueue {
    /// Clients are held back while more than this waits.
    static let limitBytes = 64 << 10
    private static let endOfTransmission: UInt8 = 4

    /// What has come of it to pass input on without reading it.
    enum Passage: Equatable {
        /// So many bytes have gone; none where the source has ended.
        case moved(Int)
        /// Nothing lies in the source now.
        case nothingThere
        /// The process has yet to take what it was given before.
        case noRoom
        /// Input is of no use any more, or not by this way: it is to be read, and written here.
        case notByThis
    }

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
    private var onReady: [() -> Void] = []

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

    /// Whether `pass` is of any use: a terminal's input has to be written piece by piece.
    var isPassable: Bool { descriptor != nil && !isTerminal && !isEnding }

    /// Has bytes go from `source`, a socket, to the process as they lie: splice(2).
    ///
    /// - Throws: what is the matter with the source.
    func pass(from source: Descriptor, upTo count: Int) throws(KernelError) -> Passage {
        guard let descriptor, isPassable else { return .notByThis }
        guard bytes.isEmpty else { return .noRoom }
        do { return .moved(try source.splice(to: descriptor, upTo: count)) } catch {
            switch error.errno {
            case .wouldBlock:
                if try Self.hasRoom(descriptor) { return .nothingThere }
                guard !isWide else { return .noRoom }
                widen(descriptor)
                return try pass(from: source, upTo: count)
            case .brokenPipe:
                close()
                return .notByThis
            default: throw error
            }
        }
    }

    private static func hasRoom(_ descriptor: Descriptor) throws(KernelError) -> Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        return try kernelCall("poll") { poll(&entry, 1, 0) } > 0
    }

    /// Calls `body` once all that waits is written and there is room for more, or no need for any.
    func whenReady(_ body: @escaping () -> Void) {
        guard let descriptor else { return body() }
        onReady.append(body)
        waitUntilWritable(descriptor)
    }

    func close() {
        stopWatching()
        descriptor?.close()
        descriptor = nil
        isDiscarding = true
        bytes = []
        offset = 0
        wakeAll()
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
            return isEnding ? close() : wakeAll()
        } catch {
            // EPIPE: nobody reads any more. EIO: the terminal is gone.
            guard error.errno == .wouldBlock else { return close() }
            widen(descriptor)
            waitUntilWritable(descriptor)
        }
        if !isFull { wakeForSpace() }
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

    private func wakeAll() {
        let waiting = onSpace + onReady
        (onSpace, onReady) = ([], [])
        for body in waiting { body() }
    }

    private func wakeForSpace() {
        let waiting = onSpace
        onSpace = []
        for body in waiting { body() }
    }
}

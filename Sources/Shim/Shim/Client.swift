import Linux
import ShimAPI

/// One connection to the shim's socket: frames in, frames out, never waiting for the other side.
final class Client {
    /// A control connection that lets so much pile up is not being read by anybody.
    private static let outboxLimit = 4 << 20
    /// What may be on its way to a client that is attached. A reader is woken when three quarters of it are gone.
    private static let streamBufferBytes: Int32 = 256 << 10

    private let loop: EventLoop
    let descriptor: Descriptor
    private let scratch: ScratchMemory
    /// What comes from it.
    private(set) lazy var input = ClientInput(of: self, scratch: scratch)
    private var watch: EventLoop.Watch?
    private var interest: EpollEvents = .readable
    private var outbox: [UInt8] = []
    private var outboxOffset = 0
    private var closesWhenFlushed = false
    private(set) var isClosed = false
    /// Nobody is there any more, though what was given before is still to be taken.
    private(set) var isDeaf = false

    var greeted = false
    var attachment: Attachment?
    var attachedTo: SupervisedProcess?
    /// The tag of its `subscribe`: reports go there.
    var subscriptionTag: UInt32?
    var onFrame: (ShimFrame) throws(ShimFrameError) -> Void = { _ throws(ShimFrameError) in }
    var onClose: () -> Void = {}

    /// Takes the descriptor over; `start` begins to read.
    init(_ descriptor: Descriptor, loop: EventLoop, scratch: ScratchMemory) {
        self.descriptor = descriptor
        self.loop = loop
        self.scratch = scratch
    }

    func start() throws(KernelError) {
        watch = try loop.watch(descriptor, interest) { [unowned self] events in handle(events) }
    }

    func send(_ answer: ShimAnswer, tag: UInt32) { send(answer.frame(tag: tag).bytes) }

    /// Sends a frame of a stream that is no output.
    func send(_ frame: ShimStreamFrame) {
        if !isDeaf { send(frame.frame.bytes) }
    }

    /// Closes once all that is to be sent is sent.
    func closeWhenFlushed() { closesWhenFlushed = true }

    /// Whether the socket has not taken all that was to be sent.
    var isBehind: Bool { !outbox.isEmpty }

    /// Makes room for a stream.
    func becomeStream() {
        // It is as large as it was then.
        try? UnixSocket.setSendBuffer(descriptor, byteCount: Self.streamBufferBytes)
    }

    /// Sends a frame from where its body lies; only what the socket does not take at once is copied.
    ///
    /// - Returns: false, and nothing is done, where something else waits to be sent before it.
    func sendAtOnce(_ head: [UInt8], _ body: UnsafeRawBufferPointer) -> Bool {
        guard !isClosed, outbox.isEmpty else { return false }
        var sent = 0
        do { sent = try UnixSocket.send(descriptor, head, body) } catch {
            guard error.errno == .wouldBlock else {
                sendingFailed()
                return true
            }
        }
        guard sent < head.count + body.count else { return true }
        outbox.append(contentsOf: head[min(sent, head.count)...])
        outbox.append(contentsOf: UnsafeRawBufferPointer(rebasing: body[max(0, sent - head.count)...]))
        updateInterest()
        return true
    }

    /// Sends what the attachment has, for as long as the socket takes it.
    func pump() {
        guard !isClosed else { return }
        guard !isDeaf else {
            if closesWhenFlushed { close() }
            return
        }
        while outbox.isEmpty, let frame = attachment?.next() {
            outbox = frame.frame.bytes
            flush()
            if isClosed || isDeaf { return }
        }
        if outbox.isEmpty, closesWhenFlushed, attachment?.isBehind != true { return close() }
        updateInterest()
    }

    /// Watches for what the reading side wants now. False where the connection is over.
    func readsOn() -> Bool {
        guard watch == nil else {
            updateInterest()
            return true
        }
        // Forgotten while it was not to be read.
        interest = .readable
        do { try start() } catch { close() }
        return !isClosed
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let watch { loop.forget(watch) }
        watch = nil
        descriptor.close()
        attachment?.leave()
        input.close()
        onClose()
    }

    private func send(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        outbox.append(contentsOf: bytes)
        guard outbox.count - outboxOffset <= Self.outboxLimit else { return close() }
        flush()
        pump()
    }

    private func flush() {
        do {
            while outboxOffset < outbox.count {
                outboxOffset += try UnixSocket.send(descriptor, outbox, from: outboxOffset)
            }
            outbox = []
            outboxOffset = 0
        } catch {
            if error.errno != .wouldBlock { sendingFailed() }
        }
    }

    /// Nobody reads any more. What who was attached gave before is still to be taken: reading comes to its end by itself.
    private func sendingFailed() {
        if attachment == nil { close() } else { fallDeaf() }
    }

    private func handle(_ events: EpollEvents) {
        if events.contains(.writable) {
            flush()
            pump()
            if !isBehind { attachment?.onRoom() }
        }
        guard !isClosed else { return }
        if input.isPaused {
            // The client is gone, but what it gave is still to be taken: look again once there is room.
            if !events.isDisjoint(with: [.hangUp, .error]), let watch {
                loop.forget(watch)
                self.watch = nil
                fallDeaf()
            }
            return
        }
        if !events.isDisjoint(with: [.readable, .hangUp, .error]) { input.read() }
    }

    /// A process that waits until this client has room for its output would never take its input.
    private func fallDeaf() {
        isDeaf = true
        outbox = []
        outboxOffset = 0
        // Room to write in is of no use any more, and would be told of without end.
        updateInterest()
        attachment?.leaveOutput()
        attachment?.onRoom()
    }

    func updateInterest() {
        guard let watch, !isClosed else { return }
        var wanted: EpollEvents = input.isPaused ? [] : .readable
        if !outbox.isEmpty { wanted.insert(.writable) }
        guard wanted != interest else { return }
        interest = wanted
        loop.change(watch, wanted)
    }
}

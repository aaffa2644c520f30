import Linux
import ShimAPI

/// One connection to the shim's socket: frames in, frames out, never waiting for the other side.
final class Client {
    /// A control connection that lets so much pile up is not being read by anybody.
    private static let outboxLimit = 4 << 20
    /// What may be on its way to a client that is attached. A reader is woken when three quarters of it are gone.
    private static let streamBufferBytes: Int32 = 256 << 10
    /// A frame of so much input and its like are passed on without being read: of less a copy costs less, and takes less of
    /// a pipe, which has room for a number of pieces, however small.
    private static let quantityBytes = 16 << 10

    private let loop: EventLoop
    private let descriptor: Descriptor
    private let scratch: ScratchMemory
    private var watch: EventLoop.Watch?
    private var interest: EpollEvents = .readable
    private var decoder = ShimFrameDecoder()
    private var outbox: [UInt8] = []
    private var outboxOffset = 0
    /// Of a frame of input that is passed on where it lies: how much of it is still to come.
    private var passing = 0
    /// What came last was input in quantity: the next lies behind its frame's head, which alone is read.
    private var isInQuantity = false
    /// A descriptor that has come, beside a frame that tells what it is for.
    private var lent: Descriptor?
    private var source: InputSource?
    private var isReadingPaused = false
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
        if outbox.isEmpty, closesWhenFlushed { return close() }
        updateInterest()
    }

    /// Stops taking frames until `resumeReading`: the client's bytes stay in the socket, and so it is held back.
    func pauseReading() {
        isReadingPaused = true
        updateInterest()
    }

    func resumeReading() {
        guard isReadingPaused, !isClosed else { return }
        isReadingPaused = false
        guard watch != nil else { return restart() }
        updateInterest()
        dispatchFrames()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let watch { loop.forget(watch) }
        watch = nil
        descriptor.close()
        source?.leave()
        source = nil
        lent?.close()
        lent = nil
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
        if isReadingPaused {
            // The client is gone, but what it gave is still to be taken: look again once there is room.
            if !events.isDisjoint(with: [.hangUp, .error]), let watch {
                loop.forget(watch)
                self.watch = nil
                fallDeaf()
            }
            return
        }
        if !events.isDisjoint(with: [.readable, .hangUp, .error]) { read() }
    }

    /// A process that waits until this client has room for its output would never take its input.
    private func fallDeaf() {
        isDeaf = true
        outbox = []
        outboxOffset = 0
        // Room to write in is of no use any more, and would be told of without end.
        updateInterest()
        attachment?.onRoom()
    }

    private func read() {
        if passing > 0 { return passInput() }
        let buffer = scratch.buffer
        let room = isInQuantity ? UnsafeMutableRawBufferPointer(rebasing: buffer[..<ShimFrame.headerSize]) : buffer
        guard let bytes = received(into: room) else { return }
        decoder.append(bytes)
        dispatchFrames()
    }

    /// Nil where nothing has come, or the client is gone.
    private func received(into room: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        do {
            let count = try receive(into: room)
            if count > 0 { return UnsafeRawBufferPointer(rebasing: room[..<count]) }
            close()
        } catch {
            if error.errno != .wouldBlock { close() }
        }
        return nil
    }

    private func receive(into room: UnsafeMutableRawBufferPointer) throws(KernelError) -> Int {
        // Descriptors come to who gives input alone; read(2) would drop them.
        guard attachment?.request.stdin == true else { return try descriptor.read(into: room) }
        let (count, brought) = try UnixSocket.receive(descriptor, into: room)
        if let brought {
            lent?.close()
            lent = brought
        }
        return count
    }

    private func dispatchFrames() {
        do {
            while !isClosed, !isReadingPaused, let frame = try decoder.next() {
                isInQuantity = frame.body.count >= Self.quantityBytes && passableInput != nil
                try onFrame(frame)
            }
            if !isClosed, !isReadingPaused { try beginPassing() }
        } catch {
            Diagnostics.note("a client is dropped: \(error)")
            close()
        }
    }

    /// The input of the process that this client gives to, where it takes it as it lies in the socket.
    private var passableInput: InputQueue? {
        guard attachment?.request.stdin == true, let input = attachedTo?.input, input.isPassable else { return nil }
        return input
    }

    /// Lets the rest of a large frame of input be passed on.
    private func beginPassing() throws(ShimFrameError) {
        let kind = ShimStreamFrame.Channel.stdin.rawValue
        guard let input = passableInput,
            let begun = try decoder.takeBegun(kind: kind, atLeast: Self.quantityBytes)
        else {
            if decoder.isInsideFrame { isInQuantity = false }
            return
        }
        isInQuantity = true
        passing = begun.missing
        if !begun.bytes.isEmpty { give(begun.bytes, to: input) }
    }

    /// Once for each readiness of the socket, so that others have their turn.
    private func passInput() {
        guard let input = attachedTo?.input else { return close() }
        do {
            switch try input.pass(from: descriptor, upTo: passing) {
            case .moved(0): close()
            case .moved(let count): passing -= count
            case .nothingThere: break
            case .noRoom:
                pauseReading()
                input.whenReady { [weak self] in self?.resumeReading() }
            case .notByThis:
                let buffer = scratch.buffer
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, passing)])
                guard let bytes = received(into: room) else { return }
                passing -= bytes.count
                give(Array(bytes), to: input)
            }
        } catch { close() }
    }

    /// Gives input to a process, and takes no more until there is room.
    func give(_ bytes: [UInt8], to input: InputQueue) {
        input.write(bytes)
        guard input.isFull else { return }
        pauseReading()
        input.whenSpace { [weak self] in self?.resumeReading() }
    }

    /// Has the process's input come from the socket that came with the frame which says so.
    func readSource(for input: InputQueue, endsWhenGone: Bool) throws(ShimFrameError) {
        guard source == nil, let descriptor = lent else {
            throw ShimFrameError("a source of input without a descriptor, or a second one")
        }
        lent = nil
        // It shares its flags with the engine's, which does not block.
        let source = InputSource(loop, descriptor, to: input, scratch: scratch, endsWhenGone: endsWhenGone) {
            [weak self] in self?.sourceEnded()
        }
        self.source = source
        source.resume()
    }

    private func sourceEnded() {
        source = nil
        if !isDeaf { send(ShimStreamFrame.sourceEnd.frame.bytes) }
    }

    private func restart() {
        do {
            interest = .readable
            try start()
            dispatchFrames()
        } catch { close() }
    }

    private func updateInterest() {
        guard let watch, !isClosed else { return }
        var wanted: EpollEvents = isReadingPaused ? [] : .readable
        if !outbox.isEmpty { wanted.insert(.writable) }
        guard wanted != interest else { return }
        interest = wanted
        loop.change(watch, wanted)
    }
}

import Linux
import ShimAPI

/// What comes from a client: frames, one after another, and input in quantity, which is passed on as it lies in the socket.
final class ClientInput {
    /// A frame of so much input and its like are passed on without being read: of less a copy costs less, and takes less of
    /// a pipe, which has room for a number of pieces, however small.
    private static let quantityBytes = 16 << 10

    private unowned let client: Client
    private let scratch: ScratchMemory
    private var decoder = ShimFrameDecoder()
    /// Of a frame of input that is passed on where it lies: how much of it is still to come.
    private var passing = 0
    /// What came last was input in quantity: the next lies behind its frame's head, which alone is read.
    private var isInQuantity = false
    /// A descriptor that has come, beside a frame that tells what it is for.
    private var lent: Descriptor?
    /// Frames are not taken now: the client's bytes stay in the socket, and so it is held back.
    private(set) var isPaused = false

    init(of client: Client, scratch: ScratchMemory) { (self.client, self.scratch) = (client, scratch) }

    /// The socket has something, or has ended.
    func read() {
        if passing > 0 { return passInput() }
        let buffer = scratch.buffer
        let room = isInQuantity ? UnsafeMutableRawBufferPointer(rebasing: buffer[..<ShimFrame.headerSize]) : buffer
        guard let bytes = received(into: room) else { return }
        decoder.append(bytes)
        dispatchFrames()
    }

    /// Gives input to a process, and takes no more until there is room.
    func give(_ bytes: [UInt8], to input: InputQueue) {
        input.write(bytes)
        guard input.isFull else { return }
        pause()
        input.whenSpace { [weak self] in self?.resume() }
    }

    /// The descriptor that came with the frame which says so; the caller's from here on.
    func takeLent() throws(ShimFrameError) -> Descriptor {
        guard let descriptor = lent else { throw ShimFrameError("a frame without the descriptor that belongs to it") }
        lent = nil
        return descriptor
    }

    func close() {
        lent?.close()
        lent = nil
    }

    /// Nil where nothing has come, or the client is gone.
    private func received(into room: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        do {
            let count = try receive(into: room)
            if count > 0 { return UnsafeRawBufferPointer(rebasing: room[..<count]) }
            client.close()
        } catch {
            if error.errno != .wouldBlock { client.close() }
        }
        return nil
    }

    private func receive(into room: UnsafeMutableRawBufferPointer) throws(KernelError) -> Int {
        // Descriptors come in streams alone; read(2) drops them.
        guard client.attachment != nil else { return try client.descriptor.read(into: room) }
        let (count, brought) = try UnixSocket.receive(client.descriptor, into: room)
        if let brought {
            lent?.close()
            lent = brought
        }
        return count
    }

    private func dispatchFrames() {
        do {
            while !client.isClosed, !isPaused, let frame = try decoder.next() {
                isInQuantity = frame.body.count >= Self.quantityBytes && passableInput != nil
                try client.onFrame(frame)
            }
            if !client.isClosed, !isPaused { try beginPassing() }
        } catch {
            Diagnostics.note("a client is dropped: \(error)")
            client.close()
        }
    }

    /// The input of the process that this client gives to, where it takes it as it lies in the socket.
    private var passableInput: InputQueue? {
        guard client.attachment?.request.stdin == true, let input = client.attachedTo?.input, input.isPassable else {
            return nil
        }
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
        guard let input = client.attachedTo?.input else { return client.close() }
        do {
            switch try input.pass(from: client.descriptor, upTo: passing) {
            case .moved(0): client.close()
            case .moved(let count): passing -= count
            case .nothingThere: break
            case .noRoom:
                pause()
                input.whenReady { [weak self] in self?.resume() }
            case .notByThis:
                let buffer = scratch.buffer
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, passing)])
                guard let bytes = received(into: room) else { return }
                passing -= bytes.count
                give(Array(bytes), to: input)
            }
        } catch { client.close() }
    }

    private func pause() {
        isPaused = true
        client.updateInterest()
    }

    private func resume() {
        guard isPaused, !client.isClosed else { return }
        isPaused = false
        if client.readsOn() { dispatchFrames() }
    }
}

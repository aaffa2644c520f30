import Linux
import ShimAPI

/// One client's share in a process's stdio: what of the output is on its way to it, and by which way; where its input comes
/// from, if that is not the connection itself.
final class Attachment {
    /// How output gets to the client.
    private enum Way {
        /// By the engine, in frames of the connection.
        case frames
        /// Not now: by the engine no more, and by the client's own connection not yet.
        case turning(OutputTurn)
        case sink(OutputSink)
    }

    let request: ShimAttach
    private let loop: EventLoop
    private unowned let client: Client
    private var ring: OutputRing
    private var way = Way.frames
    private var source: InputSource?
    private var hasEnded = false
    /// Called where there is room for more output.
    var onRoom: () -> Void = {}

    init(_ request: ShimAttach, client: Client, loop: EventLoop) {
        self.request = request
        self.client = client
        self.loop = loop
        // Who is waited for loses nothing: what comes in spite of that is what the pipes held at the process's end.
        ring = OutputRing(capacityBytes: request.holdsBack ? .max : SupervisedProcess.attachmentBytes)
    }

    /// Whether the process is to wait for this client: what its socket does not hold is left in the process's pipes.
    var isFull: Bool {
        guard request.holdsBack, !client.isDeaf else { return false }
        switch way {
        case .frames: return client.isBehind
        case .turning: return true
        case .sink(let sink): return sink.isBehind
        }
    }

    /// Whether something is to be sent yet by another way than the connection.
    var isBehind: Bool {
        switch way {
        case .frames: false
        case .turning: true
        case .sink(let sink): sink.isBehind
        }
    }

    /// Whether output goes to the client past the engine.
    var isDirect: Bool {
        if case .sink = way { true } else { false }
    }

    func wants(_ kind: OutputKind) -> Bool { kind == .stdout ? request.stdout : request.stderr }

    func deliver(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        guard wants(kind), !client.isDeaf else { return }
        if case .sink(let sink) = way { return sink.send(bytes, kind) }
        let channel: ShimStreamFrame.Channel = kind == .stdout ? .stdout : .stderr
        if case .frames = way, ring.isEmpty, client.sendAtOnce(channel.head(byteCount: bytes.count), bytes) { return }
        ring.append(bytes, kind)
        client.pump()
    }

    func end() {
        hasEnded = true
        client.pump()
    }

    /// The client has left, or the engine that it came by.
    func leave() {
        source?.leave()
        source = nil
        leaveOutput()
    }

    /// Nobody is at the other end of the connection: a client is not to be kept by its own.
    func leaveOutput() {
        switch way {
        case .frames: break
        case .turning(let turn): turn.close()
        case .sink(let sink): sink.close()
        }
        way = .frames
    }

    /// The next frame to send; nil when there is none now.
    func next() -> ShimStreamFrame? {
        switch way {
        case .frames: return ring.next() ?? endFrame()
        case .turning(let turn):
            if turn.isTold { return nil }
            if let frame = ring.next() { return frame }
            turn.isTold = true
            return .outputTurn
        case .sink(let sink): return sink.isBehind ? nil : endFrame()
        }
    }

    private func endFrame() -> ShimStreamFrame? {
        guard hasEnded else { return nil }
        hasEnded = false
        client.closeWhenFlushed()
        return .end
    }
}

/// What the engine lends.
extension Attachment {
    /// Has the process's input come from a client's own connection.
    ///
    /// - Parameter descriptor: taken over. It shares its flags with the engine's, which does not block.
    func readInput(
        from descriptor: Descriptor, for input: InputQueue, scratch: ScratchMemory
    ) throws(ShimFrameError) {
        guard source == nil else {
            descriptor.close()
            throw ShimFrameError("a second source of input")
        }
        let source = InputSource(loop, descriptor, to: input, scratch: scratch) { [weak self] in self?.sourceEnded() }
        self.source = source
        source.resume()
    }

    private func sourceEnded() {
        source = nil
        client.send(.sourceEnd)
    }

    /// Has output go to the connection that will come by `door`, which is taken over, once all that came before has gone.
    func turnOutput(to door: Descriptor, _ heads: ShimOutputHeads) throws(ShimFrameError) {
        guard request.holdsBack, case .frames = way else {
            door.close()
            throw ShimFrameError("a second target of output, or one for who may lose some")
        }
        do throws(KernelError) {
            way = .turning(try OutputTurn(loop, door, heads) { [unowned self] in turned(to: $0, heads) })
        } catch {
            // The engine, which sees the end of the pair, goes on as before.
            Diagnostics.note("turn output to a client: \(error)")
            return door.close()
        }
        onRoom()
        client.pump()
    }

    private func turned(to target: Descriptor?, _ heads: ShimOutputHeads) {
        if let target {
            let sink = OutputSink(loop, target, heads) { [unowned self] in hasRoom() }
            // What was read meanwhile, at the process's end.
            while let frame = ring.next() {
                switch frame {
                case .stdout(let bytes): bytes.withUnsafeBytes { sink.send($0, .stdout) }
                case .stderr(let bytes): bytes.withUnsafeBytes { sink.send($0, .stderr) }
                default: break
                }
            }
            way = .sink(sink)
        } else {
            way = .frames
        }
        hasRoom()
    }

    private func hasRoom() {
        onRoom()
        client.pump()
    }
}

import Glibc
import Linux

/// A published port of streams: takes the connections that come past the packet filter and carries their bytes.
final class StreamForward {
    private static let connectionLimit = 1024

    private let loop: EventLoop
    private let index: Int
    private let configuration: LiveConfiguration
    private let kind: InternetSocket.Kind
    private let budget: DescriptorBudget
    private var doorway: Doorway?
    private var connections: [ObjectIdentifier: CarriedConnection] = [:]
    /// Clients are turned away, which was told.
    private var isFull = false

    init(
        _ loop: EventLoop, _ listener: Descriptor, index: Int, configuration: LiveConfiguration,
        budget: DescriptorBudget
    ) throws(KernelError) {
        self.loop = loop
        self.budget = budget
        self.index = index
        self.configuration = configuration
        kind = try InternetSocket.kind(ofListener: listener)
        doorway = try Doorway(loop, listener) { [unowned self] in carry($0) }
    }

    /// The listener is its owner's to close.
    func close() {
        doorway?.close()
        doorway = nil
        budget.giveBack(2 * connections.count)
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    private func carry(_ client: Descriptor) {
        guard let target = configuration.target(index) else { return client.close() }
        guard connections.count < Self.connectionLimit, budget.take(2) else {
            if !isFull { Diagnostics.note("a client is turned away: \(connections.count) connections are carried") }
            isFull = true
            return client.close()
        }
        if connections.count < Self.connectionLimit / 2 { isFull = false }
        let connection = CarriedConnection(loop, client)
        // Weak: it is called a turn later, when the container may have ended and its ports be closed.
        connection.onEnd = { [weak self] connection in
            guard let self, connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            budget.giveBack(2)
        }
        connections[ObjectIdentifier(connection)] = connection
        connection.start(to: target, kind)
    }
}

/// Two sockets, each of which gets what comes from the other. The end of one's bytes is passed on and the other
/// direction goes on; a slow reader holds its writer back.
final class CarriedConnection {
    private final class Side {
        let socket: Descriptor
        var watch: EventLoop.Watch?
        /// What is still to be written to this side.
        var pending: [UInt8] = []
        /// Whether bytes may still come from it.
        var isReading = true
        /// Whether its end of writing was passed on.
        var isShut = false
        /// Both directions of it are over. The kernel says so without end, whatever is asked for.
        var hasHungUp = false

        init(_ socket: Descriptor) { self.socket = socket }
    }

    private let loop: EventLoop
    private let client: Side
    private var server: Side?
    private var isConnecting = false
    private var isClosed = false
    var onEnd: (CarriedConnection) -> Void = { _ in }

    /// Takes the socket over.
    init(_ loop: EventLoop, _ client: Descriptor) {
        self.loop = loop
        self.client = Side(client)
    }

    func start(to target: SocketEndpoint, _ kind: InternetSocket.Kind) {
        do throws(KernelError) {
            let server = Side(try InternetSocket.open(kind, target.address.family))
            self.server = server
            isConnecting = !(try InternetSocket.connect(server.socket, to: target))
            try watch(client, server, [])
            try watch(server, client, [])
            update()
        } catch { end() }
    }

    private func watch(_ side: Side, _ other: Side, _ events: EpollEvents) throws(KernelError) {
        side.watch = try loop.watch(side.socket, events) { [unowned self] in serve(side, other, $0) }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        for side in [client, server].compactMap({ $0 }) {
            if let watch = side.watch { loop.forget(watch) }
            side.socket.close()
        }
    }

    private func end() {
        guard !isClosed else { return }
        close()
        // Not at once: this object is in its own handler.
        loop.after(milliseconds: 0) { [self] in onEnd(self) }
    }

    private func serve(_ side: Side, _ other: Side, _ events: EpollEvents) {
        if events.contains(.hangUp) { side.hasHungUp = true }
        if isConnecting, side === server {
            // A refusal of the container's is passed on as the connection's end.
            guard !events.isDisjoint(with: [.writable, .error, .hangUp]) else { return }
            if let failure = try? InternetSocket.pendingError(side.socket), failure.rawValue != 0 { return end() }
            isConnecting = false
        }
        do throws(KernelError) {
            if !side.pending.isEmpty { try flush(side) }
            if side.isReading, other.pending.isEmpty { try carry(from: side, to: other) }
        } catch { return end() }
        if !client.isReading, server?.isReading == false, client.pending.isEmpty, server?.pending.isEmpty == true {
            return end()
        }
        if events.contains(.error) || events.contains(.hangUp) && !side.isReading { return end() }
        update()
    }

    private func carry(from side: Side, to other: Side) throws(KernelError) {
        var chunk = [UInt8](repeating: 0, count: 32 << 10)
        do throws(KernelError) {
            let count = try side.socket.read(into: &chunk)
            if count == 0 {
                side.isReading = false
            } else {
                other.pending = Array(chunk[..<count])
            }
        } catch { if error.errno == .wouldBlock { return } else { throw error } }
        try flush(other)
    }

    private func flush(_ side: Side) throws(KernelError) {
        do throws(KernelError) {
            while !side.pending.isEmpty {
                let count = try UnixSocket.send(side.socket, side.pending, from: 0)
                side.pending.removeFirst(count)
            }
        } catch { if error.errno == .wouldBlock { return } else { throw error } }
        let source = side === client ? server : client
        if source?.isReading == false, !side.isShut {
            side.isShut = true
            shutdown(side.socket.rawValue, Int32(SHUT_WR))
        }
    }

    /// Waits for what can be used: bytes where there is room for them, room where bytes wait.
    private func update() {
        guard !isClosed, let server else { return }
        do throws(KernelError) {
            for (side, other) in [(client, server), (server, client)] {
                var events: EpollEvents = []
                if side.isReading, other.pending.isEmpty, !isConnecting { events.insert(.readable) }
                if !side.pending.isEmpty || isConnecting && side === server { events.insert(.writable) }
                try update(side, other, events)
            }
        } catch { end() }
    }

    private func update(_ side: Side, _ other: Side, _ events: EpollEvents) throws(KernelError) {
        guard let watch = side.watch else {
            // What it left is wanted now.
            if !events.isEmpty { try self.watch(side, other, events) }
            return
        }
        guard events.isEmpty, side.hasHungUp else { return loop.change(watch, events) }
        // Nothing of it can be used before the other side has taken what waits: else the loop would turn for nothing.
        loop.forget(watch)
        side.watch = nil
    }
}

import Linux

/// Messages over a stream, two bytes of length before each: a client's connection, or one to the host's resolver.
final class NameConnection {
    private static let idleMilliseconds: Int64 = 10_000

    private let loop: EventLoop
    private let socket: Descriptor
    private var watch: EventLoop.Watch?
    private var alarm: EventLoop.Alarm?
    private var incoming: [UInt8] = []
    private var outgoing: [UInt8] = []
    private var isClosed = false
    var onMessage: ([UInt8]) -> Void = { _ in }
    /// Called once; not where `close` was called from outside.
    var onEnd: (NameConnection) -> Void = { _ in }

    /// Takes the socket over.
    init(_ loop: EventLoop, _ socket: Descriptor) {
        self.loop = loop
        self.socket = socket
    }

    func start(isConnecting: Bool = false) {
        do throws(KernelError) {
            watch = try loop.watch(socket, isConnecting ? [.readable, .writable] : .readable) { [unowned self] events in
                serve(events)
            }
            restartClock()
        } catch { end() }
    }

    func send(_ message: [UInt8]) {
        guard !isClosed, message.count <= 65535 else { return }
        outgoing += [UInt8(message.count >> 8), UInt8(message.count & 255)] + message
        flush()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let watch { loop.forget(watch) }
        loop.cancel(alarm)
        socket.close()
    }

    private func end() {
        guard !isClosed else { return }
        close()
        onEnd(self)
    }

    private func restartClock() {
        loop.cancel(alarm)
        alarm = loop.after(milliseconds: Self.idleMilliseconds) { [unowned self] in end() }
    }

    private func serve(_ events: EpollEvents) {
        if events.contains(.writable) { flush() }
        guard !isClosed, !events.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        var chunk = [UInt8](repeating: 0, count: 4096)
        do throws(KernelError) {
            let count = try socket.read(into: &chunk)
            guard count > 0 else { return end() }
            incoming += chunk[..<count]
            restartClock()
        } catch {
            return error.errno == .wouldBlock ? () : end()
        }
        while !isClosed, incoming.count >= 2 {
            let length = Int(incoming[0]) << 8 | Int(incoming[1])
            guard incoming.count >= 2 + length else { break }
            let message = Array(incoming[2..<2 + length])
            incoming.removeFirst(2 + length)
            onMessage(message)
        }
    }

    private func flush() {
        guard let watch else { return }
        do throws(KernelError) {
            while !outgoing.isEmpty {
                let count = try UnixSocket.send(socket, outgoing, from: 0)
                outgoing.removeFirst(count)
            }
            loop.change(watch, .readable)
        } catch {
            guard error.errno == .wouldBlock || error.errno.rawValue == 107 else { return end() }  // ENOTCONN: not yet.
            // A client that asks and does not read.
            if outgoing.count > 1 << 20 { return end() }
            loop.change(watch, [.readable, .writable])
        }
    }
}

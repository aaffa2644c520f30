import Linux
import NameService

/// A question passed on to the host's resolvers, one after another until one has an answer, from the shim's network or
/// from the container's. Who only says that it cannot or will not answer is heard where nobody has more to say.
///
/// Each try has a socket, and so a port, of its own, and a number of its own: an answer from elsewhere fits neither.
final class UpstreamQuestion {
    private static let patienceMilliseconds: Int64 = 2500

    private let loop: EventLoop
    private let message: [UInt8]
    private let isStream: Bool
    private let pid: Int32?
    private let done: (UpstreamQuestion, [UInt8]?) -> Void
    private var servers: ArraySlice<SocketEndpoint>
    /// The first answer that was none.
    private var refusal: [UInt8]?
    private var number: UInt16 = 0
    private var socket: Descriptor?
    private var watch: EventLoop.Watch?
    private var connection: NameConnection?
    private var alarm: EventLoop.Alarm?

    /// - Parameters:
    ///   - pid: of the container whose network leads to the resolvers; nil for the shim's own.
    ///   - done: called once with the answer, or nil where nobody answers; not after `close`.
    init(
        _ loop: EventLoop, _ message: [UInt8], servers: [SocketEndpoint], isStream: Bool, from pid: Int32?,
        done: @escaping (UpstreamQuestion, [UInt8]?) -> Void
    ) {
        self.loop = loop
        self.message = message
        self.servers = servers.prefix(3)
        self.isStream = isStream
        self.pid = pid
        self.done = done
    }

    func ask() {
        close()
        guard let server = servers.popFirst() else { return done(self, refusal) }
        number = UInt16.random(in: 0...UInt16.max)
        alarm = loop.after(milliseconds: Self.patienceMilliseconds) { [unowned self] in ask() }
        do throws(KernelError) {
            if isStream { try askByStream(server) } else { try askByDatagram(server) }
        } catch { return ask() }
    }

    func close() {
        loop.cancel(alarm)
        if let watch { loop.forget(watch) }
        socket?.close()
        connection?.close()
        (watch, socket, connection) = (nil, nil, nil)
    }

    private var numbered: [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] + message.dropFirst(2) }

    private func open(_ kind: InternetSocket.Kind, _ server: SocketEndpoint) throws(KernelError) -> Descriptor {
        guard let pid else { return try InternetSocket.open(kind, server.address.family) }
        return try NetworkVisit.run(pid: pid) { () throws(KernelError) in
            try InternetSocket.open(kind, server.address.family)
        }
    }

    private func askByDatagram(_ server: SocketEndpoint) throws(KernelError) {
        let socket = try open(.datagram, server)
        self.socket = socket
        // Connected: the kernel drops what comes from anybody else, and tells of a port that nobody serves.
        _ = try InternetSocket.connect(socket, to: server)
        _ = try UnixSocket.send(socket, numbered, from: 0)
        watch = try loop.watch(socket, .readable) { [unowned self] _ in receive(socket) }
    }

    private func receive(_ socket: Descriptor) {
        // Whatever size the client allows: RFC 6891 has it in 16 bits.
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            do throws(KernelError) {
                let count = try socket.read(into: buffer)
                take(Array(buffer[..<count]))
            } catch {
                if error.errno != .wouldBlock { ask() }
            }
        }
    }

    private func askByStream(_ server: SocketEndpoint) throws(KernelError) {
        let socket = try open(.stream, server)
        do throws(KernelError) { _ = try InternetSocket.connect(socket, to: server) } catch {
            socket.close()
            throw error
        }
        let connection = NameConnection(loop, socket)
        self.connection = connection
        connection.onMessage = { [unowned self] in take($0) }
        connection.onEnd = { [unowned self] _ in ask() }
        connection.start(isConnecting: true)
        connection.send(numbered)
    }

    /// An answer with another number is somebody's guess: the right one may still come.
    private func take(_ reply: [UInt8]) {
        guard reply.count >= 12, reply[0] == UInt8(number >> 8), reply[1] == UInt8(number & 255) else { return }
        close()
        let answer = Array(message.prefix(2)) + reply.dropFirst(2)
        guard Self.refusals.contains(UInt16(reply[3] & 15)) else { return done(self, answer) }
        refusal = refusal ?? answer
        ask()
    }

    /// As resolv.conf(5)'s resolver has it: the next server may know.
    private static let refusals = Set(
        [DNSResponseCode.serverFailure, .notImplemented, .refused].map(\.rawValue))
}

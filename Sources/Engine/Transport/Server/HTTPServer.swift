import Glibc
import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP/1.1 server on a Unix socket, or on a TCP address with TLS or without.
///
/// Each connection is one task; it runs the handler for one request after the other, and is cancelled when the client
/// goes away. The handler must answer by its `ResponseWriter`; an answer that it began and did not end closes the
/// connection, so that the client sees that it was cut.
package final class HTTPServer: Sendable {
    package typealias Handler = @Sendable (HTTPRequest, ResponseWriter) async -> Void

    package struct Configuration: Sendable {
        /// Requests that may give the connection up to raw bytes without an `Upgrade` field: method and path.
        package var mayHijack: @Sendable (_ method: String, _ path: String) -> Bool = { _, _ in false }
        /// Requests whose handler needs the thread for well under a millisecond between its waits, and never blocks it:
        /// it runs on the event loop's own thread, where it costs no change of threads and holds up all other
        /// connections. A body of up to 64 KiB is waited for before; one that is longer, or of unknown length, is handled
        /// elsewhere all the same.
        package var isBrief: @Sendable (_ method: String, _ path: String) -> Bool = { _, _ in false }
        /// The answer to a request, by its method and target, where it is there already: it is sent before any task or
        /// handler hears of the request. Asked on the event loop's own thread; nil sends the request on its usual way.
        package var prepared: @Sendable (_ method: String, _ target: String) -> PreparedAnswer? = { _, _ in nil }
        /// How long a connection may stay without a request, or with half a head.
        package var idleLimit: Duration = .seconds(180)
        /// As Go's server takes: a list of many images has all their names in its target.
        package var headLimitBytes = 1 << 20
        package var connectionLimit = 4096
        /// The socket file's permissions and group.
        package var socketMode: UInt32 = 0o660
        package var socketGroup: String? = "gantry"

        package init() {}
    }

    /// Connections that wait to be accepted. One that finds no room at a Unix socket is refused at once, by EAGAIN: as
    /// many as the kernel allows by itself (net.core.somaxconn).
    static let backlog: Int32 = 4096

    /// Nil where the socket has no file, or one of somebody else's.
    private let file: UnixListener?
    private let channel: any Channel
    private let connections: ConnectionTable

    private init(_ file: UnixListener?, _ channel: any Channel, _ connections: ConnectionTable) {
        self.file = file
        self.channel = channel
        self.connections = connections
    }

    /// Listens on `path` and serves. A socket file left behind by a dead server is replaced.
    ///
    /// - Throws: `cannotListen`, also where another server answers at the path.
    package static func start(
        socketPath path: String, _ configuration: Configuration = Configuration(), handler: @escaping Handler
    ) async throws(TransportError) -> HTTPServer {
        try await start(at: .unix(path: path), configuration, handler: handler)
    }

    /// Listens at an address and serves.
    ///
    /// - Parameter tls: speak TLS, with those clients alone that show a certificate; nil for plain HTTP.
    /// - Throws: `cannotListen`; `untrusted` where a file for TLS cannot be used.
    package static func start(
        at address: ListenAddress, _ configuration: Configuration = Configuration(), tls: ServerTLSSettings? = nil,
        handler: @escaping Handler
    ) async throws(TransportError) -> HTTPServer {
        let context: NIOSSLContext? = if let tls { try await tls.context() } else { nil }
        let connections = ConnectionTable(limit: configuration.connectionLimit)
        let socketPath = address.socketPath
        let bootstrap = ServerBootstrap(group: EventLoops.group)
            .serverChannelOption(ChannelOptions.backlog, value: Self.backlog)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.autoRead, value: false)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelOption(ChannelOptions.recvAllocator, value: receiving)
            .childChannelInitializer { channel in
                equip(channel, configuration, connections, context, socketPath, handler)
            }
        let file = try openFile(address, configuration)
        do {
            let channel = try await bind(bootstrap, address, file)
            return HTTPServer(file, channel, connections)
        } catch {
            file?.removeFile()
            throw .cannotListen(endpoint: "\(address)", reason: "\(error)")
        }
    }

    /// A connection keeps the buffer of its last read. Most requests are small, and buffers grow for those that are not.
    private static let receiving = AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 512, maximum: 65536)

    private static func openFile(
        _ address: ListenAddress, _ configuration: Configuration
    ) throws(TransportError) -> UnixListener? {
        guard case .unix(let path) = address else { return nil }
        do throws(KernelError) {
            return try UnixListener.open(
                UnixSocketPath(path: path), mode: configuration.socketMode, group: configuration.socketGroup)
        } catch {
            throw .cannotListen(endpoint: "\(address)", reason: "\(error)")
        }
    }

    private static func bind(
        _ bootstrap: ServerBootstrap, _ address: ListenAddress, _ file: UnixListener?
    ) async throws -> any Channel {
        switch address {
        case .tcp(let host, let port): return try await bootstrap.bind(host: host, port: port).get()
        case .inherited(let number): return try await take(number, bootstrap)
        case .unix:
            guard let file else { preconditionFailure("a socket with a file has been opened before") }
            return try await take(file.socket.rawValue, bootstrap)
        }
    }

    /// A socket that listens already. The library listens anew, with a backlog of its own.
    private static func take(_ number: CInt, _ bootstrap: ServerBootstrap) async throws -> any Channel {
        let channel = try await bootstrap.withBoundSocket(number).get()
        try kernelCall("listen") { listen(number, backlog) }
        return channel
    }

    /// The port in use, where the address has one.
    package var port: Int? { channel.localAddress?.port }

    /// Serves on until no client is connected any more, at most for so long.
    package func drain(atMost limit: Duration) async { await connections.waitUntilEmpty(atMost: limit) }

    /// Takes no more connections, gives requests that have no answer yet `grace` to get one, then cuts what is left:
    /// streams and raw connections at once, the others after that time. Returns when all connections are gone.
    package func stop(grace: Duration = .seconds(5)) async {
        file?.removeFile()
        // Closed already: the listener is what `stop` wants it to be.
        try? await channel.close().value()
        await connections.stop(grace: grace)
    }

    private static func equip(
        _ channel: any Channel, _ configuration: Configuration, _ connections: ConnectionTable,
        _ context: NIOSSLContext?, _ socketPath: String?, _ handler: @escaping Handler
    ) -> EventLoopFuture<Void> {
        guard let registration = connections.add(channel) else { return channel.close() }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = configuration.headLimitBytes
        limits.maxHeaderListSize = configuration.headLimitBytes
        return channel.eventLoop.makeCompletedFuture {
            try Keepalive.apply(toAccepted: channel)
            if let context {
                let refusal = OrderlyRefusal()
                try channel.pipeline.syncOperations.addHandlers(
                    refusal, PlainTextRefusal(), NIOSSLServerHandler(context: context), Admission(refusal))
            }
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(
                    leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
                    limitConfiguration: limits))
            let connection = ServerConnection(
                ready: ReadyAnswers(find: configuration.prepared), mayHijack: configuration.takesOver
            ) { channel, bound in
                let link = ServerLink(channel: channel, connection: bound, registration: registration)
                return Task(executorPreference: LoopExecutor(channel.eventLoop)) {
                    await ServerSession(
                        link: link, configuration: configuration, socketPath: socketPath, handler: handler
                    ).run()
                }
            }
            var encoding = HTTPResponseEncoder.Configuration()
            encoding.automaticallySetFramingHeaders = false
            let (repeats, encoder) = (RepeatGate(connection), HTTPResponseEncoder(configuration: encoding))
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers(
                repeats, encoder,
                RawGate(httpBytesLeft: { connection.httpBytesLeft }, receiveRaw: { connection.receiveRaw($0) }),
                decoder, connection)
            connection.leaveHTTP = {
                let leaving: [any RemovableChannelHandler] = [repeats, encoder, decoder]
                return .andAllSucceed(leaving.map { pipeline.removeHandler($0) }, on: channel.eventLoop)
            }
        }
    }
}

extension HTTPServer.Configuration {
    var idleTime: TimeAmount { TimeAmount(idleLimit) }

    @Sendable func takesOver(_ head: HTTPRequestHead) -> Bool {
        mayHijack(head.method.rawValue, head.path)
    }
}

extension PeerCredentials {
    /// `struct ucred` of unix(7), which the importer does not see.
    private struct Wire {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
    }

    /// Nil also for a connection over TCP, whose other end the kernel does not know.
    init?(of channel: any Channel) async {
        guard case .unixDomainSocket? = channel.localAddress, let provider = channel as? any SocketOptionProvider else {
            return nil
        }
        let future: EventLoopFuture<Wire> = provider.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET), name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        // A connection that is gone has nobody at its other end.
        guard let credentials = try? await future.value() else { return nil }
        self.init(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }
}

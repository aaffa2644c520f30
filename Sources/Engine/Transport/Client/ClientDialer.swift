import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Makes a client's connections: socket, then tunnel, then TLS, then HTTP, as each is wanted.
struct ClientDialer: Sendable {
    let endpoint: HTTPEndpoint
    let tls: TLSSettings?
    let proxy: HTTPProxy?
    let limit: Duration
    let silenceLimit: Duration?

    func connect() async throws(TransportError) -> ClientLink {
        do {
            let context: NIOSSLContext? = if let tls { try await TLSContexts.context(for: tls) } else { nil }
            let (channel, command) = try await connectedChannel()
            do {
                let watch = try await Self.within(limit, channel) { () -> NIOLoopBound<HandshakeWatch>? in
                    try await openTunnel(channel)
                    guard let context else { return nil }
                    return try await shakeHands(channel, context)
                }
                return try await addHTTP(channel, command, behind: watch)
            } catch {
                channel.close(promise: nil)
                // A program that has ended already said why.
                guard let complaint = command?.complaint, !complaint.isEmpty else { throw error }
                throw TransportError.cannotConnect(endpoint: "\(endpoint)", reason: complaint)
            }
        } catch let error as KernelError {
            throw .cannotConnect(endpoint: "\(endpoint)", reason: "\(error)", errno: error.errno)
        } catch let error as TransportError {
            throw error
        } catch let error as NIOConnectionError {
            // One line, where NIO lists every address it tried.
            guard let last = error.connectionErrors.last?.error else {
                throw .cannotConnect(endpoint: "\(endpoint)", reason: "no such host")
            }
            let number = (last as? IOError).map { Errno(rawValue: $0.errnoCode) }
            throw .cannotConnect(
                endpoint: "\(endpoint)", reason: number.map { "\($0)" } ?? "\(last)", errno: number)
        } catch {
            let number = (error as? IOError).map { Errno(rawValue: $0.errnoCode) }
            throw .cannotConnect(endpoint: "\(endpoint)", reason: "\(error)", errno: number)
        }
    }

    private func connectedChannel() async throws -> (any Channel, CommandConnection?) {
        let bootstrap = ClientBootstrap(group: EventLoops.group)
            .channelOption(ChannelOptions.autoRead, value: false)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .connectTimeout(TimeAmount(limit))
        if let proxy {
            return (try await Keepalive.apply(to: bootstrap).connect(host: proxy.host, port: proxy.port).get(), nil)
        }
        switch endpoint {
        case .unix(let path):
            return (try await bootstrap.withConnectedSocket(try await connectedSocket(path)).get(), nil)
        case .tcp(let host, let port):
            return (try await Keepalive.apply(to: bootstrap).connect(host: host, port: port).get(), nil)
        case .command(let words, _):
            let command = try CommandConnection(words)
            let channel = try await bootstrap.withConnectedSocket(command.socket.rawValue).get()
            channel.closeFuture.whenComplete { _ in command.end() }
            return (channel, command)
        }
    }

    /// A connected socket; waits a little where the server's queue is full, as connect(2) does not when it must not
    /// block.
    func connectedSocket(_ path: String) async throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while true {
            do throws(KernelError) {
                return try UnixSocketPath(path: path).connect().rawValue
            } catch {
                guard error.errno == .wouldBlock else { throw error }
                guard ContinuousClock.now < deadline else { throw TransportError.timedOut("connect to `\(path)`") }
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }

    /// Closes the channel where it takes too long, or where the task is cancelled, which ends what is awaited on it.
    private static func within<Value>(
        _ limit: Duration, _ channel: any Channel, _ body: () async throws -> Value
    ) async throws -> Value {
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func openTunnel(_ channel: any Channel) async throws {
        guard let proxy, case .tcp(let host, let port) = endpoint else { return }
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let opened = channel.eventLoop.makePromise(of: Void.self)
        try await channel.eventLoop.flatSubmit {
            let tunnel = ProxyTunnel(to: authority, authorization: proxy.authorization, whenOpen: opened)
            do { try channel.pipeline.syncOperations.addHandler(tunnel) } catch { opened.fail(error) }
            return opened.futureResult.assumeIsolated().flatMap {
                channel.pipeline.syncOperations.removeHandler(tunnel)
            }.nonisolated()
        }.get()
    }

    /// - Returns: what goes on to watch, until something else stands behind TLS.
    private func shakeHands(
        _ channel: any Channel, _ context: NIOSSLContext
    ) async throws -> NIOLoopBound<HandshakeWatch>? {
        guard case .tcp(let host, _) = endpoint else { return nil }
        let shaken = channel.eventLoop.makePromise(of: Void.self)
        return try await channel.eventLoop.flatSubmit {
            let watch = NIOLoopBound(HandshakeWatch(shaken), eventLoop: channel.eventLoop)
            do {
                // An address is no server name; the certificate must then bear the address itself.
                let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
                try channel.pipeline.syncOperations.addHandlers(handler, watch.value)
            } catch { shaken.fail(error) }
            return shaken.futureResult.map { watch }
        }.get()
    }

    private func addHTTP(
        _ channel: any Channel, _ command: CommandConnection?, behind watch: NIOLoopBound<HandshakeWatch>?
    ) async throws -> ClientLink {
        let silenceLimit = silenceLimit.map { TimeAmount($0) }
        return try await channel.eventLoop.submit {
            // Nobody will tell of it again.
            if let failure = watch?.value.lateFailure { throw failure }
            var encoding = HTTPRequestEncoder.Configuration()
            encoding.automaticallySetFramingHeaders = false
            let connection = ClientConnection()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers(
                HTTPRequestEncoder(configuration: encoding),
                RawGate(httpBytesLeft: { connection.httpBytesLeft }, receiveRaw: { connection.receiveRaw($0) }),
                ByteToMessageHandler(HTTPResponseDecoder()), connection)
            if let watch { pipeline.removeHandler(watch.value, promise: nil) }
            return ClientLink(
                channel: channel, connection: NIOLoopBound(connection, eventLoop: channel.eventLoop), command: command,
                silenceLimit: silenceLimit)
        }.get()
    }
}

/// An HTTP proxy to go through.
package struct HTTPProxy: Hashable, Sendable {
    package var host: String
    package var port: Int
    /// The value of a `Proxy-Authorization` field.
    package var authorization: String?

    package init(host: String, port: Int, authorization: String? = nil) {
        self.host = host
        self.port = port
        self.authorization = authorization
    }
}

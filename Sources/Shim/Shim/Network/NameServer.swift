import Linux
import NameService

/// The container's name server: datagrams and connections at port 53 of 127.0.0.11, in the container's namespace.
final class NameServer {
    static let address = SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53)
    /// How many questions wait for the host's resolvers at a time; more are refused.
    private static let forwardLimit = 256
    private static let connectionLimit = 64

    private let loop: EventLoop
    private let configuration: LiveConfiguration
    private let pid: Int32
    private let datagrams: Descriptor
    private let listener: Descriptor
    private var watch: EventLoop.Watch?
    private var doorway: Doorway?
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var questions: [ObjectIdentifier: UpstreamQuestion] = [:]
    private var connections: [ObjectIdentifier: NameConnection] = [:]

    /// To be called in the container's namespace.
    static func sockets() throws(KernelError) -> (Descriptor, Descriptor) {
        let datagrams = try InternetSocket.bound(.datagram, address)
        do throws(KernelError) {
            return (datagrams, try InternetSocket.bound(.stream, address))
        } catch {
            datagrams.close()
            throw error
        }
    }

    /// - Parameter pid: of the container's first process.
    init(
        _ loop: EventLoop, datagrams: Descriptor, listener: Descriptor, configuration: LiveConfiguration, pid: Int32
    ) throws(KernelError) {
        self.loop = loop
        self.pid = pid
        self.configuration = configuration
        self.datagrams = datagrams
        self.listener = listener
        watch = try loop.watch(datagrams, .readable) { [unowned self] _ in takeDatagrams() }
        doorway = try Doorway(loop, listener) { [unowned self] in serve($0) }
    }

    func close() {
        if let watch { loop.forget(watch) }
        doorway?.close()
        for question in questions.values { question.close() }
        for connection in connections.values { connection.close() }
        (watch, doorway, questions, connections) = (nil, nil, [:], [:])
        datagrams.close()
        listener.close()
    }

    /// A bounded number a turn, so that a busy client does not keep the container's output waiting.
    private func takeDatagrams() {
        for _ in 0..<64 {
            do throws(KernelError) {
                let (count, client) = try InternetSocket.receive(datagrams, into: &buffer)
                answer(Array(buffer[..<count]), client)
            } catch { return }  // Nothing more waits, or an earlier answer found nobody: neither is of interest.
        }
    }

    private func answer(_ message: [UInt8], _ client: SocketEndpoint) {
        switch configuration.decide(message, limit: nil) {
        case .drop: break
        case .reply(let bytes): send(bytes, client)
        case .forward: forward(message, isStream: false) { [unowned self] reply in send(reply, client) }
        }
    }

    /// A client whose queue is full asks again.
    private func send(_ bytes: [UInt8], _ client: SocketEndpoint) {
        do throws(KernelError) { try InternetSocket.send(datagrams, bytes, to: client) } catch { return }
    }

    private func serve(_ socket: Descriptor) {
        guard connections.count < Self.connectionLimit else { return socket.close() }
        let connection = NameConnection(loop, socket)
        connection.onMessage = { [unowned self, unowned connection] message in
            answer(message, connection)
        }
        connection.onEnd = { [unowned self] connection in connections[ObjectIdentifier(connection)] = nil }
        connections[ObjectIdentifier(connection)] = connection
        connection.start()
    }

    private func answer(_ message: [UInt8], _ connection: NameConnection) {
        switch configuration.decide(message, limit: 65535) {
        case .drop:
            connections[ObjectIdentifier(connection)] = nil
            connection.close()
        case .reply(let bytes): connection.send(bytes)
        case .forward: forward(message, isStream: true) { [weak connection] in connection?.send($0) }
        }
    }

    private func forward(_ message: [UInt8], isStream: Bool, _ answer: @escaping ([UInt8]) -> Void) {
        guard questions.count < Self.forwardLimit else { return answer(Self.failure(message)) }
        let known = configuration.current
        let question = UpstreamQuestion(
            loop, message, servers: known.servers, isStream: isStream, from: known.asksWithin ? pid : nil
        ) { [unowned self] question, reply in
            questions[ObjectIdentifier(question)] = nil
            answer(reply ?? Self.failure(message))
        }
        questions[ObjectIdentifier(question)] = question
        question.ask()
    }

    private static func failure(_ message: [UInt8]) -> [UInt8] {
        // It was read before it was forwarded.
        (try? DNSQuery(parsing: message))?.response(.serverFailure, limit: 512) ?? []
    }
}

import EngineAPI

extension FailoverEngine {
    /// A stream that begins anew at the next host when its own goes.
    ///
    /// - Parameters:
    ///   - first: the stream to begin with, where the first one is asked for otherwise.
    ///   - open: opens the stream; is given the last element that came, nil where there was none.
    func resuming<Element: Sendable>(
        _ first: EngineStream<Element>? = nil,
        _ open: @escaping @Sendable (Element?) async throws(EngineError) -> EngineStream<Element>
    ) async throws(EngineError) -> EngineStream<Element> {
        let socket = seat.socket
        let stream: EngineStream<Element>
        if let first { stream = first } else { stream = try await open(nil) }
        let cursor = ResumingCursor(stream, at: socket, open)
        return EngineStream { try await cursor.next() }
    }
}

/// Pulls a stream, and the next one after it where the host went. One consumer, as of every `EngineStream`.
private actor ResumingCursor<Element: Sendable> {
    typealias Opening = @Sendable (Element?) async throws(EngineError) -> EngineStream<Element>

    private let open: Opening
    private let socket: EngineSocket
    private var host: Int32?
    private var stream: EngineStream<Element>
    private var last: Element?

    init(_ stream: EngineStream<Element>, at socket: EngineSocket, _ open: @escaping Opening) {
        self.stream = stream
        self.socket = socket
        self.open = open
        host = socket.listener
    }

    func next() async throws -> Element? {
        while true {
            do {
                let element = try await stream.next()
                if let element { last = element }
                return element
            } catch let error as EngineError where error.kind == .unavailable {
                // The same host still serves: it is the stream that failed.
                if let host, await socket.isServed(by: host) { throw error }
                stream = try await open(last)
                host = socket.listener
            }
        }
    }
}

import DockerAPI
import EngineAPI
import JSON
import Transport

/// One request with all that its route needs to answer it.
struct Exchange: Sendable {
    let engine: any Engine
    let request: HTTPRequest
    let writer: ResponseWriter
    let version: APIVersion
    /// What the route's pattern names, percent-decoded.
    let parameters: [String: String]
    let query: QueryString
    /// What each answer carries.
    let commonFields: HTTPFields
    let ping: Ping
    let journal: DaemonJournal
    let work: PendingWork
    let lists: ContainerListText
    let inspections: WrittenTexts<ContainerDetails>
    let kept: KeptAnswers

    /// No body of a request but an archive's is longer.
    static let bodyLimitBytes = 4 << 20

    /// The parameter of that name in the route's pattern.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The container that the path names.
    var container: String { parameter("id") }

    /// The request's body as JSON.
    func body() async throws -> BodyReader {
        let bytes: [UInt8]
        do throws(TransportError) {
            bytes = try await request.body.collect(limitBytes: Self.bodyLimitBytes)
        } catch {
            guard case .tooLarge(let limit) = error else { throw error }
            throw EngineError(.invalid, "the request's body is longer than \(limit) bytes")
        }
        let type = request.fields["Content-Type"]?.lowercased() ?? "application/json"
        guard bytes.isEmpty || type.hasPrefix("application/json") else {
            throw EngineError(.invalid, "unsupported Content-Type header (\(type)): must be 'application/json'")
        }
        return try BodyReader(parsing: bytes)
    }
}

extension Exchange {
    func send(_ status: Int, _ value: JSONValue) async throws {
        try await send(status, text: value.compactBytes + [10])
    }

    /// An answer of JSON that is text already.
    func send(_ status: Int, text: [UInt8]) async throws {
        var fields = commonFields
        fields["Content-Type"] = "application/json"
        try await writer.send(status, fields, body: text)
    }

    /// The same, and kept for whoever asks the same, where it is known how long it holds.
    func send(
        _ status: Int, text: [UInt8], keepingFor term: KeptAnswers.Term?, rows: ContainerListRows? = nil
    ) async throws {
        if let term {
            var fields = commonFields
            fields["Content-Type"] = "application/json"
            kept.keep(PreparedAnswer(status, fields, body: text), to: request.target, term, rows: rows)
        }
        try await send(status, text: text)
    }

    /// An answer without a body.
    func send(_ status: Int) async throws { try await writer.send(status, commonFields) }

    /// - Parameter status: nil for that of the error's kind.
    func send(_ error: EngineError, status: Int? = nil) async throws {
        if error.kind == .notModified { return try await send(304) }
        var fields = commonFields
        fields["Content-Type"] = "application/json"
        fields[EngineError.kindField] = error.kind.rawValue
        let status = status ?? ErrorStatus.status(error.kind)
        try await writer.send(status, fields, body: error.dockerBody.compactBytes + [10])
    }

    /// The head of an answer that comes in pieces.
    func begin(_ contentType: String) async throws {
        var fields = commonFields
        fields["Content-Type"] = contentType
        try await writer.begin(200, fields)
    }

    /// A JSON value on a line of its own.
    func writeLine(_ value: JSONValue) async throws { try await writer.write(value.compactBytes + [10]) }
}

extension Exchange {
    /// The type of a stream of output: from 1.42 on it tells whether there are frames.
    func streamType(isFramed: Bool) -> String {
        isFramed && version >= APIVersion(1, 42)
            ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream"
    }

    /// Gives the connection up to raw bytes: 101 where the client asked for an upgrade, 200 where it did not.
    func hijack(isFramed: Bool) async throws -> HijackedConnection {
        var fields = commonFields
        fields["Content-Type"] = streamType(isFramed: isFramed)
        guard request.fields["Upgrade"] != nil else { return try await writer.hijack(200, fields) }
        fields["Connection"] = "Upgrade"
        fields["Upgrade"] = "tcp"
        return try await writer.hijack(101, fields)
    }

    /// The client goes on with its session at the next server, should this one go.
    var isResumed: Bool { query.flag(ExecStartRequest.resumesQuery) }

    /// Has a session live on after its request.
    func goOn(_ session: StdioSession) {
        var session = session
        if !isResumed { session.pending = work.begin() }
        writer.goOn { [session] in await session.run() }
    }

    /// Whether the client might take the first bytes of a stream for a part of the head where they come with it.
    /// Docker's own and ours read both through one buffer.
    var mayMissHead: Bool { !isFromDockerCLI && !isFromGantry }

    /// Whether the log of a container with a terminal comes in frames, too, where its times are wanted: what follows a
    /// prompt stands in the prompt's line, and its time could not be told from what was written there. Docker's clients
    /// expect none; ours look at the answer's type, which tells of frames from 1.42 on.
    var framesTerminalLogs: Bool { isFromGantry && version >= APIVersion(1, 42) }

    /// The client is docker's own command line, or a plugin of it: what frames hold is copied to its output, whatever
    /// their length.
    var isFromDockerCLI: Bool { request.fields["User-Agent"]?.hasPrefix("Docker-Client/") ?? false }

    /// The client is one of ours: it takes an error as an error where docker's wants text in a stream, and looks for
    /// detach keys itself.
    var isFromGantry: Bool { request.fields["User-Agent"]?.hasPrefix("Gantry/") ?? false }
}

extension HijackedConnection {
    /// Before the first bytes of a stream, for who reads the head apart: it has been read long before in nearly all
    /// cases.
    func waitUntilHeadIsRead() async { await waitUntilRead(atMost: .milliseconds(200)) }
}

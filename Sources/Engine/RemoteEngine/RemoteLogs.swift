import DockerAPI
import EngineAPI
import JSON
import Transport

extension DockerEngine {
    package func logs(
        _ reference: String, _ request: LogRequest
    ) async throws(EngineError) -> EngineStream<LogBatch> {
        let isFramed: Bool? = try await saysFraming() ? nil : try await !inspect(reference).spec.tty
        var request = request
        // Of a terminal podman writes a time before each piece that was read from it, in the middle of a line, and in a
        // form that programs use, too.
        if request.certainTimesOnly, isFramed == false, try await client.server().isPodman {
            (request.times, request.details) = (false, false)
        }
        let response = try await client.send(
            "GET", containerPath(reference, "logs"), request.dockerQuery, object: reference)
        let reader = LogReader(
            response.body, client, isFramed: isFramed ?? Self.isFramed(response.fields),
            request)
        return EngineStream { try await reader.next() }
    }

    /// Gantry samples all containers together; another engine is asked for each of them once per tick.
    package func stats(
        _ references: [String], every interval: Duration?
    ) async throws(EngineError) -> EngineStream<[ContainerStats]> {
        guard try await client.server().isGantry else { return StatsTicker.stream(self, references, interval) }
        var query = QueryString()
        query.add("ids", references.joined(separator: ","))
        query.add("interval", interval.map { String(max(10, Int64($0 / .milliseconds(1)))) })
        let lines = client.lines(of: try await client.send("GET", "/gantry/stats", query))
        return lines.compactMapped { line in
            (line.array ?? []).compactMap { ContainerStats(dockerBody: $0, id: "") }
        }
    }

    /// One sample; nil where the container does not run.
    func sample(_ reference: String) async throws(EngineError) -> ContainerStats? {
        var query = QueryString()
        query.add("stream", "0")
        if try await client.server().version >= APIVersion(1, 41) { query.add("one-shot", "1") }
        let body = try await client.json("GET", containerPath(reference, "stats"), query, object: reference)
        return ContainerStats(dockerBody: body, id: reference)
    }
}

/// Pulls the entries of a log. One consumer at a time, as of every `EngineStream`.
private actor LogReader {
    private let body: HTTPBody
    private let client: EngineClient
    private var decoder: LogDecoder
    private var isAtEnd = false

    init(_ body: HTTPBody, _ client: EngineClient, isFramed: Bool, _ request: LogRequest) {
        self.body = body
        self.client = client
        decoder = LogDecoder(isFramed: isFramed, hasTimes: request.wantsTimes, hasDetails: request.details)
    }

    func next() async throws(EngineError) -> LogBatch? {
        while !isAtEnd {
            let body = body
            let bytes = try await client.perform("read the log") { _ throws(TransportError) in try await body.next() }
            let entries: LogBatch
            if let bytes {
                do throws(StreamDemultiplexer.Failure) {
                    entries = try decoder.feed(bytes)
                } catch {
                    throw EngineError(.internal, "the log cannot be read: \(error)")
                }
            } else {
                isAtEnd = true
                entries = decoder.finish()
            }
            if !entries.isEmpty { return entries }
        }
        return nil
    }
}

/// Samples at even distances, of an engine that samples one container at a time.
private actor StatsTicker {
    private let engine: DockerEngine
    private let references: [String]
    private let interval: Duration?
    private var due: ContinuousClock.Instant?
    private var isFirst = true

    static func stream(
        _ engine: DockerEngine, _ references: [String], _ interval: Duration?
    ) -> EngineStream<[ContainerStats]> {
        let ticker = StatsTicker(engine, references, interval)
        return EngineStream { try await ticker.next() }
    }

    private init(_ engine: DockerEngine, _ references: [String], _ interval: Duration?) {
        self.engine = engine
        self.references = references
        self.interval = interval
    }

    func next() async throws -> [ContainerStats]? {
        if isFirst {
            isFirst = false
            due = ContinuousClock.now
        } else {
            guard let interval, let last = due else { return nil }
            // A consumer that was late gets a sample now, not one for each tick that it missed.
            let next = max(last + interval, ContinuousClock.now)
            due = next
            try await ContinuousClock().sleep(until: next)
        }
        return try await sampleAll()
    }

    private func sampleAll() async throws -> [ContainerStats] {
        let engine = engine
        return try await withThrowingTaskGroup(of: (Int, ContainerStats?).self) { group in
            for (index, reference) in references.enumerated() {
                group.addTask { (index, try await Self.sample(engine, reference)) }
            }
            var samples: [(Int, ContainerStats)] = []
            for try await (index, sample) in group {
                if let sample { samples.append((index, sample)) }
            }
            return samples.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// A container that has gone, or stopped, is left out.
    private static func sample(_ engine: DockerEngine, _ reference: String) async throws -> ContainerStats? {
        do throws(EngineError) {
            return try await engine.sample(reference)
        } catch {
            if error.kind == .notFound || error.kind == .conflict { return nil }
            throw error
        }
    }
}

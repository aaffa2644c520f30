import DockerAPI
import EngineAPI
import JSON

/// Images: list, inspect, load, remove.
let imageRoutes: [Route] = [
    Route("GET", "/images/json") { exchange in
        var filter = try ImageFilter(dockerQuery: exchange.query)
        filter.withManifests = filter.withManifests && exchange.version >= APIVersion(1, 47)
        let images = try await exchange.engine.images(filter)
        try await exchange.send(200, .array(images.map { $0.dockerBody(for: exchange.version) }))
    },
    Route("GET", "/images/{name...}/json") { exchange in
        try await exchange.checkPlatform(of: [exchange.parameter("name")])
        let image = try await exchange.engine.inspectImage(exchange.parameter("name"))
        try await exchange.send(200, image.dockerBody(for: exchange.version))
    },
    Route("DELETE", "/images/{name...}") { exchange in
        let removals = try await exchange.engine.removeImage(
            exchange.parameter("name"), force: exchange.query.flag("force"), prune: !exchange.query.flag("noprune"))
        try await exchange.send(200, .array(removals.map(\.dockerBody)))
    },
    Route("POST", "/images/load") { exchange in
        let body = exchange.request.body
        do {
            if let platform = try EngineVersion.askedPlatform(exchange.query["platform"]) {
                try await exchange.engine.version().checkPlatform(platform)
            }
        } catch {
            // Docker's client sends all of the archive before it looks for an answer.
            while try await body.next() != nil {}
            throw error
        }
        try await loadImages(.bytes(EngineStream { try await body.next() }), exchange)
    },
]

/// Lines of progress; the error of an archive that turns out bad is the last of them.
///
/// An archive that has come whole is loaded as on docker, also where its client does not stay to hear of it: programs
/// do so that look at no answer.
func loadImages(_ source: ImageLoadSource, _ exchange: Exchange) async throws {
    let progress = try await exchange.engine.loadImages(source)
    try await exchange.begin("application/json")
    // Of its own, and not cancelled with the request. Where not all has come the load fails for want of it.
    let telling = Task { try await tell(of: progress, exchange) }
    try await withTaskCancellationHandler {
        try await telling.value
    } onCancel: {
        if exchange.work.isEnding { telling.cancel() }
    }
}

private func tell(of progress: EngineStream<ImageLoadProgress>, _ exchange: Exchange) async throws {
    let isQuiet = exchange.query.flag("quiet")
    var isHeard = true
    func write(_ line: JSONValue) async {
        guard isHeard else { return }
        do { try await exchange.writeLine(line) } catch { isHeard = false }
    }
    do {
        for try await step in progress {
            if isQuiet, case .layer = step { continue }
            await write(step.dockerBody)
        }
    } catch let error as EngineError {
        await write(ProgressError.dockerBody(error))
    }
    if isHeard { try await exchange.writer.end() }
}

import DockerAPI
import EngineAPI
import JSON
import Transport

/// Images between the engine, registries and archives.
let transferRoutes: [Route] = [
    Route("POST", "/images/create") { exchange in
        let name = exchange.query["fromImage"] ?? ""
        guard !name.isEmpty else { return try await importImage(exchange) }
        let reference = ImageName.pulled(name, tag: exchange.query["tag"] ?? "")
        let platform = exchange.query["platform"].flatMap { $0.isEmpty ? nil : $0 }
        var request = ImagePullRequest(reference, platform: platform, credentials: try exchange.credentials())
        request.allTags = ImageName.parts(reference).tag == nil
        do {
            try await tell(of: try await exchange.engine.pullImage(request), exchange, afterAnswer: true)
        } catch let error as EngineError
            where error.kind == .denied
        {
            // As docker: a registry does not say whether an image is there to somebody who may not see it.
            throw EngineError(.notFound, error.message, object: error.object)
        }
    },
    Route("POST", "/images/{name...}/push") { exchange in
        let tag = exchange.query["tag"].flatMap { $0.isEmpty ? nil : $0 }
        let reference = exchange.parameter("name") + (tag.map { ":\($0)" } ?? "")
        var request = ImagePushRequest(reference, credentials: try exchange.credentials())
        request.allTags = ImageName.parts(reference).tag == nil
        if !request.allTags { try await exchange.checkPlatform(of: [reference]) }
        try await tell(of: try await exchange.engine.pushImage(request), exchange)
    },
    Route("POST", "/auth") { exchange in
        let body = try await exchange.body()
        let registry = ImageCredentials.registry(serverAddress: try body.text("serveraddress"))
        guard let credentials = try ImageCredentials(dockerBody: body) else {
            throw EngineError(.invalid, "no username is given")
        }
        let token: String?
        do {
            token = try await exchange.engine.checkCredentials(credentials, at: registry)
        } catch let error as EngineError where error.kind == .denied {
            return try await exchange.send(error, status: 401)
        }
        try await exchange.send(200, ["Status": "Login Succeeded", "IdentityToken": .string(token ?? "")])
    },
    Route("GET", "/distribution/{name...}/json") { exchange in
        let found = try await exchange.engine.imageDistribution(
            exchange.parameter("name"), credentials: try exchange.credentials())
        try await exchange.send(200, found.dockerBody)
    },
    Route("GET", "/images/search") { exchange in
        let request = try ImageSearchRequest(dockerQuery: exchange.query, credentials: try exchange.credentials())
        try await exchange.send(200, .array(try await exchange.engine.searchImages(request).map(\.dockerBody)))
    },
    Route("POST", "/images/{name...}/tag") { exchange in
        let tag = exchange.query["tag"].flatMap { $0.isEmpty ? nil : $0 }
        let name = (exchange.query["repo"] ?? "") + (tag.map { ":\($0)" } ?? "")
        try await exchange.engine.tagImage(exchange.parameter("name"), as: name)
        try await exchange.send(201)
    },
    Route("GET", "/images/{name...}/history") { exchange in
        try await exchange.checkPlatform(of: [exchange.parameter("name")])
        let steps = try await exchange.engine.imageHistory(exchange.parameter("name"))
        try await exchange.send(200, .array(steps.map(\.dockerBody)))
    },
    Route("GET", "/images/get") { exchange in try await sendArchive(exchange.query.all("names"), exchange) },
    Route("GET", "/images/{name...}/get") { exchange in try await sendArchive([exchange.parameter("name")], exchange) },
    Route("POST", "/commit") { exchange in
        let request = try ContainerCommitRequest(dockerQuery: exchange.query, body: try await exchange.body())
        let id = try await exchange.engine.commitContainer(exchange.query["container"] ?? "", request)
        try await exchange.send(201, ["Id": .string(id)])
    },
    Route("POST", "/images/prune") { exchange in
        let filters = try Filters(parsing: exchange.query["filters"])
        try filters.check(known: ["dangling", "label", "label!", "until"])
        var filter = try ImageFilter(dockerQuery: exchange.query)
        let all = filter.dangling == false
        filter.dangling = nil
        try await exchange.send(200, try await exchange.engine.pruneImages(all: all, filter: filter).dockerBody)
    },
]

/// Lines of progress; the error of a transfer that fails on the way is the last of them. One that fails before there is
/// anything to tell is answered with its status.
///
/// - Parameter afterAnswer: that it begins is said once the registry has answered: an error before that has a status of
///   its own.
private func tell(
    of progress: EngineStream<ImageTransferProgress>, _ exchange: Exchange, afterAnswer: Bool = false
) async throws {
    guard let first = try await progress.next() else { return try await exchange.send(200) }
    let isHeldBack = afterAnswer && first.isBeginning
    var next = if isHeldBack { try await progress.next() } else { nil as ImageTransferProgress? }
    try await exchange.begin("application/json")
    do {
        for line in first.dockerBodies { try await exchange.writeLine(line) }
        if !isHeldBack { next = try await progress.next() }
        while let step = next {
            for line in step.dockerBodies { try await exchange.writeLine(line) }
            next = try await progress.next()
        }
    } catch let error as EngineError {
        try await exchange.writeLine(ProgressError.dockerBody(error))
    }
    try await exchange.writer.end()
}

private func sendArchive(_ names: [String], _ exchange: Exchange) async throws {
    try await exchange.checkPlatform(of: names)
    let archive = try await exchange.engine.saveImages(names)
    try await exchange.begin("application/x-tar")
    // An error cuts the archive: its end is missing then, which no reader takes for a whole one.
    while let bytes = try await archive.next() { try await exchange.writer.write(bytes) }
    try await exchange.writer.end()
}

private func importImage(_ exchange: Exchange) async throws {
    let source = exchange.query["fromSrc"] ?? ""
    guard !source.isEmpty else {
        throw EngineError(.invalid, "neither `fromImage` nor `fromSrc` says where the image is to come from")
    }
    let body = exchange.request.body
    let tag = exchange.query["tag"].flatMap { $0.isEmpty ? nil : $0 }
    let name = exchange.query["repo"].flatMap { $0.isEmpty ? nil : $0 + (tag.map { ":\($0)" } ?? "") }
    var request = ImageImportRequest(
        EngineStream { try await body.next() }, name: name, message: exchange.query["message"] ?? "",
        changes: exchange.query.all("changes"))
    request.platform = exchange.query["platform"].flatMap { $0.isEmpty ? nil : $0 }
    if source != "-" { request.address = source }
    let id = try await exchange.engine.importImage(request)
    try await exchange.begin("application/json")
    if source != "-" { try await exchange.writeLine(["status": .string("Downloading from \(source)")]) }
    try await exchange.writeLine(["status": .string(id)])
    try await exchange.writer.end()
}

extension Exchange {
    /// Of each image there is what was pulled or loaded, for one platform.
    ///
    /// - Throws: `notFound` where the client asks for another.
    func checkPlatform(of images: [String]) async throws {
        guard let platform = try EngineVersion.askedPlatform(query["platform"]) else { return }
        try await engine.check(images, areFor: platform)
    }

    fileprivate func credentials() throws(EngineError) -> ImageCredentials? {
        try ImageCredentials.reading(dockerField: request.fields[ImageCredentials.dockerField])
    }
}

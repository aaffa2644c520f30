import DockerAPI

/// A method and a pattern of paths, with what answers them.
struct Route: Sendable {
    typealias Handler = @Sendable (Exchange) async throws -> Void

    private enum Segment: Hashable, Sendable {
        case literal(String)
        case parameter(String)
        /// One segment or more: the name of an image holds slashes.
        case rest(String)
    }

    let method: String
    let pattern: String
    let handler: Handler
    private let segments: [Segment]

    /// - Parameter pattern: `/containers/{id}/json`, or with `{name...}` for a parameter that may hold slashes.
    init(_ method: String, _ pattern: String, _ handler: @escaping Handler) {
        self.method = method
        self.pattern = pattern
        self.handler = handler
        segments = pattern.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .parameter(String(name))
        }
    }

    /// The first segment where it is given word for word.
    var firstWord: String? { if case .literal(let word)? = segments.first { word } else { nil } }

    /// How many segments are given word for word: where two patterns fit, the more exact one is meant.
    var exactness: Int {
        segments.reduce(0) { count, segment in if case .literal = segment { count + 1 } else { count } }
    }

    /// Whether a request here is pending work; what a session of bytes is its own route knows.
    var isPendingWork: Bool {
        switch (method, pattern) {
        case ("POST", "/containers/{id}/wait"), ("POST", "/containers/{id}/attach"), ("POST", "/exec/{id}/start"): false
        case ("GET", "/containers/{id}/archive"), ("GET", "/containers/{id}/export"), ("GET", "/images/get"),
            ("GET", "/images/{name...}/get"), ("GET", "/gantry/volumes/{name}/archive"):
            true
        default: method != "GET" && method != "HEAD"
        }
    }

    /// docker's name for what is done to a container here, for figures; nil for other routes.
    var containerAction: String? {
        switch (method, pattern) {
        case ("POST", "/containers/create"): "create"
        case ("POST", "/containers/{id}/start"): "start"
        case ("DELETE", "/containers/{id...}"): "delete"
        case ("GET", "/containers/{id}/changes"): "changes"
        case ("POST", "/commit"): "commit"
        default: nil
        }
    }

    /// The parameters of a path that fits, percent-decoded; nil for one that does not.
    ///
    /// - Parameter joining: a parameter takes more than one segment.
    func match(_ path: [Substring], joining: Bool = false) -> [String: String]? {
        var parameters: [String: String] = [:]
        var rest = path[...]
        for (index, segment) in segments.enumerated() {
            guard !rest.isEmpty else { return nil }
            switch segment {
            case .literal(let word):
                guard rest.removeFirst() == word else { return nil }
            case .parameter(let name) where !joining: parameters[name] = Percent.decoded(rest.removeFirst())
            case .parameter(let name), .rest(let name):
                let count = rest.count - (segments.count - index - 1)
                guard count > 0 else { return nil }
                parameters[name] = rest.prefix(count).map { Percent.decoded($0) }.joined(separator: "/")
                rest = rest.dropFirst(count)
            }
        }
        return rest.isEmpty ? parameters : nil
    }
}

/// All routes of the daemon.
struct RouteTable: Sendable {
    struct Match: Sendable {
        let route: Route
        let parameters: [String: String]
    }

    private struct Key: Hashable {
        let method: String
        let firstWord: String
    }

    /// By method and first segment, which all routes give word for word; the more exact first.
    private let routes: [Key: [Route]]

    init(_ routes: [Route]) {
        // Stable by hand: of equally exact patterns the first given comes first.
        let sorted = routes.enumerated().sorted {
            ($1.element.exactness, $0.offset) < ($0.element.exactness, $1.offset)
        }.map(\.element)
        self.routes = Dictionary(grouping: sorted) { route in
            guard let word = route.firstWord else {
                preconditionFailure("a route begins with a word: \(route.pattern)")
            }
            return Key(method: route.method, firstWord: word)
        }
    }

    static let docker = RouteTable(
        systemRoutes + containerRoutes + fileRoutes + lifecycleRoutes + streamRoutes + execRoutes + imageRoutes
            + transferRoutes
            + networkRoutes
            + volumeRoutes + gantryRoutes + reportRoutes + absentRoutes)

    /// What is served at an address for figures alone.
    static let metrics = RouteTable([Route("GET", "/metrics") { exchange in try await sendMetrics(exchange) }])

    var answersPings: Bool { find("GET", "/_ping") != nil }

    /// What answers a path without its version. As docker: `HEAD` is answered where there is a route for it alone, not
    /// by a list or a stream that goes nowhere.
    func find(_ method: String, _ path: some StringProtocol) -> Match? {
        let segments = path.split(separator: "/").map { Substring($0) }
        guard let first = segments.first.map(String.init) else { return nil }
        let routes = routes[Key(method: method, firstWord: first)] ?? []
        for route in routes {
            if let parameters = route.match(segments) { return Match(route: route, parameters: parameters) }
        }
        // Whoever takes an image's name for a container's is told that there is none, not that there is no such page.
        for route in routes {
            if let parameters = route.match(segments, joining: true) {
                return Match(route: route, parameters: parameters)
            }
        }
        return nil
    }
}

/// A path parted from the API version before it: `/v1.51/info`.
struct VersionedPath: Hashable, Sendable {
    let path: String
    /// Nil where the path has no version.
    let version: APIVersion?

    init(_ path: String) {
        let segments = path.split(separator: "/", maxSplits: 1)
        guard let first = segments.first, first.hasPrefix("v"), let version = APIVersion(first.dropFirst()) else {
            self.path = path
            self.version = nil
            return
        }
        self.path = "/" + (segments.count == 2 ? String(segments[1]) : "")
        self.version = version
    }
}

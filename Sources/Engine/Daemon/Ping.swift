import DockerAPI
import EngineAPI
import Transport

/// The answer of `GET /_ping`, which every client asks for first, and health checks ask for all the time.
struct Ping: Sendable {
    static let body = Array("OK".utf8)

    let fields: HTTPFields

    /// - Parameters:
    ///   - common: what each answer carries.
    ///   - returns: whether clients may expect that where this server went one comes again, at once: they look for it here
    ///     alone.
    init(_ common: HTTPFields, returns: Bool) {
        var fields = common
        fields["Builder-Version"] = "1"
        fields["Swarm"] = "inactive"
        fields["Cache-Control"] = "no-cache, no-store, must-revalidate"
        fields["Pragma"] = "no-cache"
        fields["Content-Type"] = "text/plain; charset=utf-8"
        if returns { fields[EngineVersion.returnsField] = "true" }
        self.fields = fields
    }

    /// By target: the path alone, and behind each version that is spoken.
    var answers: [String: PreparedAnswer] {
        let answer = PreparedAnswer(200, fields, body: Self.body)
        let versions = (APIVersion.minimum.minor...APIVersion.current.minor).map { APIVersion(1, $0) }
        return Dictionary(uniqueKeysWithValues: (["/_ping"] + versions.map { "/v\($0)/_ping" }).map { ($0, answer) })
    }
}

import DockerAPI
import Transport

/// The answer of `GET /_ping`, which every client asks for first, and health checks ask for all the time.
enum Ping {
    static let body = Array("OK".utf8)

    static func fields(_ common: HTTPFields) -> HTTPFields {
        var fields = common
        fields["Builder-Version"] = "1"
        fields["Swarm"] = "inactive"
        fields["Cache-Control"] = "no-cache, no-store, must-revalidate"
        fields["Pragma"] = "no-cache"
        fields["Content-Type"] = "text/plain; charset=utf-8"
        return fields
    }

    /// By target: the path alone, and behind each version that is spoken.
    static func answers(_ common: HTTPFields) -> [String: PreparedAnswer] {
        let answer = PreparedAnswer(200, fields(common), body: body)
        let versions = (APIVersion.minimum.minor...APIVersion.current.minor).map { APIVersion(1, $0) }
        return Dictionary(uniqueKeysWithValues: (["/_ping"] + versions.map { "/v\($0)/_ping" }).map { ($0, answer) })
    }
}

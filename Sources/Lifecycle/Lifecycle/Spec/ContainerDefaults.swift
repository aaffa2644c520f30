import EngineAPI
import JSON
import Linux

/// What containers have where they say nothing of it: `dns`, `default-ulimits` and the like of `daemon.json`.
///
/// As docker has it, the size of /dev/shm becomes a container's own when it is made; the others are looked at whenever one
/// starts, and are not told of with it.
package struct ContainerDefaults: Hashable, Sendable {
    static let names: Set = ["dns", "dns-search", "dns-opts", "default-ulimits", "default-shm-size"]

    package var dnsServers: [String] = []
    package var dnsSearch: [String] = []
    package var dnsOptions: [String] = []
    package var ulimits: [Ulimit] = []
    package var shmSizeBytes: Int64?

    package init() {}

    init(_ json: JSONValue) throws(SettingMistake) {
        dnsServers = try Self.texts(json, "dns")
        for server in dnsServers where IPAddress(server) == nil {
            throw SettingMistake(reason: "dns: \(server) is not an ip address")
        }
        dnsSearch = try Self.texts(json, "dns-search")
        dnsOptions = try Self.texts(json, "dns-opts")
        shmSizeBytes = try Self.size(json["default-shm-size"] ?? .null)
        guard let limits = json["default-ulimits"], limits != .null else { return }
        guard let object = limits.object else { throw SettingMistake(reason: "default-ulimits must be an object") }
        for (name, value) in object.members { ulimits.append(try Self.limit(name, value)) }
    }

    private static func texts(_ json: JSONValue, _ name: String) throws(SettingMistake) -> [String] {
        guard let value = json[name], value != .null else { return [] }
        let texts = (value.array ?? []).compactMap(\.string)
        guard let array = value.array, texts.count == array.count else {
            throw SettingMistake(reason: "\(name) must be an array of strings")
        }
        return texts
    }

    private static func size(_ value: JSONValue) throws(SettingMistake) -> Int64? {
        if value == .null { return nil }
        guard let bytes = value.integer ?? value.string.flatMap(ByteCount.parse), bytes > 0 else {
            throw SettingMistake(reason: "default-shm-size must be a size, such as \"64M\"")
        }
        return bytes
    }

    private static func limit(_ name: String, _ value: JSONValue) throws(SettingMistake) -> Ulimit {
        guard SpecValidation.ulimits.contains(name) else {
            throw SettingMistake(reason: "default-ulimits: invalid ulimit type: \(name)")
        }
        // Go's decoder does not look at the case of names.
        func number(_ wanted: String) -> Int64? {
            value.object?.members.first { $0.name.lowercased() == wanted }?.value.integer
        }
        guard let soft = number("soft") else {
            throw SettingMistake(reason: "default-ulimits: \(name) must have `Soft` and `Hard`")
        }
        let hard = number("hard") ?? soft
        guard hard < 0 || soft >= 0 && soft <= hard else {
            throw SettingMistake(
                reason: "default-ulimits: ulimit soft limit must be less than or equal to hard limit: \(soft) > \(hard)"
            )
        }
        return Ulimit(name: name, soft: soft, hard: hard)
    }

    /// The limits of a container that asks for these itself.
    func ulimits(over own: [Ulimit]) -> [Ulimit] {
        let names = Set(own.map(\.name))
        return own + ulimits.filter { !names.contains($0.name) }
    }
}

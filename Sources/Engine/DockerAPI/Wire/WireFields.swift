import JSON

/// Lenient reading of bodies, as Go's decoder does it: names match without regard to case, and null is as good as
/// absent.
extension JSONValue {
    /// The member of exactly that name, or else of that name in another case.
    package func field(_ name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        let value = object[name] ?? object.members.last { $0.name.lowercased() == name.lowercased() }?.value
        return value == .null ? nil : value
    }

    package func text(_ name: String) -> String { field(name)?.string ?? "" }

    /// Nil where it is absent or empty.
    package func filledText(_ name: String) -> String? {
        let text = text(name)
        return text.isEmpty ? nil : text
    }

    package func flag(_ name: String) -> Bool { field(name)?.bool ?? false }

    package func whole(_ name: String) -> Int64? { field(name)?.integer }

    package func unsigned(_ name: String) -> UInt64 { field(name)?.unsigned ?? 0 }

    package func elements(_ name: String) -> [JSONValue] { field(name)?.array ?? [] }

    package func texts(_ name: String) -> [String] { elements(name).compactMap(\.string) }

    package func textMap(_ name: String) -> [String: String] {
        var map: [String: String] = [:]
        for (key, value) in field(name)?.object?.members ?? [] { map[key] = value.string ?? "" }
        return map
    }

    package var isEmptyValue: Bool {
        switch self {
        case .null, .bool(false), .integer(0), .unsigned(0), .string(""): true
        case .number(let value): value == 0
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.allSatisfy { $0.value.isEmptyValue }
        default: false
        }
    }
}

extension JSONValue {
    static func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }

    /// Null for nil, as Go writes an absent slice.
    static func texts(_ list: [String]?) -> JSONValue { list.map { .array($0.map { .string($0) }) } ?? .null }

    /// In the order of the keys, as Go writes its maps.
    static func textMap(_ map: [String: String]) -> JSONValue {
        .object(JSONObject(map.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    static func count(_ value: Int) -> JSONValue { .integer(Int64(value)) }

    static func unsignedInteger(_ value: UInt64) -> JSONValue {
        Int64(exactly: value).map { .integer($0) } ?? .unsigned(value)
    }
}

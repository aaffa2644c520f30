import JSON

/// What a template works with: a JSON value, and how Go would print it where it is null, which depends on the type that
/// the value has in docker.
struct TemplateValue {
    var json: JSONValue
    var nullText = "<no value>"
    /// Its names are a person's, of labels for one: one that it lacks has no value, but is no mistake.
    var isOpen = false

    init(_ json: JSONValue) { self.json = json }

    init(_ json: JSONValue, nullText: String) {
        self.json = json
        self.nullText = nullText
    }

    /// The member of that name as a value of docker's type; nil where docker does not know such a member, either.
    func member(_ name: String, of object: JSONObject) -> TemplateValue? {
        if isOpen { return TemplateValue(object[name] ?? .null) }
        let name = DockerMembers.wireName(name, in: object)
        let value = object[name]
        var found = value.map(TemplateValue.init)
        if value == nil || value == .null { found = DockerMembers.absent(name, in: object) ?? found }
        found?.isOpen = DockerMembers.open.contains(name)
        return found
    }

    /// The name of its type, as Go's messages give it.
    var type: String {
        switch json {
        case .null: "<nil>"
        case .bool: "bool"
        case .integer, .unsigned: "int"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    /// Empty values do not count as true: 0, "", null, and collections without elements.
    var isTrue: Bool {
        switch json {
        case .null, .bool(false), .integer(0), .unsigned(0), .number(0), .string(""): false
        case .array(let elements): !elements.isEmpty
        case .object(let object): !object.isEmpty
        default: true
        }
    }

    /// As Go's `%v` prints it.
    var text: String { json == .null ? nullText : json.goText }

    /// As `print` and `printf` have it.
    var printed: String { json == .null && nullText == "<no value>" ? "<nil>" : text }

    /// The whole number that it is.
    var whole: Int64? {
        switch json {
        case .integer(let number): number
        case .unsigned(let number): Int64(exactly: number)
        case .number(let number): Int64(exactly: number)
        default: nil
        }
    }
}

extension JSONValue {
    /// As Go's `%v` prints it; within another value, null is `<nil>`.
    var goText: String {
        switch self {
        case .null: "<nil>"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .unsigned(let value): String(value)
        case .number(let value): Int64(exactly: value).map { String($0) } ?? String(value)
        case .string(let value): value
        case .array(let elements): "[" + elements.map(\.goText).joined(separator: " ") + "]"
        case .object(let object):
            "map[" + object.sortedMembers.map { "\($0.name):\($0.value.goText)" }.joined(separator: " ") + "]"
        }
    }
}

extension JSONObject {
    /// In the order in which Go goes over a map.
    var sortedMembers: [(name: String, value: JSONValue)] { members.sorted { $0.name < $1.name } }
}

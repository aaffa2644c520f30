/// A JSON value (RFC 8259) that loses nothing on a round trip: members keep their order, whole numbers of 64 bits their
/// value, and names that the reader does not know stay.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A whole number above `Int64.max`, as OCI's `uint64` limits may be.
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in their order of appearance. Of a name given twice, the last one counts.
///
/// Names are the same where their bytes are: RFC 8259, 8.3. Swift takes two ways to write one letter (`é` as one scalar or
/// as two) for one, which would lose a member.
public struct JSONObject: Hashable, Sendable {
    public private(set) var members: [(name: String, value: JSONValue)] = []
    /// Where each name is. Few are compared one by one, for which this is empty; many have a table, so that no text costs
    /// more than its length.
    private var places: [ExactName: Int] = [:]

    public init() {}

    public init(_ members: [(String, JSONValue)]) {
        for (name, value) in members { self[name] = value }
    }

    public subscript(name: String) -> JSONValue? {
        get { place(of: name).map { members[$0].value } }
        set {
            if members.count >= 16, places.isEmpty {
                for (index, member) in members.enumerated() {
                    places[ExactName(member.name)] = index
                }
            }
            switch (place(of: name), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil):
                members.remove(at: place)
                places = [:]
            case (nil, let value?):
                if !places.isEmpty { places[ExactName(name)] = members.count }
                members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    private func place(of name: String) -> Int? {
        places.isEmpty ? members.firstIndex { $0.name.isExactly(name) } : places[ExactName(name)]
    }

    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }

    /// The members whose names are wanted, in their order.
    public func filter(_ isWanted: (String) -> Bool) -> JSONObject {
        var kept = JSONObject()
        kept.members = members.filter { isWanted($0.name) }
        return kept
    }

    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name.isExactly($1.name) && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for member in members {
            hasher.combine(member.name)
            hasher.combine(member.value)
        }
    }
}

/// A name as a key of a table.
private struct ExactName: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactName, right: ExactName) -> Bool { left.text.isExactly(right.text) }
    func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
}

extension String {
    /// Whether it has the same bytes. Texts that differ nearly always differ for Swift as well, which sees it at once.
    fileprivate func isExactly(_ other: String) -> Bool { self == other && utf8.elementsEqual(other.utf8) }
}

extension JSONValue {
    /// The member of that name; nil for a value that is no object or has no such member.
    public subscript(name: String) -> JSONValue? {
        if case .object(let object) = self { return object[name] }
        return nil
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }

    /// A whole number that fits; also one written as `1.0` or `1e3`.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// A whole number of at least zero.
    public var unsigned: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        case .number(let value): UInt64(exactly: value)
        default: nil
        }
    }

    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}

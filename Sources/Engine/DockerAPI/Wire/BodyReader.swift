import EngineAPI
import JSON

/// Strict reading of a request's body: a member of the wrong type is refused by its path, as Go's decoder refuses it.
package struct BodyReader: Sendable {
    package let value: JSONValue
    let path: String

    /// Reads a body. An empty one counts as an empty object, which is what docker makes of it where a body is optional.
    package init(parsing bytes: [UInt8]) throws(EngineError) {
        if bytes.isEmpty {
            self.init(.object(JSONObject()))
            return
        }
        do throws(JSONError) {
            self.init(try JSONValue(parsing: bytes))
        } catch {
            throw EngineError(.invalid, "invalid JSON: \(error.reason) (at byte \(error.offset))")
        }
        guard value.object != nil || value.isNull else { throw EngineError(.invalid, "invalid JSON: not an object") }
    }

    /// Reads what an engine answers: of what is no object, no member is there.
    package init(_ value: JSONValue) { self.init(value, path: "") }

    private init(_ value: JSONValue, path: String) {
        self.value = value
        self.path = path
    }

    package func name(_ member: String) -> String { path.isEmpty ? member : "\(path).\(member)" }

    private func mismatch(_ member: String, _ wanted: String) -> EngineError {
        EngineError(.invalid, "invalid JSON: \(name(member)) must be \(wanted)")
    }

    package func text(_ member: String) throws(EngineError) -> String {
        guard let field = value.field(member) else { return "" }
        guard let text = field.string else { throw mismatch(member, "a string") }
        return text
    }

    package func filledText(_ member: String) throws(EngineError) -> String? {
        let text = try text(member)
        return text.isEmpty ? nil : text
    }

    package func flag(_ member: String) throws(EngineError) -> Bool {
        guard let field = value.field(member) else { return false }
        guard let flag = field.bool else { throw mismatch(member, "true or false") }
        return flag
    }

    package func whole(_ member: String) throws(EngineError) -> Int64? {
        guard let field = value.field(member) else { return nil }
        // `1.0` and `1e3` are none for Go.
        guard case .integer(let whole) = field else { throw mismatch(member, "a whole number") }
        return whole
    }

    /// A whole number of at least zero.
    package func unsigned(_ member: String) throws(EngineError) -> UInt64? {
        switch value.field(member) {
        case nil: return nil
        case .unsigned(let whole): return whole
        case .integer(let whole) where whole >= 0: return UInt64(whole)
        default: throw mismatch(member, "a whole number of at least zero")
        }
    }

    /// Nil for zero, which is how Go says "not set".
    package func filledWhole(_ member: String) throws(EngineError) -> Int64? {
        let whole = try whole(member)
        return whole == 0 ? nil : whole
    }

    private func array(_ member: String, of wanted: String) throws(EngineError) -> [JSONValue]? {
        guard let field = value.field(member) else { return nil }
        guard let elements = field.array else { throw mismatch(member, "an array of \(wanted)") }
        return elements
    }

    /// An array of objects.
    package func objects(_ member: String) throws(EngineError) -> [BodyReader] {
        var objects: [BodyReader] = []
        for element in try array(member, of: "objects") ?? [] {
            guard element.isObjectOrNull else { throw mismatch(member, "an array of objects") }
            objects.append(BodyReader(element, path: name(member)))
        }
        return objects
    }

    /// An object with objects for members, of which those that are null are as good as empty.
    package func objectMap(_ member: String) throws(EngineError) -> [(name: String, body: BodyReader)] {
        let object = try object(member)
        var map: [(name: String, body: BodyReader)] = []
        for (key, value) in object.members {
            guard value.isObjectOrNull else { throw object.mismatch(key, "an object") }
            map.append((key, BodyReader(value, path: object.name(key))))
        }
        return map
    }

    /// The members in the body's order, for an object whose keys are the client's own.
    package var members: [(name: String, value: JSONValue)] { value.object?.members ?? [] }

    /// An array of two numbers, the rows and the columns of a terminal; nil where one of them is nothing.
    package func terminalSize(_ member: String) throws(EngineError) -> TerminalSize? {
        var numbers: [Int64] = []
        for element in try array(member, of: "two whole numbers") ?? [] {
            guard case .integer(let number) = element, number >= 0 else {
                throw mismatch(member, "an array of two whole numbers")
            }
            numbers.append(number)
        }
        return numbers.count == 2 ? TerminalSize(rows: numbers[0], columns: numbers[1]) : nil
    }

    /// Nil where it is absent.
    package func texts(_ member: String) throws(EngineError) -> [String]? {
        guard let elements = try array(member, of: "strings") else { return nil }
        return try strings(elements, member, "an array of strings")
    }

    /// An array of arrays of strings.
    package func textLists(_ member: String) throws(EngineError) -> [[String]] {
        var lists: [[String]] = []
        for element in try array(member, of: "arrays of strings") ?? [] where !element.isNull {
            guard let list = element.array else { throw mismatch(member, "an array of arrays of strings") }
            lists.append(try strings(list, member, "an array of arrays of strings"))
        }
        return lists
    }

    private func strings(
        _ elements: [JSONValue], _ member: String, _ wanted: String
    ) throws(EngineError) -> [String] {
        var texts: [String] = []
        for element in elements {
            guard let text = element.isNull ? "" : element.string else { throw mismatch(member, wanted) }
            texts.append(text)
        }
        return texts
    }

    /// A command: an array, or one string as older clients send it.
    package func words(_ member: String) throws(EngineError) -> [String]? {
        if let text = value.field(member)?.string { return [text] }
        return try texts(member)
    }

    package func textMap(_ member: String) throws(EngineError) -> [String: String] {
        guard let field = value.field(member) else { return [:] }
        guard let object = field.object else { throw mismatch(member, "an object") }
        var map: [String: String] = [:]
        for (key, value) in object.members {
            guard let text = value.isNull ? "" : value.string else { throw mismatch("\(member).\(key)", "a string") }
            map[key] = text
        }
        return map
    }

    package func object(_ member: String) throws(EngineError) -> BodyReader {
        guard let field = value.field(member) else { return BodyReader(.object(JSONObject()), path: name(member)) }
        guard field.object != nil else { throw mismatch(member, "an object") }
        return BodyReader(field, path: name(member))
    }
}

extension JSONValue {
    fileprivate var isObjectOrNull: Bool { isNull || object != nil }
}

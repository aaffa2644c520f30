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

    package init(_ value: JSONValue, path: String = "") {
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
        guard let whole = field.integer else { throw mismatch(member, "a whole number") }
        return whole
    }

    /// Nil for zero, which is how Go says "not set".
    package func filledWhole(_ member: String) throws(EngineError) -> Int64? {
        let whole = try whole(member)
        return whole == 0 ? nil : whole
    }

    package func elements(_ member: String) throws(EngineError) -> [BodyReader] {
        guard let field = value.field(member) else { return [] }
        guard let elements = field.array else { throw mismatch(member, "an array") }
        return elements.map { BodyReader($0, path: name(member)) }
    }

    /// Nil where it is absent.
    package func texts(_ member: String) throws(EngineError) -> [String]? {
        guard value.field(member) != nil else { return nil }
        var texts: [String] = []
        for element in try elements(member) {
            guard let text = element.value.string else { throw mismatch(member, "an array of strings") }
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
            guard let text = value.string else { throw mismatch("\(member).\(key)", "a string") }
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

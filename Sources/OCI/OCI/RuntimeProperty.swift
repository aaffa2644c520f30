import JSON

/// What is wrong with an OCI document, and where: `process.args: must be an array of strings`.
package struct RuntimeSpecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The way to the value, as in `linux.resources.memory.limit`.
    package let property: String
    package let reason: String

    package init(_ property: String, _ reason: String) {
        self.property = property
        self.reason = reason
    }

    package var description: String { "\(property): \(reason)" }
}

/// A value of an OCI document together with the way that leads to it, so that a reader's complaint can name it.
package struct RuntimeProperty {
    package let value: JSONValue
    private let way: Way

    /// Put into words only for a complaint: nearly all documents are without fault.
    private indirect enum Way {
        case top(String)
        case member(String, of: Way)
        case element(Int, of: Way)

        var text: String {
            switch self {
            case .top(let name): return name
            case .member(let name, let above):
                let parent = above.text
                return parent.isEmpty ? name : name.isEmpty ? parent : "\(parent).\(name)"
            case .element(let index, let above): return "\(above.text)[\(index)]"
            }
        }
    }

    package init(_ value: JSONValue, name: String = "") { self.init(value, .top(name)) }

    private init(_ value: JSONValue, _ way: Way) {
        self.value = value
        self.way = way
    }

    package var path: String { way.text }

    /// The member of that name; nil where it is absent or null, which the specification does not tell apart. A value that
    /// is no object is an error and not one without members: it says something that nobody has understood.
    package subscript(name: String) -> RuntimeProperty? {
        get throws(RuntimeSpecError) {
            guard let member = try object()[name], !member.isNull else { return nil }
            return RuntimeProperty(member, .member(name, of: way))
        }
    }

    package func required(_ name: String) throws(RuntimeSpecError) -> RuntimeProperty {
        guard let member = try self[name] else {
            throw RuntimeSpecError(path.isEmpty ? name : "\(path).\(name)", "is required")
        }
        return member
    }

    package func string() throws(RuntimeSpecError) -> String {
        guard let text = value.string else { throw failure("must be a string") }
        // A NUL would end the text early in every kernel call that takes it.
        guard !text.utf8.contains(0) else { throw failure("must not contain a NUL") }
        return text
    }

    /// One of the words that an enumeration has.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type = Word.self
    ) throws(RuntimeSpecError) -> Word where Word.RawValue == String {
        let text = try string()
        guard let word = Word(rawValue: text) else {
            throw failure("`\(text)` must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    package func bool() throws(RuntimeSpecError) -> Bool {
        guard let value = value.bool else { throw failure("must be true or false") }
        return value
    }

    package func integer<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(RuntimeSpecError) -> Number {
        if let whole = value.integer, let number = Number(exactly: whole) { return number }
        if let whole = value.unsigned, let number = Number(exactly: whole) { return number }
        throw failure("must be a whole number from \(Number.min) to \(Number.max)")
    }

    package func object() throws(RuntimeSpecError) -> JSONObject {
        guard let object = value.object else { throw failure("must be an object") }
        return object
    }

    package func strings() throws(RuntimeSpecError) -> [String] {
        try list { (element) throws(RuntimeSpecError) in try element.string() }
    }

    /// The elements of an array, each read by `read`.
    package func list<Element>(
        _ read: (RuntimeProperty) throws(RuntimeSpecError) -> Element
    ) throws(RuntimeSpecError) -> [Element] {
        guard let elements = value.array else { throw failure("must be an array") }
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            result.append(try read(RuntimeProperty(element, .element(index, of: way))))
        }
        return result
    }

    /// The members of an object whose values are strings.
    package func stringMap() throws(RuntimeSpecError) -> [String: String] {
        try map { (value) throws(RuntimeSpecError) in try value.string() }
    }

    /// The same where names are others' own, and are to be kept as they are.
    package func textMap() throws(RuntimeSpecError) -> TextMap {
        var members: [(name: String, value: String)] = []
        for member in try object().members {
            let value = RuntimeProperty(member.value, .member(member.name, of: way))
            members.append((member.name, try value.string()))
        }
        return TextMap(unique: members)
    }

    /// The members of an object, each value read by `read`.
    package func map<Value>(
        _ read: (RuntimeProperty) throws(RuntimeSpecError) -> Value
    ) throws(RuntimeSpecError) -> [String: Value] {
        var map: [String: Value] = [:]
        for member in try object().members {
            map[member.name] = try read(RuntimeProperty(member.value, .member(member.name, of: way)))
        }
        return map
    }

    package func failure(_ reason: String) -> RuntimeSpecError { RuntimeSpecError(path, reason) }

    /// The members that `known` does not name: kept, so that rewriting a document loses nothing.
    func members(except known: [String]) throws(RuntimeSpecError) -> JSONObject {
        try object().filter { !known.contains($0) }
    }
}

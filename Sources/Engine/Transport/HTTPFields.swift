/// The fields of an HTTP head, in their order; names are compared without regard to case.
package struct HTTPFields: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var list: [Field] = []

    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// The first field of that name; setting replaces all of that name.
    package subscript(name: String) -> String? {
        get { list.first { Self.same($0.name, name) }?.value }
        set {
            list.removeAll { Self.same($0.name, name) }
            if let newValue { list.append(Field(name: name, value: newValue)) }
        }
    }

    package mutating func add(_ name: String, _ value: String) { list.append(Field(name: name, value: value)) }

    /// Whether a field that lists words, such as `Connection`, has this one.
    package func has(_ word: String, in name: String) -> Bool {
        list.contains { field in
            Self.same(field.name, name)
                && field.value.split(separator: ",").contains { entry in
                    Self.same(String(entry.drop { $0 == " " }.prefix { $0 != " " }), word)
                }
        }
    }

    static func same(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
}

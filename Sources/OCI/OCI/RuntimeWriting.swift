import JSON

/// A value that has a form in an OCI document.
package protocol RuntimeWritable {
    var json: JSONValue { get }
}

extension JSONValue: RuntimeWritable { package var json: JSONValue { self } }
extension String: RuntimeWritable { package var json: JSONValue { .string(self) } }
extension Bool: RuntimeWritable { package var json: JSONValue { .bool(self) } }
extension Int32: RuntimeWritable { package var json: JSONValue { .integer(Int64(self)) } }
extension Int64: RuntimeWritable { package var json: JSONValue { .integer(self) } }
extension UInt16: RuntimeWritable { package var json: JSONValue { .integer(Int64(self)) } }
extension UInt32: RuntimeWritable { package var json: JSONValue { .integer(Int64(self)) } }
extension UInt64: RuntimeWritable {
    package var json: JSONValue { Int64(exactly: self).map(JSONValue.integer) ?? .unsigned(self) }
}
extension Array: RuntimeWritable where Element: RuntimeWritable {
    package var json: JSONValue { .array(map(\.json)) }
}
extension Dictionary: RuntimeWritable where Key == String, Value: RuntimeWritable {
    /// Members by name, so that the same value always gives the same text.
    package var json: JSONValue {
        .object(JSONObject(sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
    }
}

extension JSONObject {
    /// Sets a member, or leaves it out where there is no value.
    mutating func put(_ name: String, _ value: (some RuntimeWritable)?) {
        if let value { self[name] = value.json }
    }

    /// Sets a member that is a list, or leaves it out where the list is empty.
    mutating func putList(_ name: String, _ value: [some RuntimeWritable]) {
        if !value.isEmpty { self[name] = value.json }
    }

    mutating func putMap(_ name: String, _ value: [String: String]) {
        if !value.isEmpty { self[name] = value.json }
    }

    mutating func putMap(_ name: String, _ value: TextMap) {
        if !value.isEmpty { self[name] = value.json }
    }

    /// Sets a member that is false unless said otherwise.
    mutating func putFlag(_ name: String, _ value: Bool) {
        if value { self[name] = .bool(true) }
    }

    mutating func merge(_ others: JSONObject) {
        for member in others.members { self[member.name] = member.value }
    }
}

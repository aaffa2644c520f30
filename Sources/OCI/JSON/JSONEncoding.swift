extension JSONValue {
    /// What a value says of itself (`Encodable`), members in the order in which it says them.
    ///
    /// - Throws: what the value throws, and `EncodingError` for a number that JSON has no text for.
    public init(encoding value: some Encodable) throws {
        let place = Place()
        try value.encode(to: PlaceEncoder(place: place, codingPath: []))
        self = place.value
    }
}

/// A place in the value that is being made; a container of it may be filled from several sides.
private final class Place {
    private enum Kind {
        case nothing, value, object, array
    }

    private var kind = Kind.nothing
    private var single = JSONValue.null
    private var members: [(name: String, place: Place)] = []
    private var elements: [Place] = []

    /// An encoder that was asked for nothing has an empty object.
    var value: JSONValue {
        switch kind {
        case .value: single
        case .array: .array(elements.map(\.value))
        case .object, .nothing: .object(JSONObject(members.map { ($0.name, $0.place.value) }))
        }
    }

    var count: Int { elements.count }

    func set(_ value: JSONValue) { (kind, single) = (.value, value) }
    func beginObject() { kind = .object }
    func beginArray() { kind = .array }

    func member(_ name: String) -> Place {
        let place = Place()
        members.append((name, place))
        return place
    }

    func element() -> Place {
        let place = Place()
        elements.append(place)
        return place
    }
}

private struct PlaceEncoder: Encoder {
    let place: Place
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        place.beginObject()
        return KeyedEncodingContainer(ObjectEncoding<Key>(place: place, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        place.beginArray()
        return ArrayEncoding(place: place, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        ValueEncoding(place: place, codingPath: codingPath)
    }
}

private struct ValueEncoding: SingleValueEncodingContainer {
    let place: Place
    let codingPath: [any CodingKey]

    func encodeNil() { place.set(.null) }
    func encode(_ value: Bool) { place.set(.bool(value)) }
    func encode(_ value: String) { place.set(.string(value)) }
    func encode(_ value: Float) throws { try encode(Double(value)) }
    func encode(_ value: Int) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int8) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int16) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int32) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int64) { place.set(.integer(value)) }
    func encode(_ value: UInt) { encode(UInt64(value)) }
    func encode(_ value: UInt8) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt64) { place.set(Int64(exactly: value).map(JSONValue.integer) ?? .unsigned(value)) }

    func encode(_ value: Double) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: codingPath, debugDescription: "\(value) is no number of JSON"))
        }
        place.set(.number(value))
    }

    func encode(_ value: some Encodable) throws {
        try value.encode(to: PlaceEncoder(place: place, codingPath: codingPath))
    }
}

private struct ObjectEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: Place
    let codingPath: [any CodingKey]

    private func member(_ key: some CodingKey) -> ValueEncoding {
        ValueEncoding(place: place.member(key.stringValue), codingPath: codingPath + [key])
    }

    func encodeNil(forKey key: Key) { member(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try member(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder(PlainKey("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }

    private func encoder(_ key: some CodingKey) -> PlaceEncoder {
        PlaceEncoder(place: place.member(key.stringValue), codingPath: codingPath + [key])
    }
}

private struct ArrayEncoding: UnkeyedEncodingContainer {
    let place: Place
    let codingPath: [any CodingKey]
    var count: Int { place.count }

    private var next: ValueEncoding {
        let path = codingPath + [PlainKey(count)]
        return ValueEncoding(place: place.element(), codingPath: path)
    }

    func encodeNil() { next.encodeNil() }
    func encode(_ value: Bool) { next.encode(value) }
    func encode(_ value: String) { next.encode(value) }
    func encode(_ value: Double) throws { try next.encode(value) }
    func encode(_ value: Float) throws { try next.encode(value) }
    func encode(_ value: Int) { next.encode(value) }
    func encode(_ value: Int8) { next.encode(value) }
    func encode(_ value: Int16) { next.encode(value) }
    func encode(_ value: Int32) { next.encode(value) }
    func encode(_ value: Int64) { next.encode(value) }
    func encode(_ value: UInt) { next.encode(value) }
    func encode(_ value: UInt8) { next.encode(value) }
    func encode(_ value: UInt16) { next.encode(value) }
    func encode(_ value: UInt32) { next.encode(value) }
    func encode(_ value: UInt64) { next.encode(value) }
    func encode(_ value: some Encodable) throws { try next.encode(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder.container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder }

    private var encoder: PlaceEncoder {
        let path = codingPath + [PlainKey(count)]
        return PlaceEncoder(place: place.element(), codingPath: path)
    }
}

/// A key that no type declares.
struct PlainKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) { (stringValue, intValue) = (name, nil) }
    init(_ index: Int) { (stringValue, intValue) = ("Index \(index)", index) }
    init(stringValue: String) { self.init(stringValue) }
    init(intValue: Int) { self.init(intValue) }
}

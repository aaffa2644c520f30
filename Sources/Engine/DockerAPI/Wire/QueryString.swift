/// The parameters of a request's target, percent-decoded, in their order.
package struct QueryString: Hashable, Sendable {
    package private(set) var items: [Item] = []

    package struct Item: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    package init() {}

    /// Reads `a=1&b=%20`; a name without `=` has an empty value.
    package init(parsing text: String) {
        for part in text.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count == 2 ? Percent.decoded(sides[1], plusIsSpace: true) : ""
            items.append(Item(name: Percent.decoded(sides[0], plusIsSpace: true), value: value))
        }
    }

    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// docker's reading of a truth value: absent, empty, `0`, `no`, `false` and `none` are false, all else is true.
    package func flag(_ name: String) -> Bool { flag(name, default: false) }

    package func flag(_ name: String, default missing: Bool) -> Bool {
        guard let value = self[name] else { return missing }
        return !["", "0", "no", "false", "none"].contains(value.lowercased())
    }

    package mutating func add(_ name: String, _ value: String?) {
        if let value { items.append(Item(name: name, value: value)) }
    }

    package mutating func add(_ name: String, _ flag: Bool) { if flag { add(name, "1") } }

    /// `?a=1&b=2`, or nothing.
    package var encoded: String {
        if items.isEmpty { return "" }
        return "?"
            + items.map { "\(Percent.encoded($0.name))=\(Percent.encoded($0.value))" }.joined(separator: "&")
    }
}

/// Percent-encoding of RFC 3986.
package enum Percent {
    /// Undoes the encoding; a `%` without two digits stays as it is.
    package static func decoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let high = digit(rest[rest.startIndex]), let low = digit(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 32 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As forms have it: a space becomes `+`.
    package static func form(_ text: String) -> String { encoded(text, alsoPlain: [32]).replacing(" ", with: "+") }

    /// Encodes all but letters, digits, `-`, `.`, `_`, `~`.
    package static func encoded(_ text: String, alsoPlain: Set<UInt8> = []) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.append(byte)
            case _ where alsoPlain.contains(byte): result.append(byte)
            default: result.append(contentsOf: [37, hexadecimal(byte >> 4), hexadecimal(byte & 15)])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A reference inside a path: the `/`, `:` and `@` of an image's name stay.
    package static func encodedPath(_ text: String) -> String { encoded(text, alsoPlain: [47, 58, 64]) }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    private static func hexadecimal(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }
}

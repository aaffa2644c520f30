import EngineAPI

/// The keys that end an attachment while the process goes on: docker's `detachKeys`.
package struct DetachKeys: Hashable, Sendable {
    package let bytes: [UInt8]

    /// ctrl-p, ctrl-q.
    package static let standard = DetachKeys(bytes: [16, 17])

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `ctrl-p,ctrl-q`, `a`, `ctrl-@`, …; an empty text means the standard keys.
    package init(parsing text: String?) throws(EngineError) {
        guard let text, !text.isEmpty else {
            self = .standard
            return
        }
        var bytes: [UInt8] = []
        for key in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let byte = Self.byte(String(key)) else {
                throw EngineError(.invalid, "Invalid detach keys (\(text)) provided: unknown key '\(key)'")
            }
            bytes.append(byte)
        }
        self.bytes = bytes
    }

    private static func byte(_ key: String) -> UInt8? {
        let bytes = Array(key.utf8)
        if bytes.count == 1 { return bytes[0] }
        guard key.hasPrefix("ctrl-"), bytes.count == 6, let last = bytes.last else { return nil }
        switch last {
        case 97...122: return last - 96
        case 64: return 0
        case 91...95: return last - 64
        default: return nil
        }
    }
}

/// Looks for the detach keys in what a client types. A pure value: bytes in, the bytes to pass on out.
package struct DetachScanner: Sendable {
    private let keys: [UInt8]
    private var matched = 0

    package init(_ keys: DetachKeys) { self.keys = keys.bytes }

    /// The bytes that are for the process, and whether the keys were all pressed.
    ///
    /// A key that begins the sequence is held back until the next one tells what it was: a lone ctrl-p is passed on
    /// with whatever follows.
    package mutating func feed(_ bytes: [UInt8]) -> (forward: [UInt8], isDetached: Bool) {
        guard !keys.isEmpty else { return (bytes, false) }
        var forward: [UInt8] = []
        for byte in bytes {
            if byte == keys[matched] {
                matched += 1
                if matched == keys.count { return (forward, true) }
            } else {
                forward.append(contentsOf: keys[..<matched])
                matched = byte == keys[0] ? 1 : 0
                if matched == 0 { forward.append(byte) } else if keys.count == 1 { return (forward, true) }
            }
        }
        return (forward, false)
    }

    /// What is held back when the input ends.
    package mutating func finish() -> [UInt8] {
        defer { matched = 0 }
        return Array(keys[..<matched])
    }
}

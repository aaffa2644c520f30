import EngineAPI

/// A version of the Docker Engine API, such as 1.51.
package struct APIVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `1.51`; nil for anything else.
    package init?(_ text: Substring) {
        var parts: [Int?] = []
        for part in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            parts.append(Self.number(part))
        }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major, minor)
    }

    package init?(_ text: String) { self.init(text[...]) }

    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard (1...5).contains(digits.count) else { return nil }
        var number = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 48)
        }
        return number
    }

    /// What is spoken where nothing else was agreed on, and announced by the daemon.
    package static let current = APIVersion(1, 51)
    package static let minimum = APIVersion(1, 24)

    package var description: String { "\(major).\(minor)" }

    package static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// Refuses a version that the daemon does not speak, in docker's words.
    package func check() throws(EngineError) {
        if self < .minimum {
            throw EngineError(
                .invalid,
                "client version \(self) is too old. Minimum supported API version is \(Self.minimum), "
                    + "please upgrade your client to a newer version")
        }
        if self > .current {
            throw EngineError(
                .invalid, "client version \(self) is too new. Maximum supported API version is \(Self.current)")
        }
    }

    /// What a client speaks with a server that announces `server`; nil for a server that announces nothing.
    package static func negotiated(with server: APIVersion?) -> APIVersion {
        // Before 1.25 servers did not announce their version; 1.24 is what docker's clients fall back to.
        guard let server else { return .minimum }
        return min(server, .current)
    }
}

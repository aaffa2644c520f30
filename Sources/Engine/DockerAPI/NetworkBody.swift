import EngineAPI
import JSON

/// The two networks that need no bridge, as `GET /networks` shows them.
package enum NetworkBody {
    package static let names = ["host", "none"]

    /// Ids that are the same on each machine: 64 digits made of the name.
    package static func id(_ name: String) -> String {
        let digits = "0123456789abcdef".map { $0 }
        let hex = name.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(hex) + String(repeating: "0", count: max(0, 64 - hex.count))
    }

    /// The network that a name, an id or the beginning of an id means.
    package static func find(_ reference: String) -> String? {
        if names.contains(reference) { return reference }
        guard reference.count >= 2 else { return nil }
        let matches = names.filter { id($0).hasPrefix(reference) }
        return matches.count == 1 ? matches[0] : nil
    }

    package static func body(_ name: String, created: Timestamp) -> JSONValue {
        [
            "Name": .string(name), "Id": .string(id(name)), "Created": .string(WireTime.text(created)),
            "Scope": "local", "Driver": .string(name == "none" ? "null" : name), "EnableIPv4": true,
            "EnableIPv6": false, "IPAM": ["Driver": "default", "Options": .null, "Config": .null], "Internal": false,
            "Attachable": false, "Ingress": false, "ConfigFrom": ["Network": ""], "ConfigOnly": false,
            "Containers": [:], "Options": [:], "Labels": [:],
        ]
    }
}

import Linux

/// The names of one network, as the engine writes them down and every shim of the network reads them.
///
///     network frontend
///     172.18.0.2 web www 0123456789ab
///     172.18.0.3 db 123456789abc
///
/// One line an address; the first name is the one that a reverse look-up gives. A name may stand on several lines.
package struct NameTable: Hashable, Sendable {
    package var network = ""
    package private(set) var entries: [(address: IPAddress, names: [String])] = []
    private var forward: [String: [IPAddress]] = [:]
    private var reverse: [IPAddress: String] = [:]

    package init() {}

    /// Whether a name can stand in a line, as one name.
    package static func canHold(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace }
    }

    /// Names that no line can hold are left out.
    package mutating func add(_ address: IPAddress, _ given: [String]) {
        let names = given.filter(Self.canHold)
        entries.append((address, names))
        for name in names {
            let key = name.lowercased()
            if forward[key]?.contains(address) != true { forward[key, default: []].append(address) }
        }
        if reverse[address] == nil { reverse[address] = names.first }
    }

    /// Has a name stand for another one, whoever else it is called by; for nobody where nobody has that one.
    package mutating func link(_ alias: String, to name: String) {
        forward[alias.lowercased()] = addresses(name.lowercased())
    }

    /// Lines that make no sense are left out: a table of a later version is still of use.
    package init(text: String) {
        for line in TextLines.said(in: text) {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            if first == "network", words.count == 2 {
                network = words[1]
            } else if let address = IPAddress(first) {
                add(address, Array(words.dropFirst()))
            }
        }
    }

    package var text: String {
        (["network \(network)"] + entries.map { "\($0.address) \($0.names.joined(separator: " "))" })
            .joined(separator: "\n") + "\n"
    }

    /// `web`, and `web.frontend` with the network's own name behind it. Nil for a name that is not of this network.
    package func addresses(_ name: String) -> [IPAddress]? {
        if let found = forward[name] { return found }
        let suffix = "." + network.lowercased()
        guard !network.isEmpty, name.hasSuffix(suffix) else { return nil }
        return forward[String(name.dropLast(suffix.count))]
    }

    /// Docker's form: the container's name and the network's.
    package func name(of address: IPAddress) -> String? {
        reverse[address].map { network.isEmpty ? $0 : "\($0).\(network)" }
    }

    package static func == (left: NameTable, right: NameTable) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

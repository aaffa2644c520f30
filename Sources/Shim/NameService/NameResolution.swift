import Linux

/// What a container's name server does with a message: a decision, made of the networks' tables.
package struct NameResolution: Sendable {
    package enum Decision: Hashable, Sendable {
        case reply([UInt8])
        /// For the host's resolvers to answer.
        case forward
        /// Not worth an answer.
        case drop
    }

    package var tables: [NameTable]
    /// Whether there is anybody to forward to: not from an internal network.
    package var forwards: Bool
    /// Turns with each answer of several addresses, so that clients that take the first spread over them.
    private var turn = 0

    package init(tables: [NameTable], forwards: Bool) {
        self.tables = tables
        self.forwards = forwards
    }

    /// - Parameter limit: of an answer over a connection; over datagrams the client says how long it may be.
    package mutating func decide(_ message: [UInt8], limit: Int? = nil) -> Decision {
        let query: DNSQuery
        do throws(DNSError) { query = try DNSQuery(parsing: message) } catch {
            return Self.refusal(message)
        }
        let limit = limit ?? min(query.datagramLimit, 4096)
        guard query.recordClass == 1 else { return elsewhere(query, limit) }
        if query.type == DNSQuery.typePTR, let address = ReverseName.address(query.name) {
            guard let name = tables.lazy.compactMap({ $0.name(of: address) }).first.flatMap(DNSName.init) else {
                return elsewhere(query, limit)
            }
            return .reply(query.response(.success, [.pointer(name)], limit: limit))
        }
        let name = query.name.description
        guard let found = tables.lazy.compactMap({ $0.addresses(name) }).first else { return elsewhere(query, limit) }
        return .reply(query.response(.success, records(found, query.type), limit: limit))
    }

    /// Nothing, and no error, for a kind of record that a container's name has not.
    private mutating func records(_ found: [IPAddress], _ type: UInt16) -> [DNSRecord] {
        let wanted = found.filter { address in
            type == DNSQuery.typeAny || type == (address.family == .v4 ? DNSQuery.typeA : DNSQuery.typeAAAA)
        }
        guard wanted.count > 1 else { return wanted.map(DNSRecord.address) }
        turn = (turn + 1) % wanted.count
        return (wanted[turn...] + wanted[..<turn]).map(DNSRecord.address)
    }

    private func elsewhere(_ query: DNSQuery, _ limit: Int) -> Decision {
        forwards ? .forward : .reply(query.response(.nameError, limit: limit))
    }

    /// The question cannot be repeated: it could not be read, or is none. An answer is not answered.
    private static func refusal(_ message: [UInt8]) -> Decision {
        guard message.count >= 12, message[2] & 0x80 == 0 else { return .drop }
        let opcode = message[2] & 0x78
        let code = opcode == 0 ? DNSResponseCode.formatError : .notImplemented
        return .reply(Array(message[0..<2]) + [0x80 | opcode, UInt8(code.rawValue)] + [UInt8](repeating: 0, count: 8))
    }
}

/// The names under which addresses are looked up: `2.0.18.172.in-addr.arpa`, and nibbles under `ip6.arpa`.
package enum ReverseName {
    package static func address(_ name: DNSName) -> IPAddress? {
        let labels = name.labels.map { String(decoding: $0, as: UTF8.self) }
        guard labels.count > 2, labels.last == "arpa" else { return nil }
        let parts = labels.dropLast(2)
        if labels[labels.count - 2] == "in-addr", parts.count == 4 {
            return IPAddress(parts.reversed().joined(separator: "."))
        }
        guard labels[labels.count - 2] == "ip6", parts.count == 32 else { return nil }
        var value: UInt128 = 0
        for part in parts.reversed() {
            guard part.utf8.count == 1, let nibble = UInt8(part, radix: 16) else { return nil }
            value = value << 4 | UInt128(nibble)
        }
        return IPAddress(.v6, value)
    }

    package static func name(_ address: IPAddress) -> DNSName? {
        let bytes = address.bytes.reversed()
        let parts =
            address.family == .v4
            ? bytes.map { String($0) } : bytes.flatMap { [String($0 & 15, radix: 16), String($0 >> 4, radix: 16)] }
        return DNSName(parts.joined(separator: ".") + (address.family == .v4 ? ".in-addr.arpa" : ".ip6.arpa"))
    }
}

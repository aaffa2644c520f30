import Glibc
import Linux

/// Hosts by their names.
enum HostAddress {
    /// getaddrinfo(3): the first of version 4, else of version 6. Blocking, for as long as name servers take.
    static func find(_ name: String) throws(HostLookupFailure) -> IPAddress {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var found: [IPAddress] = []
        var next = status == 0 ? list : nil
        while let entry = next?.pointee {
            if let address = address(entry) { found.append(address) }
            next = entry.ai_next
        }
        if let address = found.first(where: { $0.family == .v4 }) ?? found.first { return address }
        let reason = status == EAI_NONAME || status == 0 ? "no such host" : String(cString: gai_strerror(status))
        throw HostLookupFailure(host: name, reason: reason)
    }

    private static func address(_ entry: addrinfo) -> IPAddress? {
        guard let start = UnsafeRawPointer(entry.ai_addr) else { return nil }
        // struct sockaddr_in has the address behind family and port; sockaddr_in6 behind a flow label, too.
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(entry.ai_addrlen))
        switch entry.ai_family {
        case AF_INET: return IPAddress(bytes: bytes.dropFirst(4).prefix(4))
        case AF_INET6: return IPAddress(bytes: bytes.dropFirst(8).prefix(16))
        default: return nil
        }
    }
}

/// Why a host's address is not known.
struct HostLookupFailure: Error, Hashable, CustomStringConvertible {
    let host: String
    let reason: String

    var description: String { "lookup \(host): \(reason)" }
}

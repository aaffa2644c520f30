import EngineAPI
import Glibc
import Linux

/// The server of a volume that lies in a network: people call it by its name, and the kernel takes addresses alone.
extension VolumeMountPlan {
    private static let networkTypes: Set = ["nfs", "nfs4", "cifs", "smb3"]
    private static let addressOption = "addr="

    /// With the server's address in the place of its name, by docker's rule: where `addr=` says a name, or, of the file
    /// systems that have their server in the source alone, `//name/share` does.
    ///
    /// - Parameter lookUp: the address of a host; what it throws is thrown.
    func withAddress(
        _ lookUp: (String) throws(EngineError) -> IPAddress
    ) throws(EngineError) -> VolumeMountPlan {
        guard Self.networkTypes.contains(type) else { return self }
        var plan = self
        var options = data.split(separator: ",").map(String.init)
        if let place = options.firstIndex(where: { $0.hasPrefix(Self.addressOption) }) {
            let name = String(options[place].dropFirst(Self.addressOption.count))
            if name.isEmpty || IPAddress(name) != nil { return self }
            options[place] = Self.addressOption + (try lookUp(name)).description
            plan.data = options.joined(separator: ",")
        } else if !type.hasPrefix("nfs"), source.hasPrefix("//") {
            let rest = source.dropFirst(2)
            let name = String(rest.prefix { $0 != "/" })
            if name.isEmpty || IPAddress(name) != nil { return self }
            plan.source = "//\(try lookUp(name))\(rest.dropFirst(name.count))"
        }
        return plan
    }
}

/// Hosts by their names.
enum HostAddress {
    /// getaddrinfo(3): the first of version 4, else of version 6. Blocking, for as long as name servers take.
    static func find(_ name: String) throws(EngineError) -> IPAddress {
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
        throw EngineError(
            .internal, "error resolving passed in network volume address: lookup \(name): \(reason)", object: name)
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

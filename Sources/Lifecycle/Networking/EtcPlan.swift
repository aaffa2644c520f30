import EngineAPI
import Linux

/// The files of a container's /etc that its networks decide.
struct EtcPlan: Sendable {
    let request: NetworkRequest
    let records: [EndpointRecord]
    let networks: [NetworkDefinition]
    /// Where the machine's resolvers answer inside, if not at their own addresses.
    var resolver: IPAddress?

    /// What was written, or is to be, beside what the shim is told.
    struct Outcome: Sendable {
        /// The host's resolvers, for this container.
        var host: ResolverFile
        /// Of the text of resolv.conf that was written last: who finds another finds somebody else's.
        var mark: String?
    }

    private var hostsPath: String { "\(request.filesDirectory)/hosts" }
    private var resolverPath: String { "\(request.filesDirectory)/resolv.conf" }

    /// Writes all of them, for a start. Blocking.
    func writeFiles(servesNames: Bool) throws(EngineError) -> Outcome {
        let gateway = networks.first { !$0.spec.isInternal }?.block(.v4)?.gateway
        let hosts = HostsFile.text(request.names, addresses: records.flatMap(\.addresses), gateway: gateway)
        try NameFiles.overwrite(Array(hosts.utf8), hostsPath)
        let (own, host) = resolvers(servesNames: servesNames)
        try NameFiles.overwrite(Array(own.text.utf8), resolverPath)
        return Outcome(host: host, mark: Self.mark(own.text.utf8))
    }

    /// Has them tell a container that runs of its networks as they are now: of hosts its own lines, and resolv.conf unless
    /// somebody has changed it. Blocking.
    ///
    /// - Parameters:
    ///   - gone: addresses that it no longer has.
    ///   - mark: of what was written last; nil where it was an earlier engine, or is not known.
    func updateFiles(
        servesNames: Bool, without gone: [IPAddress], mark: String?
    ) throws(EngineError) -> Outcome {
        let hosts = try NameFiles.read(hostsPath)
        let moved = HostsFile.text(hosts, of: request.names, with: records.flatMap(\.addresses), without: gone)
        if moved != hosts { try NameFiles.overwrite(moved, hostsPath) }
        let (own, host) = resolvers(servesNames: servesNames)
        let (text, present) = (Array(own.text.utf8), try NameFiles.read(resolverPath))
        // An engine that was killed may have written what is to be, and not told of it.
        if present != text {
            if let mark, Self.mark(present) != mark { return Outcome(host: host, mark: mark) }
            try NameFiles.overwrite(text, resolverPath)
        }
        return Outcome(host: host, mark: Self.mark(text))
    }

    private func resolvers(servesNames: Bool) -> (own: ResolverFile, host: ResolverFile) {
        var machine = ResolverFile.machine()
        if let resolver { machine.servers = [resolver.description] }
        let host = machine.overridden(request.names)
        // The name server asks from the machine's side, where its loopback is.
        if servesNames { return (host.behindNameServer, host) }
        guard request.names.servers.isEmpty else { return (host, host) }
        let own = machine.beyondLocalStub().overridden(request.names)
            .reachable(hasIPv6: records.contains { $0.ipv6 != nil })
        return (own, host)
    }

    /// FNV-1a of 64 bits: it tells one text from another that somebody wrote in its place.
    static func mark(_ text: some Sequence<UInt8>) -> String {
        String(text.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}

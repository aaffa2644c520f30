import Linux

/// An ordinary user's place among its namespaces: what an engine there needs to know of them.
package struct RootlessSession: Hashable, Sendable {
    private static let patienceMilliseconds: Int32 = 30_000

    package var places: UserPlaces
    /// The lease of the namespaces: who outlives an engine, as a container's shim, inherits it.
    package var line: HolderLine
    /// Whether containers have more ids than the user's own.
    package var hasSubordinateIDs: Bool
    /// What the user should know: where things are, why there is one id only.
    package var notes: [String]

    package init(places: UserPlaces, line: HolderLine, ids: UserIDs) {
        self.places = places
        self.line = line
        hasSubordinateIDs = ids.note == nil
        notes = [places.note, ids.note].compactMap(\.self)
    }

    /// Asks the holder for the network namespace in which bridges can be; made when it is first asked for. Blocking;
    /// one call at a time.
    package func network() throws(RootlessFailure) -> RootlessNetwork {
        let (message, brought) = try attempt("ask for a network namespace") { () throws(KernelError) in
            try line.send(.network(""))
            return try line.receive(timeoutMilliseconds: Self.patienceMilliseconds)
        }
        switch message {
        case .network(let summary):
            guard let brought else { throw RootlessFailure("the holder of this user's namespaces gave no network") }
            return RootlessNetwork(namespace: brought, summary: summary)
        case .failed(let why):
            brought?.close()
            throw RootlessFailure(why)
        default:
            brought?.close()
            throw RootlessFailure("the holder of this user's namespaces says `\(message.text)`")
        }
    }
}

/// The network namespace of an ordinary user's engine.
package struct RootlessNetwork: Hashable, Sendable {
    package var namespace: Descriptor
    /// `pasta`, `slirp4netns`; nil where nothing carries packets to the world.
    package var uplink: String?
    /// The address at which the machine's resolvers are asked from inside.
    package var resolver: String?
    /// Why there is no uplink.
    package var complaint: String?

    init(namespace: Descriptor, summary: String) {
        self.namespace = namespace
        let words = summary.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = words.count > 1 ? words[1] : nil
        if words.first == "none" {
            complaint = rest
        } else {
            (uplink, resolver) = (words.first, rest)
        }
    }
}

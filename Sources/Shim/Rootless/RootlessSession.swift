import CLinux
import Glibc
import Linux

/// An ordinary user's place among its namespaces: what an engine there needs to know of them.
package struct RootlessSession: Hashable, Sendable {
    private static let patienceMilliseconds: Int32 = 30_000

    package var places: UserPlaces
    /// The lease of the namespaces: who outlives an engine, as a container's shim, inherits it.
    package var line: HolderLine
    /// The mount namespace, which shims hold beside the line: they leave it for one of their own, and by it a holder that
    /// comes after one that was killed finds it.
    package let mount: Descriptor
    /// What a container's shim inherits.
    package var leases: [Descriptor] { [line.socket, mount] }
    private let shimPath: String
    private let ids: UserIDs
    /// Whether containers have more ids than the user's own.
    package var hasSubordinateIDs: Bool
    /// What the user should know: where things are, why there is one id only.
    package var notes: [String]

    /// To be called within.
    package init(places: UserPlaces, line: HolderLine, ids: UserIDs, shimPath: String) throws(RootlessFailure) {
        self.places = places
        self.line = line
        self.ids = ids
        self.shimPath = shimPath
        mount = try attempt("open the mount namespace") { () throws(KernelError) in
            try Descriptor.open("/proc/self/ns/mnt", O_RDONLY)
        }
        hasSubordinateIDs = ids.note == nil
        notes = [places.note, ids.note].compactMap(\.self)
    }

    /// Asks the holder for the network namespace in which bridges can be; made when it is first asked for. Blocking;
    /// one call at a time.
    package func network() throws(RootlessFailure) -> RootlessNetwork {
        if isCut { try renew() }
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

    /// Writes down that this process hosts the engine, for a holder that comes after one that was killed. Blocking.
    package func announceEngine() throws(KernelError) {
        let ticks = try ProcessStat.read(pid: getpid()).startTicks
        try FileContents.replace(
            "\(places.runRoot)/\(HolderFiles.engine)", with: Array("\(getpid()) \(ticks)\n".utf8), durable: false)
    }

    /// Whether the holder is gone: nobody but a killed one ends a line.
    private var isCut: Bool {
        var entry = pollfd(fd: line.socket.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP) != 0
    }

    /// Another line in the place of this one, whoever has its number.
    private func renew() throws(RootlessFailure) {
        let fresh = try NamespaceEntry(places: places, shimPath: shimPath, ids: ids).reenter()
        defer { fresh.close() }
        try attempt("take the new line to the holder") { () throws(KernelError) in
            try kernelCall("dup2") { dup2(fresh.socket.rawValue, line.socket.rawValue) }
            try kernelCall("set close-on-exec") { gantry_fcntl_int(line.socket.rawValue, F_SETFD, FD_CLOEXEC) }
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

import AsyncIO
import EngineAPI
import Faults
import Linux

/// The networks of an engine and who is in them.
///
/// Nothing is read, made or loaded before a network is first needed: an engine whose containers have none pays nothing.
/// A row is written before what it tells of is made, and goes after that is gone; so what a crash leaves is found again.
/// Containers' devices, rules, names and sockets need no engine: a new one finds them and goes on.
package actor NetworkService {
    let index: any NetworkIndex
    let roots: NetworkRoots
    /// Where the bridges are, once something is loaded.
    private(set) var ground = NetworkGround()
    private(set) var links: HostLinks
    let rules: FirewallRules
    let filter = PacketFilter()
    /// For looking at what others have in the packet filter.
    let lookingFilter = PacketFilter(isTerse: true)
    var seenChains = SeenChains()
    var filterState = FilterState()
    /// Who changes the packet filter's table, by its name.
    var filterTurns = Turns<String>()
    /// Hears of what others do to the table.
    var filterWatch: FilterWatch?
    let note: @Sendable (String) -> Void
    let containers: NetworkedContainers
    private let openGround: @Sendable () throws(EngineError) -> NetworkGround
    /// What it gave: it is called once.
    private var openedGround: NetworkGround?
    let faults: FaultPlan
    let clock: any Clock<Duration>
    /// Of which networks there are and who is in them.
    package nonisolated let revision = Revision()

    var definitions: [String: NetworkDefinition] = [:] { didSet { revision.raise() } }
    /// Which of these are just being made: their names and subnets are taken, and nobody finds them yet.
    private var beingMade: Set<String> = [] { didSet { revision.raise() } }
    /// Those that are just being removed, of which the same is true.
    private var beingRemoved: [String: NetworkDefinition] = [:]
    /// By container, in the order in which it joined.
    var endpoints: [String: [EndpointRecord]] = [:] { didSet { revision.raise() } }
    var unread = UnreadNetworks()
    /// Containers that have ended, whose ports are being closed.
    var ending: Set<String> = []
    var book = AddressBook()
    /// Who writes down each network's names.
    var nameWriting = Turns<String>()
    /// Deletes devices that containers no longer have.
    var sweep: Task<Void, Never>?
    /// Flows that are to be forgotten, and the addresses of those that are just being.
    var staleFlows = StaleFlows()
    var fadingAddresses: Set<IPAddress> = []
    var forgetting: Task<Void, Never>?
    /// Namespaces of containers with a retired device.
    var retiredInside: [Descriptor] = []
    /// Devices of containers that have ended, and who looks whether they are gone.
    var endedLinks: [String] = []
    var lookingForEnded: Task<Void, Never>?
    /// Networks of which this engine has seen that their switches are set.
    var isMaterialized: Set<String> = []
    /// The kernel's switches that an engine of this run root has set since the machine's start.
    var openedSwitches: Set<String> = []
    private var loading: Task<EngineError?, Never>?

    /// - Parameter openGround: where the bridges are; called once, when a network is first needed. Blocking.
    package init(
        index: any NetworkIndex, roots: NetworkRoots, containers: NetworkedContainers,
        openGround: @escaping @Sendable () throws(EngineError) -> NetworkGround = {
            () throws(EngineError) in NetworkGround()
        },
        clock: any Clock<Duration> = ContinuousClock(), faults: FaultPlan = .none,
        note: @escaping @Sendable (String) -> Void
    ) {
        self.index = index
        self.roots = roots
        self.containers = containers
        self.openGround = openGround
        self.clock = clock
        self.faults = faults
        self.note = note
        links = HostLinks(mark: roots.mark)
        rules = FirewallRules(table: roots.table)
    }

    /// Reads what is kept, once; who comes meanwhile waits for it. After a failure the next to come begins anew.
    func load() async throws(EngineError) {
        let task = loading ?? Task { await self.read() }
        loading = task
        guard let failure = await task.value else { return }
        // Another one that waited may have begun anew already.
        if loading == task { loading = nil }
        throw failure
    }

    /// May be run again after a failure: nothing of the former run counts.
    private func read() async -> EngineError? {
        do throws(EngineError) {
            try await findGround()
            let networks = try await index.networks()
            definitions = Dictionary(networks.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            let records = try await index.endpoints()
            endpoints = Dictionary(grouping: records.sorted { $0.order < $1.order }, by: \.containerID)
            unread = try await index.unread()
            book = AddressBook()
            for record in records where record.isActive {
                guard let network = definitions[record.networkID] else { continue }
                for address in record.addresses { book.note(address, in: network) }
            }
            let (directory, switches) = (roots.directory, roots.switches)
            do throws(KernelError) {
                openedSwitches = try await BlockingPool.shared.run { () throws(KernelError) in
                    try Directory.create(directory, mode: 0o711)
                    return try Forwarding.opened(switches)
                }
            } catch { throw EngineError(.internal, "\(error)") }
            // Where routes leave no room for it, others can be used all the same.
            do throws(EngineError) { try await makeDefault() } catch {
                note("network \(NetworkDefinition.defaultName): \(error)")
            }
            await reconcile()
            return nil
        } catch { return error }
    }

    private func findGround() async throws(EngineError) {
        let (open, known) = (openGround, openedGround)
        let ground = try await BlockingPool.shared.run { () throws(EngineError) in
            if let known { return known }
            return try open()
        }
        openedGround = ground
        try await BlockingPool.shared.run { () throws(EngineError) in try ground.prepare() }
        self.ground = ground
        links = HostLinks(mark: roots.mark, namespace: ground.namespace)
    }

    /// Where it is not there yet.
    private func makeDefault() async throws(EngineError) {
        if hasDefault || unread.networks.values.contains(NetworkDefinition.defaultName) { return }
        var spec = NetworkSpec(name: NetworkDefinition.defaultName)
        spec.options["com.docker.network.bridge.default_bridge"] = "true"
        do throws(EngineError) { _ = try await add(spec, linkName: roots.defaultBridge) } catch {
            // Somebody else may have made it meanwhile.
            if !hasDefault { throw error }
        }
    }

    private var hasDefault: Bool { definitions.values.contains(where: \.isDefault) }
}

/// Networks themselves.
extension NetworkService {
    /// All networks, by their names.
    package func networks() async throws(EngineError) -> [NetworkDefinition] {
        try await load()
        return present.sorted { $0.name < $1.name }
    }

    /// Those that are there whole.
    private var present: [NetworkDefinition] { definitions.values.filter { !beingMade.contains($0.id) } }

    /// The network that a name, an id or a unique beginning of an id means.
    package func network(_ reference: String) async throws(EngineError) -> NetworkDefinition {
        try await load()
        if reference == NetworkDefinition.defaultName { try await makeDefault() }
        let present = present
        if let exact = present.first(where: { $0.id == reference }) ?? present.first(where: { $0.name == reference }) {
            return exact
        }
        let found = reference.isEmpty ? [] : present.filter { $0.id.hasPrefix(reference) }
        guard found.count < 2 else {
            throw EngineError(.invalid, "network \(reference) is ambiguous (\(found.count) matches found on name)")
        }
        guard let network = found.first else { throw missing(reference) }
        return network
    }

    /// Makes a network with its bridge. On failure nothing is left.
    package func create(_ spec: NetworkSpec) async throws(EngineError) -> NetworkDefinition {
        try await load()
        guard ground.namespace == nil || !["macvlan", "ipvlan"].contains(spec.driver) else {
            throw EngineError(
                .unsupported,
                "networks of the driver \(spec.driver) need the machine's devices, which only its root may use",
                object: spec.name)
        }
        let network = try await add(spec, linkName: nil)
        defer { beingMade.remove(network.id) }
        faults.pass(.networkCreateAfterRow)
        if network.isConfiguration { return network }
        do throws(EngineError) {
            try await materialize(network)
            faults.pass(.networkCreateAfterBridge)
            try await change(rules.adding(network))
        } catch {
            await drop(network)
            throw error
        }
        return network
    }

    /// All but the default one, which is whole without its bridge, count as being made until the caller takes that back.
    private func add(_ spec: NetworkSpec, linkName: String?) async throws(EngineError) -> NetworkDefinition {
        try checkUnread(spec.name)
        let links = self.links
        let routes = try await BlockingPool.shared.run { () throws(EngineError) in try links.routes() }
        let id = NetworkID.make()
        let draft = NetworkDraft(networks: Array(definitions.values) + beingRemoved.values, routes: routes)
        let network = try draft.definition(
            spec, id: id, createdAt: Timestamp.now().nanosecondsSinceEpoch,
            linkName: linkName ?? "gt-\(id.prefix(12))")
        // Claimed at once: whoever asks next finds the name and the subnet taken.
        if !network.isDefault { beingMade.insert(id) }
        definitions[id] = network
        do throws(EngineError) { try await index.apply([.put(network)]) } catch {
            definitions[id] = nil
            beingMade.remove(id)
            throw error
        }
        return network
    }

    /// Makes sure that a network's devices are there and that the kernel passes its packets on.
    func materialize(_ network: NetworkDefinition) async throws(EngineError) {
        let links = self.links
        try await BlockingPool.shared.run { () throws(EngineError) in _ = try links.ensure(network) }
        try await setSwitches([network])
    }

    private func drop(_ network: NetworkDefinition) async {
        let (links, isShared) = (self.links, isParentShared(network))
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in if !isShared { try links.remove(network) } }
            try await index.apply([.delete(networkID: network.id)])
        } catch { note("network \(network.name): \(error)") }
        definitions[network.id] = nil
        book.forget(network.id)
    }

    /// Whether another network is over the same parent, which goes with the last of them.
    private func isParentShared(_ network: NetworkDefinition) -> Bool {
        network.driver != .bridge
            && definitions.values.contains { $0.id != network.id && $0.linkName == network.linkName }
    }

    /// Removes a network that no container is part of.
    package func remove(_ reference: String) async throws(EngineError) -> NetworkDefinition {
        let network = try await network(reference)
        guard !network.isDefault else {
            throw EngineError(.denied, "bridge is a pre-defined network and cannot be removed", object: reference)
        }
        let users = endpoints.values.flatMap { $0 }.filter { $0.networkID == network.id && $0.isActive }
        guard users.isEmpty else {
            let list = users.map { "name:\"\($0.containerName)\" id:\"\($0.endpointID.prefix(12))\"" }
            throw EngineError(
                .denied,
                "error while removing network: network \(network.name) has active endpoints "
                    + "(\(list.joined(separator: ", ")))", object: reference)
        }
        try checkUntaken(network)
        // Nobody finds it from here on, and so nobody joins it; nor is what it has given to another before it is gone.
        definitions[network.id] = nil
        beingRemoved[network.id] = network
        defer { beingRemoved[network.id] = nil }
        // The bridge may be made anew where the removal fails half way.
        isMaterialized.remove(network.id)
        do throws(EngineError) { try await unmake(network) } catch {
            definitions[network.id] = network
            throw error
        }
        // Containers stay part of what is gone: one of them that is started is told so, and does not run without.
        book.forget(network.id)
        return network
    }

    private func unmake(_ network: NetworkDefinition) async throws(EngineError) {
        if network.isConfiguration { return try await index.apply([.delete(networkID: network.id)]) }
        await changeQuietly(rules.removing(network))
        faults.pass(.networkRemoveAfterRules)
        let (links, names, isShared) = (self.links, roots.names(network.id), isParentShared(network))
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                if !isShared { try links.remove(network) }
                NameFiles.remove(names)
            }
            faults.pass(.networkRemoveAfterBridge)
            try await index.apply([.delete(networkID: network.id)])
        } catch {
            await changeQuietly(rules.adding(network))
            throw error
        }
    }
}

/// Ids of networks and endpoints, as containers have them.
enum NetworkID {
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

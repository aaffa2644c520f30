import AsyncIO
import EngineAPI
import Linux
import Netlink

/// What this engine knows of its table in the packet filter.
struct FilterState: Sendable {
    /// This engine has set the table, and it is there as far as is known.
    var isSet = false
    /// The kernel's number of the table, also of one that a former engine has set; nil where nothing is known of any.
    var number: UInt64?
    /// How many of the packet filter's changes were this engine's.
    var ownChanges: UInt32 = 0
}

/// What is done about the table, one thing after another.
private enum FilterStep: Sendable {
    /// All of it is set where this engine has not done so yet.
    case provide
    /// All of it is set anew, for what all of its rules depend on has changed.
    case renew
    /// All of it is set where others have taken it away.
    case mend
    /// A difference. A table that is not this engine's yet will have it once it is.
    case change(String)
}

/// The packet filter. All changes of the engine's table go one after another, in the order in which they are asked for;
/// and who sets all of it sets what is to be when its turn comes: a port that was closed meanwhile is not opened again.
extension NetworkService {
    var isFilterSet: Bool { filterState.isSet }

    /// Makes sure that our table is what it should be; the whole of it where this engine has not set it yet.
    func prepareFilter() async throws(EngineError) { if !isFilterSet { try await take(.provide) } }

    /// Sets the whole of it anew.
    func resetFilter() async throws(EngineError) { try await take(.renew) }

    /// Makes a change; where the table is not what it was thought to be, all of it is set again.
    func change(_ commands: String) async throws(EngineError) {
        if !commands.isEmpty { try await take(.change(commands)) }
    }

    func changeQuietly(_ commands: String) async {
        do throws(EngineError) { try await change(commands) } catch { note("\(error)") }
    }

    /// Looks after the table that a former engine has set, whose containers run on.
    func adoptFilter() async {
        await watchFilter()
        let (ground, table) = (self.ground, rules.table)
        do throws(EngineError) {
            filterState.number = try await BlockingPool.shared.run { () throws(EngineError) in
                try ground.run { () throws(EngineError) in try Self.number(of: table) }
            }
            if filterState.number == nil { try await prepareFilter() }
        } catch { note("\(error)") }
    }

    /// How often others have changed the packet filter. In its turn, for a change of ours counts only once it is made.
    func othersChanges() async throws(EngineError) -> UInt32 {
        let outcome = await inTurn { await self.countOthersChanges() }
        return try outcome.get()
    }

    private func countOthersChanges() async -> Result<UInt32, EngineError> {
        let ground = self.ground
        do throws(EngineError) {
            let all = try await BlockingPool.shared.run { () throws(EngineError) in
                try ground.run { () throws(EngineError) in try Self.generation() }
            }
            return .success(all &- filterState.ownChanges)
        } catch { return .failure(error) }
    }

    private func inTurn<Outcome: Sendable>(_ body: @escaping @Sendable () async -> Outcome) async -> Outcome {
        let turn = filterTurns.begin(rules.table, body)
        let outcome = await turn.outcome
        filterTurns.end(rules.table, turn)
        return outcome
    }

    private func take(_ step: FilterStep) async throws(EngineError) {
        if let failure = await inTurn({ await self.perform(step) }) { throw failure }
    }

    private func perform(_ step: FilterStep) async -> EngineError? {
        do throws(EngineError) {
            switch step {
            case .provide: if !isFilterSet { try await setWhole() }
            case .renew: try await setWhole()
            case .mend: try await mend()
            case .change(let commands):
                guard isFilterSet else { return nil }
                do throws(EngineError) { try await run(commands) } catch  where error.kind == .internal {
                    try await setWhole()
                }
            }
            return nil
        } catch { return error }
    }

    private func setWhole() async throws(EngineError) {
        await watchFilter()
        do throws(EngineError) { try await run(wholeRules) } catch {
            filterState.isSet = false
            throw error
        }
        filterState.isSet = true
    }

    private var wholeRules: String {
        let networks = definitions.values.sorted { $0.id < $1.id }
        return rules.whole(
            networks,
            endpoints.values.flatMap { $0 }.filter {
                $0.isActive && $0.change != .leaving && !ending.contains($0.containerID)
            },
            closing: Set(openedSwitches.compactMap(Forwarding.family)))
    }

    private func run(_ commands: String) async throws(EngineError) {
        let (filter, ground, table) = (self.filter, self.ground, rules.table)
        let (isChange, number) = try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in try Self.make(commands, by: filter, of: table) }
        }
        if isChange { filterState.ownChanges &+= 1 }
        filterState.number = number
    }

    /// In the calling thread's network. Blocking.
    ///
    /// - Returns: whether that was a change, as elements that are there already are none; and the table's number then.
    private static func make(
        _ commands: String, by filter: PacketFilter, of table: String
    ) throws(EngineError) -> (isChange: Bool, number: UInt64?) {
        do {
            var socket = try NetlinkSocket(.filter)
            let before = try socket.filterGeneration()
            try filter.run(commands)
            return (try socket.filterGeneration() != before, try socket.filterTable(table))
        } catch let refusal as EngineError { throw refusal } catch { throw EngineError(.internal, "\(error)") }
    }

    /// Of the calling thread's network. Blocking.
    private static func generation() throws(EngineError) -> UInt32 {
        do {
            var socket = try NetlinkSocket(.filter)
            return try socket.filterGeneration()
        } catch { throw EngineError(.internal, "\(error)") }
    }

    /// The same of a table's number.
    private static func number(of table: String) throws(EngineError) -> UInt64? {
        do {
            var socket = try NetlinkSocket(.filter)
            return try socket.filterTable(table)
        } catch { throw EngineError(.internal, "\(error)") }
    }
}

/// What others do to our table: `nft flush ruleset`, as the reload of a firewall begins, takes it away with all others. The
/// containers would go on without the way out, without their ports and without what keeps them apart.
extension NetworkService {
    private func watchFilter() async {
        guard filterWatch == nil else { return }
        let (namespace, table) = (ground.namespace, rules.table)
        let mend: @Sendable () async -> Void = { [weak self] in await self?.mendFilter() }
        do throws(KernelError) {
            let watch = try await BlockingPool.shared.run { () throws(KernelError) in
                try FilterWatch(of: table, in: namespace, onDeletion: mend)
            }
            // Another may have begun in the meantime.
            if filterWatch == nil { filterWatch = watch }
        } catch { note("what others take from the packet filter is not noticed: \(error)") }
    }

    /// At the engine's end: what others do to the table from here on is the next one's to see.
    func leaveFilter() async {
        filterWatch = nil
        await inTurn { await self.forgetTable() }
    }

    private func forgetTable() { filterState.number = nil }

    private func mendFilter() async {
        do throws(EngineError) { try await take(.mend) } catch { note("\(error)") }
    }

    private func mend() async throws(EngineError) {
        // Without one there is nothing to miss.
        guard let known = filterState.number else { return }
        let (ground, table) = (self.ground, rules.table)
        let present = try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in try Self.number(of: table) }
        }
        guard present != known else { return }
        filterState.isSet = false
        try await setWhole()
        note("table inet \(table) of the packet filter was deleted by another program; it is set again")
    }
}

/// Hears of it when a table of the packet filter may have been deleted, until it is let go of.
final class FilterWatch: Sendable {
    private let socket: WatchedDescriptor
    private let listening: Task<Void, Never>

    /// No deletion after this goes unheard. Blocking.
    init(
        of table: String, in namespace: Descriptor?, onDeletion: @escaping @Sendable () async -> Void
    ) throws(KernelError) {
        let descriptor = try FilterNews.open(in: namespace)
        do throws(KernelError) { socket = try WatchedDescriptor(descriptor) } catch {
            descriptor.close()
            throw error
        }
        listening = Task { [socket] in await Self.listen(socket, FilterNews(of: table), onDeletion) }
    }

    deinit {
        listening.cancel()
        socket.close()
    }

    private static func listen(
        _ socket: WatchedDescriptor, _ news: FilterNews, _ onDeletion: @Sendable () async -> Void
    ) async {
        var news = news
        // Until it is closed.
        while (try? await socket.readable()) != nil {
            var isDeleted = false
            // All that waits is one occasion to look.
            while let one = try? socket.withDescriptor({ (descriptor) throws(KernelError) in
                try news.readDeletion(descriptor)
            }) {
                if one { isDeleted = true }
            }
            if isDeleted { await onDeletion() }
        }
    }
}

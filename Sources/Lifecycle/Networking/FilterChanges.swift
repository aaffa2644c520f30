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
    /// The generations of the packet filter that these have begun, of the last of them.
    private(set) var ownGenerations: [UInt32] = []
    /// The generation before all of the table was last set; nil where this engine has not done so.
    var wholeSince: UInt32?

    mutating func note(_ change: FilterChange) {
        ownChanges &+= 1
        guard let generation = change.generation else { return }
        ownGenerations.append(generation)
        // What is told of them is read soon after.
        if ownGenerations.count > 256 { ownGenerations.removeFirst(128) }
    }

    /// Whether another program has taken a part of the table since all of it was set.
    func isByOthers(_ loss: FilterLoss) -> Bool {
        guard case .part(let generation) = loss, !ownGenerations.contains(generation) else { return false }
        return wholeSince.map { Int32(bitPattern: generation &- $0) > 0 } ?? true
    }
}

/// A change of the packet filter that this engine has made.
struct FilterChange: Sendable {
    /// The generation before it.
    let before: UInt32
    /// The generation that it has begun; nil where another program's change came in between, and it could be either.
    let generation: UInt32?

    /// Nil where nothing has changed.
    init?(from before: UInt32, to after: UInt32) {
        if after == before { return nil }
        self.before = before
        generation = after == before &+ 1 ? after : nil
    }
}

/// What is done about the table, one thing after another.
private enum FilterStep: Sendable {
    /// All of it is set where this engine has not done so yet.
    case provide
    /// All of it is set anew, for what all of its rules depend on has changed.
    case renew
    /// All of it is set where others have taken it away, or something of it.
    case mend([FilterLoss])
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
            case .mend(let losses): try await mend(losses)
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
        do throws(EngineError) { filterState.wholeSince = try await run(wholeRules)?.before } catch {
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

    @discardableResult
    private func run(_ commands: String) async throws(EngineError) -> FilterChange? {
        let (filter, ground, table) = (self.filter, self.ground, rules.table)
        let (change, number) = try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in try Self.make(commands, by: filter, of: table) }
        }
        if let change { filterState.note(change) }
        filterState.number = number
        return change
    }

    /// In the calling thread's network. Blocking.
    ///
    /// - Returns: the change, nil where it was none, as elements that are there already are none; and the table's number
    ///   then.
    private static func make(
        _ commands: String, by filter: PacketFilter, of table: String
    ) throws(EngineError) -> (change: FilterChange?, number: UInt64?) {
        do {
            var socket = try NetlinkSocket(.filter)
            let before = try socket.filterGeneration()
            try filter.run(commands)
            let after = try socket.filterGeneration()
            return (FilterChange(from: before, to: after), try socket.filterTable(table))
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

/// What others do to our table: `nft flush ruleset`, as the reload of a firewall begins, takes it away with all others, and
/// `nft flush table` empties it. The containers would go on without the way out, without their ports and without what keeps
/// them apart.
extension NetworkService {
    private func watchFilter() async {
        guard filterWatch == nil else { return }
        let (namespace, table) = (ground.namespace, rules.table)
        let mend: @Sendable ([FilterLoss]) async -> Void = { [weak self] in await self?.mendFilter($0) }
        do throws(KernelError) {
            let watch = try await BlockingPool.shared.run { () throws(KernelError) in
                try FilterWatch(of: table, in: namespace, onLoss: mend)
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

    private func mendFilter(_ losses: [FilterLoss]) async {
        do throws(EngineError) { try await take(.mend(losses)) } catch { note("\(error)") }
    }

    private func mend(_ losses: [FilterLoss]) async throws(EngineError) {
        // Without one there is nothing to miss.
        guard let known = filterState.number else { return }
        let (ground, table) = (self.ground, rules.table)
        let present = try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in try Self.number(of: table) }
        }
        guard present != known || losses.contains(where: filterState.isByOthers) else { return }
        filterState.isSet = false
        try await setWhole()
        let loss = present == known ? "rules of table inet \(table) were" : "table inet \(table) was"
        note("\(loss) deleted from the packet filter by another program; all of it is set again")
    }
}

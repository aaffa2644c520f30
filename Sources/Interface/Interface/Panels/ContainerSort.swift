import EngineAPI

/// What the list is sorted by.
enum ContainerSort: String, CaseIterable, Hashable, Sendable {
    case created, name, image, state, cpu, memory, pids

    var isMeasured: Bool { self == .cpu || self == .memory || self == .pids }

    var next: ContainerSort {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }

    func sorted(
        _ rows: [ContainerSummary], _ figures: [String: StatsHistory], reversed: Bool
    ) -> [ContainerSummary] {
        let measures = isMeasured ? rows.map { measure($0, figures) } : []
        let sorted = rows.indices.sorted { first, second in
            let (left, right) = (rows[first], rows[second])
            let isBefore = isMeasured ? Self.before(-measures[first], -measures[second]) : order(left, right)
            // Equal ones by name, then id, so that rows do not change places by themselves.
            return isBefore ?? ((NaturalName(left.name), left.id) < (NaturalName(right.name), right.id))
        }
        return (reversed ? sorted.reversed() : sorted).map { rows[$0] }
    }

    /// The largest is first; those that do not run are last.
    private func measure(_ row: ContainerSummary, _ figures: [String: StatsHistory]) -> Double {
        guard row.state.isAlive else { return -1 }
        guard let point = figures[row.id]?.latest else { return 0 }
        return switch self {
        case .cpu: point.cpuPercent ?? 0
        case .memory: Double(point.memoryBytes)
        default: Double(point.pids)
        }
    }

    /// Whether the left one comes first; nil where they are equal.
    private func order(_ left: ContainerSummary, _ right: ContainerSummary) -> Bool? {
        func by<Value: Comparable>(_ key: (ContainerSummary) -> Value) -> Bool? { Self.before(key(left), key(right)) }
        return switch self {
        case .created: by { -$0.createdAt.nanosecondsSinceEpoch }
        case .name: by { NaturalName($0.name) }
        case .image: by { NaturalName($0.image) }
        case .state: by(\.state.status.rank)
        case .cpu, .memory, .pids: nil
        }
    }

    private static func before<Value: Comparable>(_ left: Value, _ right: Value) -> Bool? {
        left == right ? nil : left < right
    }
}

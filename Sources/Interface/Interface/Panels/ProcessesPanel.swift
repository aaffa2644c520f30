import EngineAPI

/// The chain from the engine to the selected container's processes.
struct ProcessesPanel {
    /// How its rows stand.
    enum Order: String, CaseIterable, Hashable, Sendable {
        case tree, cpu, memory

        var next: Order {
            switch self {
            case .tree: .cpu
            case .cpu: .memory
            case .memory: .tree
            }
        }
    }

    private(set) var containerID: String?
    private(set) var order = Order.tree
    private(set) var rows: [ProcessRow] = []
    private var nodes: [ProcessNode] = []
    /// When they were counted.
    private var countedAt: Timestamp?
    /// What each of them has used since they were counted before, of one core.
    private(set) var cpuPercents: [Int32: Double] = [:]
    /// By pid.
    private(set) var cursor = ListCursor<Int32>()

    private var pids: [Int32] { rows.map(\.node.pid) }

    /// - Parameter time: when they were counted, for what they use; nil where nobody knows.
    mutating func replace(_ nodes: [ProcessNode], of id: String, at time: Timestamp?) {
        if id != containerID { (cursor, self.nodes, countedAt) = (ListCursor(), [], nil) }
        containerID = id
        cpuPercents = Self.percents(self.nodes, countedAt, nodes, time)
        (self.nodes, countedAt) = (nodes, time)
        arrange()
    }

    private static func percents(
        _ old: [ProcessNode], _ start: Timestamp?, _ new: [ProcessNode], _ end: Timestamp?
    ) -> [Int32: Double] {
        guard let start, let end, start < end else { return [:] }
        let elapsed = Double(end.nanosecondsSinceEpoch - start.nanosecondsSinceEpoch)
        let before = Dictionary(old.map { ($0.pid, $0) }, uniquingKeysWith: { $1 })
        let shares = new.compactMap { node -> (Int32, Double)? in
            // A pid may be another process's by now.
            guard let last = before[node.pid], last.isSame(as: node), last.cpuNanoseconds <= node.cpuNanoseconds else {
                return nil
            }
            return (node.pid, Double(node.cpuNanoseconds - last.cpuNanoseconds) / elapsed * 100)
        }
        return Dictionary(shares, uniquingKeysWith: { $1 })
    }

    private mutating func arrange() {
        switch order {
        case .tree: rows = ProcessRow.tree(nodes)
        case .cpu: rows = ProcessRow.list(nodes) { cpuPercents[$0.pid] ?? 0 }
        case .memory: rows = ProcessRow.list(nodes) { Double($0.residentBytes) }
        }
        cursor.follow(pids)
    }

    /// Who asks for another order wants to see what comes first in it.
    mutating func sortNext() {
        order = order.next
        arrange()
        select(index: 0)
        cursor.show(of: rows.count, page: 1)
    }

    mutating func clear() {
        let order = order
        self = ProcessesPanel()
        self.order = order
    }

    mutating func move(_ movement: Movement, page: Int) {
        cursor.move(movement, of: pids, page: page)
    }

    mutating func select(index: Int) { cursor.choose(index, of: pids) }
}

/// A process with the lines that hang it on its parent.
struct ProcessRow: Hashable, Sendable {
    var node: ProcessNode
    /// `├─ `, `│  └─ `, …
    var branch: String

    /// Those with most first, the container's own before those of the engine.
    static func list(_ nodes: [ProcessNode], by amount: (ProcessNode) -> Double) -> [ProcessRow] {
        let measured = nodes.map {
            (node: $0, key: ($0.role == .engine || $0.role == .shim ? 1 : 0, -amount($0), $0.pid))
        }
        return measured.sorted { $0.key < $1.key }.map { ProcessRow(node: $0.node, branch: "") }
    }

    /// Depth first, children by pid. What has no parent in the list is a root.
    static func tree(_ nodes: [ProcessNode]) -> [ProcessRow] {
        let known = Set(nodes.map(\.pid))
        var children: [Int32: [ProcessNode]] = [:]
        var roots: [ProcessNode] = []
        for node in nodes.sorted(by: { $0.pid < $1.pid }) {
            if known.contains(node.parentPID), node.parentPID != node.pid {
                children[node.parentPID, default: []].append(node)
            } else {
                roots.append(node)
            }
        }
        roots.sort { ($0.role.rank, $0.pid) < ($1.role.rank, $1.pid) }
        var rows: [ProcessRow] = []
        for root in roots { append(root, branch: "", below: "", children, to: &rows) }
        return rows
    }

    private static func append(
        _ node: ProcessNode, branch: String, below: String, _ children: [Int32: [ProcessNode]],
        to rows: inout [ProcessRow]
    ) {
        // A table with a ring in it (pids reused while it was read) must not be followed for ever.
        guard rows.count < 5000, below.count < 300 else { return }
        rows.append(ProcessRow(node: node, branch: branch))
        let own = children[node.pid] ?? []
        for (index, child) in own.enumerated() {
            let isLast = index == own.count - 1
            append(
                child, branch: below + (isLast ? "└─" : "├─"), below: below + (isLast ? "  " : "│ "), children,
                to: &rows)
        }
    }
}

extension ProcessNode.Role {
    var rank: Int {
        switch self {
        case .engine: 0
        case .shim: 1
        case .initial: 2
        case .process: 3
        }
    }

    /// What stands before the command.
    var word: String {
        switch self {
        case .engine: "engine"
        case .shim: "shim"
        case .initial: "init"
        case .process: ""
        }
    }
}

extension ProcessNode {
    /// Of one pid: the start is reckoned from clocks that are read anew each time, and differs by a little.
    fileprivate func isSame(as other: ProcessNode) -> Bool {
        let difference = startedAt.nanosecondsSinceEpoch.subtractingReportingOverflow(
            other.startedAt.nanosecondsSinceEpoch)
        return !difference.overflow && difference.partialValue.magnitude < 1_000_000_000
    }
}

import EngineAPI

/// The chain from the engine to the selected container's processes.
struct ProcessesPanel {
    private(set) var containerID: String?
    private(set) var rows: [ProcessRow] = []
    /// By pid.
    private(set) var cursor = ListCursor<Int32>()

    private var pids: [Int32] { rows.map(\.node.pid) }

    mutating func replace(_ nodes: [ProcessNode], of id: String) {
        if id != containerID { cursor = ListCursor() }
        containerID = id
        rows = ProcessRow.tree(nodes)
        cursor.follow(pids)
    }

    mutating func clear() { self = ProcessesPanel() }

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

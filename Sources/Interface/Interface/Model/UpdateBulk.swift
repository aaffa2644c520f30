import EngineAPI

/// What can be asked for all containers at once, without marking them.
enum Bulk: CaseIterable, Hashable, Sendable {
    case removeStopped, stop, start, restart

    /// What is done to each of them.
    fileprivate var intent: Intent {
        switch self {
        case .removeStopped: .remove
        case .stop: .stop
        case .start: .start
        case .restart: .restart
        }
    }

    fileprivate var label: String {
        switch self {
        case .removeStopped: "remove all that do not run"
        case .stop: "stop all that run"
        case .start: "start all that do not run"
        case .restart: "restart all that run"
        }
    }

    fileprivate func takes(_ container: ContainerSummary) -> Bool {
        switch self {
        case .removeStopped, .start: !container.state.isActive
        case .stop, .restart: container.state.isActive
        }
    }
}

extension Model {
    /// Those of the lines that there is a container for, with how many.
    private var bulkMenu: Menu {
        let items = Bulk.allCases.compactMap { bulk -> Menu.Item? in
            let count = containers.matching.count { bulk.takes($0) }
            return count > 0 ? Menu.Item(label: bulk.label, detail: "\(count)", intent: .ofAll(bulk)) : nil
        }
        let filter = containers.filter
        return Menu(title: filter.isEmpty ? "all containers" : "all of /\(filter)", items: items)
    }

    mutating func askBulk() { dialogs.append(.menu(bulkMenu)) }

    /// Asks before it begins, with the names of all.
    mutating func act(_ bulk: Bulk) -> [Effect] {
        act(bulk.intent, on: containers.matching.filter { bulk.takes($0) }, isOfSeveral: true, isBulk: true)
    }
}

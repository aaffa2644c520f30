import EngineAPI

/// When a key makes sense, and what is said to who presses it where it does not.
struct KeyCondition: Sendable {
    let holds: @Sendable (Model) -> Bool
    /// Why not, as far as the model tells: `web publishes no port`.
    let refusal: @Sendable (Model) -> String

    init(_ holds: @escaping @Sendable (Model) -> Bool, else refusal: @escaping @Sendable (Model) -> String) {
        (self.holds, self.refusal) = (holds, refusal)
    }
}

/// A table of the conditions.
extension KeyCondition {
    static let always = KeyCondition({ _ in true }, else: { _ in "" })

    static let hasContainer = KeyCondition({ $0.selectedContainer != nil }, else: { $0.noContainer })
    static let isProject = KeyCondition({ $0.containers.selectedProject != nil }, else: { _ in "no project is chosen" })
    static let hasContainers = KeyCondition({ !$0.containers.matching.isEmpty }, else: { $0.noContainer })
    /// One container or more that something can be done to.
    static let hasTargets = KeyCondition({ !$0.containers.targets.isEmpty }, else: { $0.noContainer })
    static let isAlive = KeyCondition(
        { $0.selectedContainer?.state.isAlive ?? false }, else: { $0.refusal(of: $0.selectedContainer) })
    static let isRunning = KeyCondition(
        { $0.selectedContainer?.state.status == .running }, else: { $0.refusal(of: $0.selectedContainer) })
    static let hasLogOnly = KeyCondition(
        { $0.selectedContainer.map { !$0.state.isAlive } ?? false }, else: { $0.noContainer })
    static let canPause = KeyCondition(
        { $0.containers.targets.contains { $0.state.isAlive } },
        else: { $0.refusal(ofAll: "none of these containers runs") })
    /// Running, paused, or about to be started again.
    static let canStop = KeyCondition(
        { $0.containers.targets.contains { $0.state.isActive } },
        else: { $0.refusal(ofAll: "none of these containers runs") })
    static let canStart = KeyCondition(
        { $0.containers.targets.contains { !$0.state.isActive } },
        else: { $0.refusal(ofAll: "all of these containers run already") })
    static let hasPort = KeyCondition(
        { $0.selectedContainer?.portAddresses.isEmpty == false },
        else: { model in model.selectedContainer.map { "\($0.name) publishes no port" } ?? model.noContainer })
    static let hasConsole = KeyCondition({ $0.shownConsole != nil }, else: { _ in "no console is open" })
    static let isFiltered = KeyCondition({ !$0.filterText.isEmpty }, else: { _ in "no filter is set" })
    static let hasHosts = KeyCondition({ $0.hasHosts }, else: { _ in "there is no other engine to go to" })
    static let hasImage = KeyCondition({ $0.selectedImage != nil }, else: { _ in "no image is chosen" })
    static let hasJobs = KeyCondition(
        { !$0.jobs.isEmpty || $0.reaching != nil }, else: { _ in "nothing is under way" })
    static let isMember = KeyCondition(
        { model in if case .member = model.selectedNetworkRow { true } else { false } },
        else: { _ in "no container of a network is chosen" })
    static let isNoMember = KeyCondition({ !isMember.holds($0) }, else: { _ in "no network is chosen" })
    static let isPath = KeyCondition(
        { model in if case .form(let form)? = model.dialogs.last { form.pathQuestion != nil } else { false } },
        else: { _ in "no path is typed here" })
    static let isLogFiltered = KeyCondition(
        { model in if case .logs(let screen)? = model.dialogs.last { !screen.filter.isEmpty } else { false } },
        else: { _ in "no filter is set" })
    static let hasLeftFilter = KeyCondition(
        { model in if case .logs(let screen)? = model.dialogs.last { !screen.leftFilter.isEmpty } else { false } },
        else: { _ in "no filter was left" })
    static let isSearched = KeyCondition(
        { $0.search?.needle.isEmpty == false }, else: { _ in "nothing has been searched for yet" })
}

extension Model {
    fileprivate var noContainer: String {
        if let project = containers.selectedProject {
            return "\(project.name) is a project: choose one of its containers"
        }
        return containers.filter.isEmpty || containers.all.isEmpty
            ? "no container is chosen" : "no container passes the filter"
    }

    /// How one is of which something else was wanted.
    fileprivate func refusal(of container: ContainerSummary?) -> String {
        guard let container else { return noContainer }
        switch container.state.status {
        case .running: return "\(container.name) runs already"
        case .paused: return "\(container.name) is paused: \(key(.pauseOrResume)) resumes it"
        case .restarting: return "\(container.name) does not run: it is about to be started again"
        default: return "\(container.name) does not run: \(key(.start)) starts it"
        }
    }

    /// The same of all that are meant.
    fileprivate func refusal(ofAll words: String) -> String {
        let targets = containers.targets
        return targets.count > 1 ? words : refusal(of: targets.first)
    }
}

import EngineAPI
import Terminal

/// Changes the model by what has happened; returns what is to be done about it.
func update(_ model: inout Model, _ message: Message) -> [Effect] {
    let effects = model.receive(message)
    return effects + model.settle(changesLists: message.changesLists)
}

extension Message {
    /// Whether it may be about something that a list shows. What comes often, output, samples and the clock, is not.
    fileprivate var changesLists: Bool {
        switch self {
        case .tick, .stats, .processes, .logs, .sifted, .console(_, .output), .console(_, .replay): false
        default: true
        }
    }
}

extension Model {
    // A table of the messages.
    fileprivate mutating func receive(_ message: Message) -> [Effect] {
        switch message {
        case .input(let event): return take(event)
        case .tick(let time): tick(time)
        case .connected(let version, let info): connect(version, info)
        case .connectionLost(let reason): lose(reason)
        case .containers(let list):
            containers.replace(list, at: now)
            stats.keep { [containers] in containers.holds($0) }
            tellCutRecreations()
        case .event(let event): return notice(event)
        case .stats(let samples):
            stats.add(samples)
            containers.arrange(stats.histories, figuresChanged: true)
        case .processes(let id, let nodes, let time):
            if id == selectedContainer?.id { processes.replace(nodes, of: id, at: time) }
        case .images(let list): take(list)
        case .networks(let list): take(list)
        case .volumes(let list): take(list)
        case .usage(let usage): self.usage = usage
        case .journal(let list): events.replace(list)
        case .files(let place, let result): return take(result, of: place)
        case .fileChanges(let id, let changes):
            guard files?.place.container.id == id else { return [] }
            files?.changes = Dictionary(changes.map { ($0.path, $0.kind) }, uniquingKeysWith: { $1 })
        case .file(let request, let result): take(result, of: request)
        case .pathMembers(let question, let result): take(result, of: question)
        case .inspected(let details, .show):
            commands.end(.inspection(details.id), .done(""), at: now)
            show(InspectScreen(details), details.name)
        case .imageInspected(let name, let details, let history):
            commands.end(.inspection(name), .done(""), at: now)
            show(InspectScreen(details, history, name: name), name)
        case .networkInspected(let network):
            commands.end(.inspection(network.id), .done(""), at: now)
            show(InspectScreen(network), network.spec.name)
        case .volumeInspected(let volume):
            commands.end(.inspection(volume.spec.name), .done(""), at: now)
            show(inspection(of: volume), volume.spec.name)
        case .original(let details, let image): showRecreation(details, image)
        case .notInspected(let id, let reason):
            commands.end(.inspection(id), .failed(reason), at: now)
            say(reason, .error)
        case .inspected(let details, .editLimits): open(.form(.limits(details)), late: "limits of \(details.name)")
        case .inspected(let details, .explainStop): stats.stopped = details
        case .hosts(let list): showHosts(list)
        case .hostAnswered: break  // The main loop's.
        case .hostFailed(let name, let reason): fail(toReach: name, reason)
        case .console(let id, let news): return take(news, of: id)
        case .logs(let subscription, let news): take(news, of: subscription)
        case .sifted(let piece, let places): take(places, ofPiece: piece)
        case .job(let id, let news): return take(news, of: id)
        case .failed(let text): say(text, .error)
        }
        return []
    }

    private mutating func tick(_ time: Timestamp) {
        now = time
        if let status, status.expires, status.isOld(at: time) { self.status = nil }
    }

    private mutating func connect(_ version: EngineVersion, _ info: EngineInfo) {
        if case .lost = connection { say(hasBeenConnected ? "connected again" : "connected", .success) }
        hasBeenConnected = true
        connection = .connected(
            EngineFacts(
                name: version.name, version: version.version, cpuCount: info.cpuCount, memoryBytes: info.memoryBytes,
                rights: Self.rights(info)))
        for warning in info.warnings.prefix(1) { say(warning, .warning) }
    }

    /// Whose engine it is, where that is not root's, and whether its containers can be limited: docker's words for it.
    private static func rights(_ info: EngineInfo) -> String {
        guard info.securityOptions.contains("name=rootless") else { return "" }
        return info.cgroupDriver == "none" ? "rootless, no limits" : "rootless"
    }

    private mutating func lose(_ reason: String) {
        if connection.isUp || connection == .connecting { say("\(lossWords): \(reason)", .error) }
        connection = .lost(reason)
    }

    /// What is said of an engine that does not answer.
    var lossWords: String { hasBeenConnected ? "engine lost" : "no engine" }

    /// The same where there is room for a sentence.
    var refusal: String {
        isOfOwnEngine && !hasBeenConnected ? "the engine cannot begin" : "the engine does not answer"
    }

    /// The engine is the one that this program hosts, or another of the same root.
    var isOfOwnEngine: Bool { host == nil || host == Model.ownHost }

    /// Events change the list; what they are about is read from the engine, so that no two places keep the books.
    private mutating func notice(_ event: EngineEvent) -> [Effect] {
        events.add(event)
        if event.action == "die", let running = status?.running, running == event.attributes["name"] { status = nil }
        switch event.kind {
        case .container:
            guard !event.isPassing else { return [] }
            if event.action == "oom" { say("\(event.attributes["name"] ?? "a container"): out of memory", .warning) }
            return [.refreshContainers] + openListRefreshes()
        case .image: return [.refreshImages]
        case .network: return [.refreshContainers] + openListRefreshes()
        case .volume: return openListRefreshes()
        case .daemon: return []
        }
    }

    private mutating func take(_ list: [ImageSummary]) {
        images = list
        for index in dialogs.indices {
            switch dialogs[index] {
            case .form(var form) where form.purpose == .newContainer:
                form.offer(list)
                dialogs[index] = .form(form)
            default: break
            }
        }
    }

    private mutating func show(_ fresh: InspectScreen, _ name: String) {
        for index in dialogs.indices {
            guard case .inspect(var screen) = dialogs[index], screen.id == fresh.id else { continue }
            screen.update(fresh)
            dialogs[index] = .inspect(screen)
            return
        }
        open(.inspect(fresh), late: "inspect \(name)")
    }

    /// Opens what was asked for a while ago, unless the keys have gone to a line of text or to a program since.
    ///
    /// - Parameter what: what it is, for who has gone on.
    mutating func open(_ dialog: Dialog, late what: String) {
        guard keyContext.takesTyping else { return dialogs.append(dialog) }
        say("\(what): not opened over what you type", .warning)
    }
}

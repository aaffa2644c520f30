import EngineAPI
import Terminal

/// Networks, volumes and ports.
extension Model {
    /// What a key asks for in the screens of networks and volumes, and of ports.
    mutating func performInNetworks(_ intent: Intent) -> [Effect] {
        switch intent {
        case .networks: return open(.networks)
        case .volumes: return open(.volumes)
        case .newNetwork: dialogs.append(.form(.newNetwork()))
        case .newVolume: dialogs.append(.form(.newVolume()))
        case .connectContainer: askConnection()
        case .removeNetwork: confirmNetworkRemoval()
        case .removeVolume: confirmVolumeRemoval()
        case .pruneNetworks:
            ask(
                "remove all networks that no container is part of?", ["Those that are there always stay."],
                .pruneNetworks, "prune")
        case .pruneVolumes:
            ask(
                "remove all volumes that no container has?", ["Their files are lost."], .pruneVolumes, "prune",
                isSafe: false)
        case .showMember: return showMember()
        case .inspectNetwork: return inspectNetworkRow()
        case .inspectVolume:
            guard let volume = selectedVolume else { break }
            commands.begin(["volume", "inspect", volume.spec.name], at: now, from: .inspection(volume.spec.name))
            return [.inspectObject(.volume(volume.spec.name))]
        case .openPort: return openPort()
        case .open(let address):
            say(hasDesktop ? "opened \(address)" : "no desktop here: copied \(address)")
            return [hasDesktop ? .open(address) : .copy(address)]
        default: break
        }
        return []
    }

    /// - Parameter isSafe: nothing is lost that cannot be made again: Enter says yes.
    mutating func ask(
        _ title: String, _ lines: [String], _ action: EngineAction, _ verb: String, of object: String = "",
        isSafe: Bool = true
    ) {
        let label = object.isEmpty ? verb : "\(verb) \(object)"
        let question = Confirmation(
            title: title, lines: lines, verb: verb, steps: [Confirmation.Step(action: action, label: label)],
            choosesYes: isSafe)
        dialogs.append(.confirmation(question))
    }

    private mutating func askConnection() {
        guard let network = selectedNetworkRow?.network else { return }
        let candidates = containers.all.filter { container in
            !container.networks.contains { $0.networkID == network.id } && container.canJoinNetworks
        }
        guard !candidates.isEmpty else { return say("no container that could join \(network.spec.name)", .warning) }
        let names = candidates.map(\.name).sorted { NaturalName($0) < NaturalName($1) }
        dialogs.append(
            .form(.connect(network.target, candidates: names, preferred: selectedContainer?.name)))
    }

    private mutating func inspectNetworkRow() -> [Effect] {
        switch selectedNetworkRow {
        case .member(_, let member):
            commands.begin(["inspect", member.name], at: now, from: .inspection(member.id))
            return [.inspect(member.id, .show)]
        case .network(let network):
            commands.begin(["network", "inspect", network.spec.name], at: now, from: .inspection(network.id))
            return [.inspectObject(.network(network.id))]
        case nil: return []
        }
    }

    /// To the container's row of the main screen.
    private mutating func showMember() -> [Effect] {
        guard case .member(_, let member)? = selectedNetworkRow else { return [] }
        return showContainer(member.id)
    }

    /// From wherever one is to a container's row, hidden or not.
    mutating func showContainer(_ id: String) -> [Effect] {
        dialogs.removeAll()
        containers.filter = ""
        containers.hidesStopped = false
        containers.arrange(stats.histories)
        containers.select(id: id)
        focus = .containers
        return []
    }

    private mutating func openPort() -> [Effect] {
        guard let container = selectedContainer, let first = container.portAddresses.first else { return [] }
        guard container.portAddresses.count > 1 else { return performInNetworks(.open("http://\(first)/")) }
        let items = container.portAddresses.map {
            Menu.Item(label: "http://\($0)/", detail: "", intent: .open("http://\($0)/"))
        }
        dialogs.append(.menu(Menu(title: "ports of \(container.name)", items: items)))
        return []
    }

    mutating func take(_ list: [NetworkDetails]) {
        networks = list
        for index in dialogs.indices {
            guard case .form(var form) = dialogs[index], form.purpose == .newContainer else { continue }
            form.offer(networks: networkNames)
            dialogs[index] = .form(form)
        }
    }

    /// The default first, then those that were made, then the other two that are always there.
    var networkNames: [String] {
        let made = (networks ?? []).map(\.spec.name).filter { !Form.builtInNetworks.contains($0) }
        return Form.builtInNetworks.prefix(1) + made + Form.builtInNetworks.dropFirst()
    }

    mutating func take(_ list: [VolumeDetails]) {
        // Sizes come after the list; until then those of before are shown.
        let known = Dictionary(
            (volumes ?? []).map { ($0.spec.name, $0.sizeBytes) }, uniquingKeysWith: { first, _ in first })
        volumes = list.map { volume in
            var volume = volume
            volume.sizeBytes = volume.sizeBytes ?? known[volume.spec.name] ?? nil
            return volume
        }
    }
}

extension NetworkDetails {
    var target: EngineAction.Target { EngineAction.Target(id: id, name: spec.name) }
}

extension ContainerSummary {
    /// One with the host's network, with none, or with another's has no place for a further device.
    fileprivate var canJoinNetworks: Bool {
        networkMode != "host" && networkMode != "none" && !networkMode.hasPrefix("container:")
    }
}

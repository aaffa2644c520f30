import EngineAPI

/// Questions before networks and volumes are removed: the chosen one, or the marked ones.
extension Model {
    mutating func confirmNetworkRemoval() {
        if let marked = listScreen?.cursor.marked, !marked.isEmpty { return confirmRemoval(ofNetworkRows: marked) }
        switch selectedNetworkRow {
        case .member(let network, let member):
            ask(
                "disconnect \(member.name) from \(network.spec.name)?", ["Its connections there end."],
                .disconnect(target(member), from: network.target), "disconnect", of: member.name)
        case .network(let network):
            guard !network.isPredefined else { return say("\(network.spec.name) is always there", .warning) }
            guard members(of: network).isEmpty else {
                return say("\(network.spec.name): disconnect its containers first", .warning)
            }
            ask(
                "remove network \(network.spec.name)?", [], .removeNetwork(network.target), "remove",
                of: network.spec.name)
        case nil: break
        }
    }

    /// Containers are disconnected first: a network that has some is not removed.
    private mutating func confirmRemoval(ofNetworkRows marked: Set<String>) {
        let rows = networkRows().filter { marked.contains($0.id) }
        let removed = rows.filter { if case .network(let network) = $0 { !network.isPredefined } else { false } }
        var question = Confirmation(title: "", lines: [], verb: "remove", steps: [], choosesYes: false)
        for case .member(let network, let member) in rows {
            let label = "disconnect \(member.name) from \(network.spec.name)"
            question.steps.append(
                Confirmation.Step(action: .disconnect(target(member), from: network.target), label: label))
        }
        question.laterSteps = removed.map {
            Confirmation.Step(
                action: .removeNetwork($0.network.target), label: "remove network \($0.network.spec.name)")
        }
        let (count, leaving) = (removed.count, question.steps.count)
        guard count + leaving > 0 else { return say("the networks that are always there stay", .warning) }
        var parts: [String] = []
        if leaving > 0 { parts.append(leaving == 1 ? question.steps[0].label : "disconnect \(leaving) containers") }
        if count > 0 { parts.append(count == 1 ? question.laterSteps[0].label : "remove \(count) networks") }
        question.title = parts.joined(separator: ", ") + "?"
        if count > 1 { question.lines += Self.names(removed.map(\.network.spec.name)) }
        if count == 0 { question.verb = "disconnect" }
        if leaving > 0 { question.lines.append("Connections end where a container is disconnected.") }
        if rows.count > count + leaving { question.lines.append("Networks that are always there stay.") }
        _ = unmarkList()
        dialogs.append(.confirmation(question))
    }

    mutating func confirmVolumeRemoval() {
        if let marked = listScreen?.cursor.marked, !marked.isEmpty {
            let names = marked.sorted { NaturalName($0) < NaturalName($1) }
            _ = unmarkList()
            let steps = names.map { Confirmation.Step(action: .removeVolume($0), label: "remove volume \($0)") }
            return dialogs.append(
                .confirmation(
                    Confirmation(
                        title: "remove \(names.count) volumes?", lines: Self.names(names) + ["Their files are lost."],
                        verb: "remove", steps: steps, choosesYes: false)))
        }
        guard let volume = selectedVolume else { return }
        let users = users(of: volume)
        guard users.isEmpty else {
            return say("\(volume.spec.name) is in use by \(users.joined(separator: ", "))", .warning)
        }
        ask(
            "remove volume \(volume.spec.name)?", ["Its files are lost."], .removeVolume(volume.spec.name), "remove",
            of: volume.spec.name,
            isSafe: false)
    }
}

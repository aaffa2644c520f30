import EngineAPI
import Terminal

/// A recreation that was cut off is told of, and undone or brought to its end.
extension Model {
    /// Asks for the form; for a container whose recreation was cut off, what is to become of that.
    mutating func recreate(_ container: ContainerSummary) -> [Effect] {
        guard let cut = CutRecreation.of(container, in: containers.all) else {
            return [.readOriginal(container.id), .refreshImages, .refreshNetworks]
        }
        guard !isUnderWay(cut) else {
            say("\(cut.name) is being recreated", .warning)
            return []
        }
        let ends: [(label: String, CutRecreation.End)] = [
            (cut.old == nil ? "undo: remove the new one" : "undo: back to the old one", .undo),
            ("finish: the new one takes its place", .finish),
        ]
        let items = ends.filter { $0.1 == .undo || cut.new != nil }.map {
            Menu.Item(label: $0.label, detail: "", intent: .endRecreation($0.1))
        }
        var menu = Menu(title: "recreation of \(cut.name), cut off", items: items)
        menu.about = [container.id]
        dialogs.append(.menu(menu))
        return []
    }

    /// What a container is that the list would not have otherwise.
    func cutRecreation(of container: ContainerSummary) -> [(text: String, role: Role)] {
        guard let cut = CutRecreation.of(container, in: containers.all), !isUnderWay(cut) else { return [] }
        return [("of a recreation of \(cut.name) that was cut off: \(key(.recreate)) undoes or finishes it", .warning)]
    }

    private func isUnderWay(_ cut: CutRecreation) -> Bool {
        jobs.contains { job in
            switch job.action {
            case .recreate(let old, _, _, _): old.id == cut.old?.id
            case .endRecreation(let other, _): other.name == cut.name
            default: false
            }
        }
    }

    /// What is lost by it is asked about first.
    mutating func askToEndRecreation(of container: ContainerSummary, _ end: CutRecreation.End) {
        guard let cut = CutRecreation.of(container, in: containers.all) else { return }
        let isOldActive = cut.old.flatMap { self.container($0.id) }?.state.isActive ?? false
        var lines: [String] = []
        switch end {
        case .finish:
            if isOldActive { lines.append("The old one's processes are asked to end, and killed if they do not.") }
            if cut.old != nil { lines.append("What it wrote in its own file system is lost; volumes stay.") }
        case .undo:
            if cut.isNewStarted { lines.append("The new one's processes are killed, and what they wrote is lost.") }
            if cut.old != nil { lines.append("The old one has its name, and runs where it was stopped for this.") }
        }
        lines.append("Where another gantry is still at it, leave it alone.")
        let verb = end == .finish ? "finish" : "undo"
        dialogs.append(
            .confirmation(
                Confirmation(
                    title: "\(verb) the recreation of \(cut.name)?", lines: lines, verb: verb,
                    steps: [
                        Confirmation.Step(
                            action: .endRecreation(cut, end), label: "\(verb) the recreation of \(cut.name)")
                    ],
                    choosesYes: false)))
    }

    /// Once, when the containers are first known: what comes later somebody else is perhaps at.
    mutating func tellCutRecreations() {
        guard !toldCutRecreations else { return }
        toldCutRecreations = true
        guard let cut = CutRecreation.all(in: containers.all).first else { return }
        let left = cut.isNewStarted ? cut.old : cut.new ?? cut.old
        guard let left else { return }
        say("recreation of \(cut.name) was cut off: \(key(.recreate)) on \(left.name) undoes or finishes it", .warning)
    }
}

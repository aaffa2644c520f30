import EngineAPI

/// Commands of the user's own: what they are asked of, and asking it.
extension Model {
    /// What a command would be asked of now: the marked objects, or the chosen one.
    func subjects(of command: CustomCommand) -> [CommandSubject] {
        let kinds = command.subjects
        if let screen = listScreen { return subjects(in: screen).filter { kinds.contains($0.kind) } }
        if kinds.contains(.project), !kinds.contains(.container) || containers.selectedProject != nil,
            let project = containers.selectedProject?.name ?? selectedContainer?.project
        {
            return [CommandSubject(project: project, containers.all.filter { $0.project == project })]
        }
        if kinds.contains(.container), !containers.targets.isEmpty {
            return containers.targets.map { CommandSubject($0) }
        }
        guard kinds.contains(.engine) else { return [] }
        let host = host ?? Model.ownHost
        return [CommandSubject(kind: .engine, name: host, fields: ["host": host])]
    }

    private func subjects(in screen: ListScreen) -> [CommandSubject] {
        let marked = screen.cursor.marked
        switch screen.kind {
        case .images:
            let rows =
                marked.isEmpty ? [selectedImage].compactMap { $0 } : imageRows().filter { marked.contains($0.id) }
            return rows.map { CommandSubject($0) }
        case .networks:
            let rows =
                marked.isEmpty
                ? [selectedNetworkRow].compactMap { $0 } : networkRows().filter { marked.contains($0.id) }
            var seen: Set<String> = []
            return rows.map(\.network).filter { seen.insert($0.id).inserted }.map { CommandSubject($0) }
        case .volumes:
            let rows =
                marked.isEmpty
                ? [selectedVolume].compactMap { $0 } : volumeRows().filter { marked.contains($0.spec.name) }
            return rows.map { CommandSubject($0) }
        case .usage, .events, .commands, .files: return []
        }
    }

    /// Runs a command; of several objects, or where it wants that, after a question.
    mutating func runCommand(_ name: String) -> [Effect] {
        guard let command = customCommands.first(where: { $0.name == name }) else { return [] }
        var runs: [ProgramRun] = []
        do throws(FormError) {
            for subject in subjects(of: command) { runs.append(try command.run(on: subject)) }
        } catch {
            say("\(command.label): \(error.message)", .warning)
            return []
        }
        let steps =
            command.display == .terminal ? [] : runs.map { Confirmation.Step(action: .program($0), label: $0.label) }
        guard command.asks || runs.count > 1 else {
            return command.display == .terminal ? runOnTerminal(runs) : begin(steps, title: "")
        }
        let title = runs.count == 1 ? runs[0].label : "\(command.label): \(runs.count) times"
        var lines = runs.prefix(5).map(\.line)
        if runs.count > 5 { lines.append("… \(runs.count) in all") }
        var question = Confirmation(
            title: "\(title)?", lines: lines, verb: "run", steps: steps, choosesYes: !command.asks)
        if command.display == .terminal { question.intent = .runOnTerminal(runs) }
        dialogs.append(.confirmation(question))
        return []
    }

    func runOnTerminal(_ runs: [ProgramRun]) -> [Effect] {
        // Who knows what they have done there.
        [.runOnTerminal(runs), .redraw, .refreshContainers, .refreshImages] + openListRefreshes(usage: true)
    }

    /// What a program has written, to be read.
    mutating func show(_ output: ProgramOutput, of label: String) {
        let end = output.exitCode == 0 ? "" : ", exit code \(output.exitCode)"
        guard !output.bytes.isEmpty else {
            return say("\(label)\(end): it wrote nothing", output.exitCode == 0 ? .success : .error)
        }
        if output.exitCode != 0 { say("\(label)\(end)", .error) }
        open(.file(FileScreen("\(label)\(end)", output.bytes)), late: label)
    }
}

extension ProgramOutput {
    /// The last line of what was written: programs say there why they fail.
    var lastWords: String {
        let line = bytes.split { $0 == 0x0A || $0 == 0x0D }.last ?? []
        return String(decoding: EscapeText(Array(line)).plain, as: UTF8.self)
    }

    /// Why it is no success; nil for one.
    var failure: String? {
        guard exitCode != 0 else { return nil }
        return "exit code \(exitCode)" + (lastWords.isEmpty ? "" : ": \(lastWords)")
    }
}

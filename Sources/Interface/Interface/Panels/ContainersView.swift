import EngineAPI
import Terminal

extension Canvas {
    mutating func drawContainers(_ model: Model, _ layout: ScreenLayout) {
        guard let region = layout.panels[.containers], let content = layout.content(of: .containers) else { return }
        let rows = model.containers.lines.count
        let place = model.visibleRows.count < rows ? "\(model.containers.cursor.index + 1)/\(rows)" : ""
        let right = [place, engineTitle(model)].filter { !$0.isEmpty }.joined(separator: ", ")
        drawTitle(.containers, containersTitle(model), right: right, model, in: region)
        guard !model.containers.lines.isEmpty else { return drawNoContainers(model, in: content) }
        let columns = model.containerColumns(content.columns)
        var rest = content
        drawHeader(columns, model, in: rest.takeTop(1))
        for index in model.visibleRows {
            let row = rest.takeTop(1)
            switch model.containers.lines[index] {
            case .project(let project): drawRow(project, columns, model, in: row)
            case .container(let container, let isMember): drawRow(container, isMember, columns, model, in: row)
            }
            guard index == model.containers.cursor.index else { continue }
            highlight(row, model.focus == .containers ? .selection : .selectionUnfocused)
        }
    }

    private func containersTitle(_ model: Model) -> String {
        let all = model.containers.all
        func count(_ status: ContainerStatus) -> Int { all.count { $0.state.status == status } }
        var title = "containers · \(count(.running)) running"
        let sick = all.count { $0.state.isSick }
        for (count, word) in [(sick, "unhealthy"), (count(.paused), "paused"), (count(.restarting), "restarting")]
        where count > 0 { title += " · \(count) \(word)" }
        let stopped = all.count { !$0.state.isActive }
        if stopped > 0 { title += " · \(stopped) stopped" + (model.containers.hidesStopped ? " (hidden)" : "") }
        let marked = model.containers.cursor.marked
        if !marked.isEmpty {
            let hidden = marked.count - model.containers.rows.count { marked.contains($0.id) }
            title += " · \(marked.count) marked" + (hidden > 0 ? ", \(hidden) hidden" : "")
        }
        if !model.containers.filter.isEmpty { title += " · /\(model.containers.filter)" }
        return title
    }

    private func engineTitle(_ model: Model) -> String {
        let host = model.host.map { $0 == Model.ownHost ? "" : " on \($0)" } ?? ""
        return engineWords(model) + host
    }

    private func engineWords(_ model: Model) -> String {
        switch model.connection {
        case .connecting: "connecting…"
        case .connected(let facts):
            "\(facts.name) \(facts.version)" + (facts.rights.isEmpty ? "" : " · \(facts.rights)")
        case .lost: model.lossWords
        }
    }

    private mutating func drawNoContainers(_ model: Model, in region: Region) {
        let lines: [(String, Role)] =
            switch model.connection {
            case .connecting: [("connecting to the engine…", .muted)]
            case .lost(let reason):
                TextWrap.lines(of: "\(model.refusal): \(reason)", columns: max(1, region.columns - 4)).map {
                    ($0, .error)
                } + waysOut(model, reason)
            case .connected:
                model.containers.all.isEmpty ? firstSteps(model) : waysBack(model)
            }
        let top = max(0, (region.rows - lines.count) / 2)
        for (index, line) in lines.enumerated() { putCentered(line.0, line.1, row: top + index, in: region) }
    }

    /// Where there is no engine.
    private func waysOut(_ model: Model, _ reason: String) -> [(String, Role)] {
        let isOfFolder = ["mkdir", "permission denied", "read-only file system", "no space left"].contains {
            reason.lowercased().contains($0)
        }
        let advice = ("`gantry --root DIR` has all its files in another folder", Role.muted)
        return (model.isOfOwnEngine && isOfFolder ? [advice] : [])
            + [(model.hasHosts ? "trying again     \(model.key(.hosts))  other engines" : "trying again", .muted)]
    }

    private func firstSteps(_ model: Model) -> [(String, Role)] {
        [
            ("no containers yet", .text), ("\(model.key(.new))  makes one, Enter starts it with a shell", .muted),
            ("\(model.key(.images))  shows the images     \(model.key(.help))  all keys", .muted),
        ]
    }

    /// Where all containers are hidden.
    private func waysBack(_ model: Model) -> [(String, Role)] {
        let (clear, stopped) = (model.key(.clearFilter), model.key(.hideStopped))
        return [
            ("no container passes", .text),
            ("\(clear)  clears the filter     \(stopped)  shows stopped ones", .muted),
        ]
    }

    /// What a panel will show, for somebody who has no container yet and meets it for the first time.
    mutating func drawPurpose(_ text: String, _ model: Model, in region: Region) {
        guard model.connection.isUp, model.containers.all.isEmpty else { return }
        putNotice(text, in: region)
    }

    private mutating func drawHeader(_ columns: [ContainerColumn], _ model: Model, in row: Region) {
        var rest = row
        for column in columns {
            var title = column.kind == .state && column.columns < 8 ? "" : column.title
            if model.containers.sort.column == column.kind { title += model.containers.isReversed ? "▴" : "▾" }
            let cell = rest.takeLeft(column.columns)
            if column.isRight { putRight(title, .header, in: cell) } else { put(title, .header, in: cell) }
            _ = rest.takeLeft(1)
        }
    }

    private mutating func drawRow(
        _ container: ContainerSummary, _ isMember: Bool, _ columns: [ContainerColumn], _ model: Model, in row: Region
    ) {
        var rest = row
        let isBusy = model.isBusy(container)
        for column in columns {
            var cell = rest.takeLeft(column.columns)
            let text = text(of: column, container, model)
            if column.kind == .state {
                let state = container.state
                let role = state.isSick ? .stateFailed : state.status.role(exitCode: state.exitCode)
                put(stateText(container, column.columns, isBusy: isBusy), role, in: cell)
                if model.containers.cursor.marked.contains(container.id) { put("✓", .warning, in: cell) }
            } else if column.isRight {
                putRight(text, in: cell)
            } else {
                let isName = column.kind == .name
                if isName, isMember { _ = cell.takeLeft(2) }
                put(
                    isName ? ShortName.container(text, to: cell.columns) : text, isName ? .text : .muted, in: cell)
            }
            _ = rest.takeLeft(1)
        }
    }

    /// A project: how many of its containers run, and what they use together.
    private mutating func drawRow(
        _ project: ProjectLine, _ columns: [ContainerColumn], _ model: Model, in row: Region
    ) {
        let points = project.members.filter(\.state.isAlive).compactMap { model.stats.histories[$0.id]?.latest }
        let (running, count) = (project.runningCount, project.members.count)
        let role: Role = running == count ? .stateRunning : running > 0 ? .statePaused : .stateExited
        var rest = row
        for column in columns {
            let cell = rest.takeLeft(column.columns)
            _ = rest.takeLeft(1)
            switch column.kind {
            case .state:
                let fold = project.isFolded ? "▸" : "▾"
                put(column.columns < 8 ? "\(fold)\(running)" : "\(fold) \(running) of \(count)", role, in: cell)
            case .name: put(project.name, .header, in: cell)
            case .image: put("compose project", .muted, in: cell)
            case .cpu where !points.isEmpty:
                let sum = points.compactMap(\.cpuPercent).reduce(0, +)
                putRight(String(Quantity.percent(sum).prefix { $0 != "%" }), in: cell)
            case .memory where !points.isEmpty:
                putRight(Quantity.shortBytes(points.saturatedSum { $0.memoryBytes }), in: cell)
            case .pids where !points.isEmpty: putRight("\(points.saturatedSum { $0.pids })", in: cell)
            default: break
            }
        }
    }

    private func stateText(_ container: ContainerSummary, _ columns: Int, isBusy: Bool) -> String {
        let status = container.state.status
        let shape = isBusy ? "…" : container.state.isSick ? "▲" : String(status.shape)
        guard columns >= 8 else { return "\(shape)\(status.letter)" }
        if status == .exited {
            let word = container.state.oomKilled ? "oom" : "exit"
            return "\(shape) \(word) \(container.state.exitCode)"
        }
        if status == .running, let health = container.state.health?.status, health != .none {
            return "\(shape) \(health.rawValue)"
        }
        return "\(shape) \(status == .restarting ? "restart" : status.rawValue)"
    }

    private func text(of column: ContainerColumn, _ container: ContainerSummary, _ model: Model) -> String {
        let point = container.state.isAlive ? model.stats.histories[container.id]?.latest : nil
        return switch column.kind {
        case .state: ""
        case .name: container.name
        case .image: ShortName.image(container.shortImage, to: column.columns)
        case .age: Quantity.age(since: container.stateSince, at: model.now)
        case .cpu: point.map { String(Quantity.percent($0.cpuPercent).prefix { $0 != "%" }) } ?? "-"
        case .memory: point.map { Quantity.shortBytes($0.memoryBytes) } ?? "-"
        case .pids: point.map { "\($0.pids)" } ?? "-"
        case .ports: container.portText
        case .address: container.networks.map(\.ipv4Address).filter { !$0.isEmpty }.joined(separator: " ")
        case .id: String(container.id.prefix(12))
        case .command: container.command
        }
    }
}

extension ContainerSort {
    /// The column whose title carries the mark.
    var column: ContainerColumn.Kind {
        switch self {
        case .created: .age
        case .name: .name
        case .image: .image
        case .state: .state
        case .cpu: .cpu
        case .memory: .memory
        case .pids: .pids
        }
    }
}

extension Model {
    /// Something is being done to it right now.
    func isBusy(_ container: ContainerSummary) -> Bool { jobs.contains { $0.label.hasSuffix(" \(container.name)") } }
}

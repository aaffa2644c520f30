import EngineAPI

/// Images, and what all takes on the disk.
extension Model {
    mutating func performInImages(_ intent: Intent) -> [Effect] {
        switch intent {
        case .images: return open(.images)
        case .usage: return open(.usage)
        case .pullImage: dialogs.append(.form(.pull()))
        case .loadImage: dialogs.append(.form(.loadImage()))
        case .tagImage:
            guard let row = selectedImage else { break }
            dialogs.append(.form(.tag(EngineAction.Target(id: row.id, name: row.displayName))))
        case .inspectImage:
            guard let row = selectedImage else { break }
            commands.begin(["image", "inspect", row.displayName], at: now, from: .inspection(row.id))
            return [.inspectObject(.image(row.id))]
        case .removeImage: confirmImageRemoval()
        case .askImagePrune: dialogs.append(.menu(imagePruneMenu))
        case .pruneImages(let all): confirmImagePrune(all: all)
        case .pruneUsage: pruneUsage()
        case .showUsage: return showUsage()
        default: break
        }
        return []
    }

    private mutating func confirmImageRemoval() {
        if let marked = listScreen?.cursor.marked, !marked.isEmpty { return confirmImageRemovals(marked) }
        guard let row = selectedImage else { return }
        let users = row.image.containerCount
        var lines = users > 0 ? ["Containers made from it: \(users)."] : ["No container uses it."]
        if row.image.tags.count > 1 { lines.append("It keeps its other names: \(row.image.tags.count - 1).") }
        ask(
            "remove image \(row.displayName)?", lines,
            .removeImage(.init(id: row.id, name: row.displayName), force: false), "remove",
            of: row.displayName)
    }

    private mutating func confirmImageRemovals(_ marked: Set<String>) {
        let rows = imageRows().filter { marked.contains($0.id) }
        let steps = rows.map { row in
            Confirmation.Step(
                action: .removeImage(.init(id: row.id, name: row.displayName), force: false),
                label: "remove \(row.displayName)")
        }
        _ = unmarkList()
        dialogs.append(
            .confirmation(
                Confirmation(
                    title: "remove \(rows.count) images?", lines: Self.names(rows.map(\.displayName)), verb: "remove",
                    steps: steps)))
    }

    private var unusedImages: [ImageSummary] { (images ?? []).filter { $0.containerCount == 0 } }

    private var imagePruneMenu: Menu {
        func detail(_ list: [ImageSummary]) -> String {
            "\(list.count), up to \(Quantity.decimalBytes(list.saturatedSum { $0.sizeBytes }))"
        }
        return Menu(
            title: "remove images",
            items: [
                Menu.Item(
                    label: "without a name, used by no container", detail: detail(unusedImages.filter(\.tags.isEmpty)),
                    intent: .pruneImages(all: false)),
                Menu.Item(
                    label: "all that no container uses", detail: detail(unusedImages), intent: .pruneImages(all: true)),
            ])
    }

    private mutating func confirmImagePrune(all: Bool) {
        let list = all ? unusedImages : unusedImages.filter(\.tags.isEmpty)
        guard !list.isEmpty else { return say("no such image") }
        let names = list.prefix(6).map { $0.tags.first ?? $0.shortID }
        let more = list.count > names.count ? ["… and \(list.count - names.count) more"] : []
        ask(
            list.count == 1 ? "remove 1 image?" : "remove \(list.count) images?", names + more,
            .pruneImages(all: all), "prune", isSafe: !all)
    }

    /// What of the chosen part nobody uses.
    private mutating func pruneUsage() {
        switch selectedUsageRow?.part {
        case .image: dialogs.append(.menu(imagePruneMenu))
        case .container, .log:
            ask(
                "remove all containers that do not run?",
                ["What they wrote in their own file systems is lost, and so are their logs."], .pruneContainers,
                "prune",
                isSafe: false)
        case .volume:
            ask(
                "remove all volumes that no container has?", ["Their files are lost."], .pruneVolumes, "prune",
                isSafe: false)
        case nil: break
        }
    }

    /// From the disk usage to the object itself.
    private mutating func showUsage() -> [Effect] {
        switch selectedUsageRow {
        case .object(.image, let name, _, _): return show(.images, at: name)
        case .object(.volume, let name, _, _): return show(.volumes, at: name)
        case .part(.image, _): return open(.images)
        case .part(.volume, _): return open(.volumes)
        case .object(.container, let name, _, _), .object(.log, let name, _, _):
            guard let id = containers.all.first(where: { $0.name == name })?.id else { return [] }
            return showContainer(id)
        case .part(.container, _), .part(.log, _):
            dialogs.removeAll()
            return []
        case .rest(let part, _, _, _, _):
            foldUsage(part)
            return []
        case nil: return []
        }
    }

    /// What is refused without force, and is worth a second question; nil for all else.
    static func forced(_ action: EngineAction, after error: EngineError) -> EngineAction? {
        guard error.kind == .conflict, !error.message.contains("cannot be forced") else { return nil }
        switch action {
        case .removeImage(let target, force: false): return .removeImage(target, force: true)
        case .saveText(let path, let text, replaces: false): return .saveText(path: path, text, replaces: true)
        case .remove(let target, force: false, let volumes): return .remove(target, force: true, volumes: volumes)
        default: return nil
        }
    }
}

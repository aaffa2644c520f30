import EngineAPI
import Terminal

/// Looking through a container's files.
extension Model {
    /// What a key asks for among files. A table of the intents.
    mutating func performInFiles(_ intent: Intent) -> [Effect] {
        switch intent {
        case .files:
            guard let container = selectedContainer else { return [] }
            let place = FilePlace(container: target(container), path: "/")
            files = FileListing(place: place)
            return open(.files(place)) + [.readChanges(container.id)]
        case .openFile: return openFile()
        case .viewFile:
            guard let place = filePlace, let file = selectedFile else { return [] }
            guard !file.isDirectory else { return openFile() }
            view(place.path(of: file.name), of: place.container)
        case .parentDirectory:
            guard let place = filePlace, place.path != "/" else { return [] }
            return enter(place.child(".."), choosing: place.name)
        case .copyFileOut: askCopyOut()
        case .copyFileIn:
            guard let place = filePlace else { return [] }
            dialogs.append(.form(.copyIn(to: place)))
        case .copyFilePath:
            guard let place = filePlace, let file = selectedFile else { return [] }
            return perform(.copy(place.path(of: file.name)))
        case .refreshFiles: return filePlace.map { [.listFiles($0), .readChanges($0.container.id)] } ?? []
        case .changedFiles: showChanges()
        case .goToFile(let path):
            guard let place = filePlace else { return [] }
            let file = FilePlace(container: place.container, path: path)
            return enter(file.child(".."), choosing: file.name)
        default: break
        }
        return []
    }

    /// All that differs from the image, to go to.
    private mutating func showChanges() {
        guard let changes = files?.changes else { return say("the engine has not told yet what differs", .warning) }
        guard !changes.isEmpty else { return say("nothing differs from the image") }
        // A directory that is changed by what is in it says nothing of its own.
        let above = Set(changes.keys.map { path in path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex) })
        let items = changes.filter { $0.value != .modified || !above.contains($0.key[...]) }
            .sorted { $0.key < $1.key }
            .map { Menu.Item(label: "\($0.value.letter) \($0.key)", detail: "", intent: .goToFile($0.key)) }
        dialogs.append(.menu(Menu(title: "A added, C changed, D deleted: \(items.count)", items: items)))
    }

    private mutating func openFile() -> [Effect] {
        guard let place = filePlace, let file = selectedFile else { return [] }
        if file.name == ".." { return performInFiles(.parentDirectory) }
        if file.isDirectory { return enter(place.child(file.name)) }
        // Where a link leads is found out by going there.
        if file.linkTarget != nil { return enter(place.child(file.name)) }
        guard file.isFile else {
            say("\(file.name) is no file with contents", .warning)
            return []
        }
        view(place.path(of: file.name), of: place.container)
        return []
    }

    /// - Parameter name: where one came from.
    private mutating func enter(_ place: FilePlace, choosing name: String? = nil) -> [Effect] {
        guard var screen = listScreen else { return [] }
        screen.kind = .files(place)
        screen.cursor = ListCursor()
        screen.filter = ""
        replaceDialog(.list(screen))
        files = FileListing(place: place, changes: files?.changes)
        chosenFile = name
        return [.listFiles(place)]
    }

    private mutating func view(_ path: String, of container: EngineAction.Target) {
        let request = FileRequest(container: container, path: path, serial: takeNumber())
        commands.begin(["cp", "-L", "\(container.name):\(path)", "-"], at: now)
        dialogs.append(.file(FileScreen(request)))
    }

    mutating func take(_ result: Result<[PathStat], EngineError>, of place: FilePlace) -> [Effect] {
        guard files?.place == place else { return [] }
        switch result {
        case .success(let members):
            files?.members = members
            files?.failure = nil
            guard let name = chosenFile, var screen = listScreen, screen.kind == .files(place) else { return [] }
            chosenFile = nil
            let rows = rowIDs(of: screen)
            screen.cursor.choose(rows.firstIndex(of: name) ?? 0, of: rows)
            replaceDialog(.list(screen))
        case .failure(let error) where error.kind == .invalid && error.message.hasPrefix("not a directory"):
            // A link that led to a file.
            guard filePlace == place else { return [] }
            let effects = enter(place.child(".."), choosing: place.name)
            view(place.path, of: place.container)
            return effects
        case .failure(let error):
            files?.members = []
            files?.failure = error.message
        }
        return []
    }

    mutating func take(_ result: Result<[UInt8], EngineError>, of request: FileRequest) {
        for index in dialogs.indices {
            guard case .file(var screen) = dialogs[index], screen.request == request else { continue }
            screen.show(result)
            dialogs[index] = .file(screen)
        }
    }

    private mutating func askCopyOut() {
        guard let screen = listScreen, let place = filePlace else { return }
        let chosen =
            screen.cursor.marked.isEmpty
            ? [selectedFile?.name].compactMap { $0 } : screen.cursor.marked.sorted { NaturalName($0) < NaturalName($1) }
        let names = chosen.filter { $0 != ".." }
        guard !names.isEmpty else { return say("choose what is to be copied", .warning) }
        dialogs.append(.form(.copyOut(names, from: place)))
    }

    /// Copies what the form is about; several at once are told together.
    mutating func sendCopyOut(_ form: Form, _ place: FilePlace, _ names: [String]) -> [Effect] {
        let to = form.text(.path) ?? "."
        let steps = names.map { name in
            Confirmation.Step(
                action: .copyOut(place.container, path: place.path(of: name), to: to), label: "copy \(name)")
        }
        guard steps.count > 1, let first = steps.first else {
            return steps.first.map { wait(form, $0.action, $0.label) } ?? []
        }
        dialogs.removeLast()
        _ = unmarkList()
        return begin(steps, title: "copy \(first.label.dropFirst(5)) and \(steps.count - 1) more to \(to)")
    }
}

extension Form {
    static func copyOut(_ names: [String], from place: FilePlace) -> Form {
        var path = Field(
            name: .path, label: "To", placeholder: "a directory or a new name", kind: .text(LineEditor("./")))
        path.isRequired = true
        path.place = .machine
        let what = names.count == 1 ? names[0] : "\(names.count) files"
        return Form(.copyOut(place, names), title: "copy \(what) to this machine", fields: [path])
    }

    static func copyIn(to place: FilePlace) -> Form {
        var path = Field(name: .path, label: "From", placeholder: "a file or directory here", kind: .text(LineEditor()))
        path.isRequired = true
        path.place = .machine
        var target = Field(
            name: .target, label: "To", placeholder: "a directory there or a new name",
            kind: .text(LineEditor(place.path == "/" ? "/" : "\(place.path)/")))
        target.isRequired = true
        target.place = .container(place.container)
        return Form(.copyIn(place), title: "copy into \(place.container.name)", fields: [path, target])
    }
}

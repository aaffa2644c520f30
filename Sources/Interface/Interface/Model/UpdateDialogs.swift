import EngineAPI
import Terminal

extension Model {
    /// Closes the dialog on top, or what is open in it.
    mutating func close(_ dialog: Dialog) -> [Effect] {
        if keyContext == .search {
            withSearch { $0.giveUp() }
            return []
        }
        dialogs.removeLast()
        if case .form(let form) = dialog, let job = form.job { return giveUp([job]) }
        return []
    }

    /// Enter: the form is sent, the line of the menu chosen, the question answered as is marked.
    mutating func accept() -> [Effect] {
        switch dialogs.last {
        case .form(let form): return send(form)
        case .menu(let menu):
            guard let item = menu.chosen else { return [] }
            dialogs.removeLast()
            return choosesAgain(menu) ? perform(item.intent) : []
        case .confirmation(let question): return question.choosesYes ? agree() : close(.confirmation(question))
        case .logs(let screen) where screen.filterEditor != nil: acceptLogFilter()
        case .some, nil:
            if isEditingFilter { endFilter() } else { acceptSearch() }
        }
        return []
    }

    /// A list that changes below a menu chooses another container by itself. What the menu says is done to those that it
    /// was opened for, or to none.
    private mutating func choosesAgain(_ menu: Menu) -> Bool {
        guard let about = menu.about, Set(containers.targets.map(\.id)) != about else { return true }
        if let id = about.first, about.count == 1, containers.cursor.marked.isEmpty { containers.select(id: id) }
        guard Set(containers.targets.map(\.id)) != about else { return true }
        say("\(menu.title): gone meanwhile; nothing was done", .warning)
        return false
    }

    /// Yes to the question on top.
    mutating func agree() -> [Effect] {
        guard case .confirmation(let question)? = dialogs.last else { return [] }
        dialogs.removeLast()
        if let intent = question.intent { return perform(intent) }
        let effects = begin(question.steps, later: question.laterSteps, title: question.title)
        followForm()
        return effects
    }

    private mutating func acceptSearch() {
        withSearch { $0.accept() }
        findNext(backwards: false)
    }

    private mutating func send(_ sent: Form) -> [Effect] {
        var form = sent
        if form.job != nil, form.canRunOn {
            dialogs.removeLast()
            say("it goes on; ctrl-c cancels it")
            return []
        }
        guard form.job == nil, form.validate() else {
            replaceDialog(.form(form))
            return []
        }
        do throws(FormError) {
            switch form.purpose {
            case .newContainer:
                let spec = try form.containerSpec()
                let grid = initialConsoleGrid
                let size = TerminalSize(columns: UInt16(clamping: grid.columns), rows: UInt16(clamping: grid.rows))
                return wait(form, .run(spec, name: form.text(.name), size), "create \(form.text(.name) ?? spec.image)")
            case .recreate(let original):
                dialogs.append(.confirmation(try recreation(of: original, as: form)))
                return []
            case .rename(let target):
                let name = form.text(.name) ?? target.name
                return wait(form, .rename(target, to: name), "rename \(target.name)")
            case .limits(let target, _, _):
                guard let update = try form.containerUpdate() else { return close(.form(form)) }
                return wait(form, .update(target, update), "limit \(target.name)")
            case .saveLog:
                let path = form.text(.path) ?? ""
                return wait(form, .saveText(path: path, savedLog ?? "", replaces: false), "save \(path)")
            case .copyOut(let place, let names): return sendCopyOut(form, place, names)
            case .copyIn(let place):
                let path = form.text(.path) ?? ""
                let target = form.text(.target) ?? place.path
                return wait(form, .copyIn(place.container, from: path, to: target), "copy \(path)")
            case .loadImage:
                let path = form.text(.path) ?? ""
                return wait(form, .load(path: path), "load \(path)")
            case .pull:
                let name = form.text(.reference) ?? ""
                return wait(form, .pull(name), "pull \(name)")
            case .tag(let image):
                let name = form.text(.reference) ?? ""
                return wait(form, .tagImage(image, as: name), "tag \(image.name)")
            case .newNetwork:
                let spec = try form.networkSpec()
                return wait(form, .createNetwork(spec), "create network \(spec.name)")
            case .newVolume:
                let spec = try form.volumeSpec()
                return wait(form, .createVolume(spec), "create volume \(spec.name)")
            case .connect(let network):
                let name = form[.container]?.text ?? ""
                return wait(form, .connect(name, to: network, try form.endpointSpec()), "connect \(name)")
            case .exec(let target):
                let spec = try form.execSpec()
                dialogs.removeLast()
                return openExec(in: target, spec)
            }
        } catch {
            form.complain(error.message, at: error.field)
            replaceDialog(.form(form))
            return []
        }
    }

    /// Keeps the form open until the action has ended.
    mutating func wait(_ sent: Form, _ action: EngineAction, _ label: String) -> [Effect] {
        var form = sent
        let effects = begin(action, label)
        form.job = jobs.last?.id
        form.error = nil
        replaceDialog(.form(form))
        return effects
    }

    mutating func moveInDialog(_ movement: Movement, page: Int) {
        switch dialogs.last {
        case .menu(var menu):
            menu.move(movement, page: page)
            replaceDialog(.menu(menu))
        case .help(var pager):
            pager.move(movement, page: page)
            replaceDialog(.help(pager))
        case .inspect(var screen):
            screen.pager.move(movement, page: page)
            replaceDialog(.inspect(screen))
        case .file(var screen):
            screen.pager.move(movement, page: page)
            replaceDialog(.file(screen))
        case .logs(var screen):
            screen.move(movement, page: page)
            replaceDialog(.logs(screen))
        case .list(var screen):
            screen.cursor.move(movement, of: rowIDs(of: screen), page: page)
            replaceDialog(.list(screen))
        case .form(var form):
            form.move(by: movement == .up ? -1 : 1)
            replaceDialog(.form(form))
        case .confirmation, nil: break
        }
    }

    /// What has a meaning only in the dialog on top, or in the console's scroll mode.
    mutating func performInDialog(_ intent: Intent) {
        switch (intent, dialogs.last) {
        case (.search, _): beginSearch()
        case (.nextMatch, _): findNext(backwards: false)
        case (.previousMatch, _): findNext(backwards: true)
        case (_, .form(var form)):
            switch intent {
            case .nextField: form.move(by: 1)
            case .previousField: form.move(by: -1)
            case .nextChoice: form.step(by: 1)
            case .previousChoice: form.step(by: -1)
            default: break
            }
            replaceDialog(.form(form))
        case (.nextChoice, .confirmation(var question)):
            question.choosesYes.toggle()
            replaceDialog(.confirmation(question))
        case (_, .file(var screen)):
            screen.pager.shift(intent)
            replaceDialog(.file(screen))
        case (_, .inspect(var screen)):
            if intent == .fold { screen.fold() } else { screen.pager.shift(intent) }
            replaceDialog(.inspect(screen))
        default: break
        }
    }

    /// Copies what the line of the cursor is about, without what stands before it.
    mutating func copyLine() -> [Effect] {
        let text: String
        switch dialogs.last {
        case .inspect(let screen): text = screen.chosenText
        case .file(let screen) where screen.pager.lines.indices.contains(screen.pager.cursor):
            let line = screen.pager.lines[screen.pager.cursor]
            text = String(line.text.dropFirst(line.leadCount))
        default: return []
        }
        guard !text.isEmpty else {
            say("there is nothing to copy", .warning)
            return []
        }
        let count = text.split(separator: "\n").count
        say(count > 1 ? "copied \(count) lines" : "copied \(text)")
        return [.copy(text)]
    }

    private mutating func beginSearch() {
        if dialogs.isEmpty, let id = shownConsoleID {
            var search = consoles.open[id]?.search ?? Search()
            search.begin()
            consoles.open[id]?.search = search
        } else {
            withSearch { $0.begin() }
        }
    }

    mutating func findNext(backwards: Bool) {
        let page = pageRows
        var found = true
        guard let needle = search?.needle, !needle.isEmpty else { return }
        switch dialogs.last {
        case .help(var pager):
            found = pager.find(backwards: backwards, page: page)
            replaceDialog(.help(pager))
        case .inspect(var screen):
            found = screen.pager.find(backwards: backwards, page: page)
            replaceDialog(.inspect(screen))
        case .file(var screen):
            found = screen.pager.find(backwards: backwards, page: page)
            replaceDialog(.file(screen))
        case .logs(var screen):
            found = screen.find(backwards: backwards, page: page)
            replaceDialog(.logs(screen))
        case nil: found = findInConsole(needle, backwards: !backwards)
        default: break
        }
        guard !found else { return }
        if case .logs(let screen)? = dialogs.last, let rest = screen.unsearched {
            say("`\(needle)` is not \(rest)", .warning)
        } else {
            say("`\(needle)` not found", .warning)
        }
    }
}

extension Form {
    /// Takes the list of images as it has become, keeping what is chosen.
    mutating func offer(_ images: [ImageSummary]) {
        guard let index = fields.firstIndex(where: { $0.name == .image }) else { return }
        let chosen = fields[index].text
        let fresh = Form.newContainer(images: images, preferred: chosen.isEmpty ? nil : chosen)
        guard let field = fresh[.image] else { return }
        if case .choice(let names, let place) = field.kind {
            fields[index].offer(names, choosing: place)
        } else {
            fields[index].offer([], choosing: 0)
        }
        if fields[index].error != nil { fields[index].error = FormValidation.error(in: fields[index]) }
    }

    /// The same for the networks.
    mutating func offer(networks: [String]) {
        guard let index = fields.firstIndex(where: { $0.name == .network }) else { return }
        let chosen = networks.firstIndex(of: fields[index].text) ?? 0
        fields[index].kind = .choice(networks, chosen)
    }

    mutating func step(by count: Int) {
        guard fields.indices.contains(focus) else { return }
        fields[focus].step(by: count)
        adaptToDriver()
    }
}

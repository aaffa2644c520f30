import EngineAPI
import Terminal

extension Model {
    mutating func take(_ event: InputEvent) -> [Effect] {
        switch event {
        case .key(let key):
            typedCount += 1
            return press(key)
        case .paste(let text):
            typedCount += 1
            return paste(text)
        case .mouse(let mouse): return point(mouse)
        case .resize(let size):
            self.size = size
            return []
        case .focus(let isFocused):
            return withShownConsole { $0.emulator.sendFocus(isFocused) }
        case .resumed: return [.redraw]
        case .terminate, .hangup: return [.quit]
        }
    }

    private mutating func press(_ key: Key) -> [Effect] {
        guard !layout.isTooSmall else { return pressUnseen(key) }
        if let status, status.isOfKey || status.isOld(at: now) { self.status = nil }
        sought = nil
        let context = keyContext
        switch context {
        case .captured: return pressInConsole(key)
        case .leader: return pressAfterLeader(key)
        case .scrollback where typesThroughWheel(key):
            stopScrolling()
            return pressInConsole(key)
        default: break
        }
        if let intent = Keymap.intent(of: key, in: context, self) { return perform(intent) }
        if context.typesText { return type(key) }
        if key == Key(.character("c"), .control) {
            say("\(self.key(.quit)) quits; containers run on")
        } else {
            explain(key, in: context)
        }
        return []
    }

    /// Says why a key does nothing now; of a letter that never does anything, where there is a help that tells the others.
    private mutating func explain(_ key: Key, in context: KeyContext) {
        let own = bindings.filter { $0.contexts.contains(context) }
        if let idle = own.first(where: { $0.keys.contains(key) }) {
            say(idle.condition.refusal(self), .warning)
        } else if key.typed != nil, let help = own.first(where: { $0.intent == .help })?.keys.first {
            say("`\(key)` means nothing here; \(help) tells all keys", .warning)
        } else {
            return
        }
        status?.isOfKey = true
    }

    /// Somebody turned the wheel over a console that takes their keys, and goes on typing.
    private var isTypingThroughWheel: Bool { consoles.isCaptured && shownConsole?.isTurnedByWheel == true }

    private func typesThroughWheel(_ key: Key) -> Bool {
        isTypingThroughWheel && ![Key(.pageUp), Key(.pageDown), Key(.escape)].contains(key)
    }

    /// Nothing but the message that the screen is too small is seen: only what it offers is done.
    private func pressUnseen(_ key: Key) -> [Effect] {
        key == .character("q") || key == Key(.character("c"), .control) ? [.quit] : []
    }

    /// A key that types into whatever line of text is open.
    private mutating func type(_ key: Key) -> [Effect] {
        if isEditingFilter {
            var editor = LineEditor(beginsFilterAnew && key.typed != nil ? "" : filterText)
            beginsFilterAnew = false
            if editor.handle(key) { setFilter(editor.text) }
            return []
        }
        guard let dialog = dialogs.last else {
            editSearch { _ = $0.handle(key) }
            return []
        }
        switch dialog {
        case .logs(var screen) where screen.filterEditor != nil:
            _ = screen.filterEditor?.handle(key)
            replaceDialog(.logs(screen))
        case .form(var form):
            _ = form.handle(key)
            replaceDialog(.form(form))
        case .menu(var menu):
            _ = menu.filter.handle(key)
            replaceDialog(.menu(menu))
        default: editSearch { _ = $0.handle(key) }
        }
        return []
    }

    private mutating func paste(_ text: String) -> [Effect] {
        if keyContext == .scrollback, isTypingThroughWheel { stopScrolling() }
        if keyContext == .captured { return pasteIntoConsole(text) }
        guard keyContext.typesText else {
            say("pasted text goes nowhere here: no line of text is open, and no console is attached", .warning)
            status?.isOfKey = true
            return []
        }
        if isEditingFilter {
            let kept = beginsFilterAnew ? "" : filterText
            beginsFilterAnew = false
            setFilter(kept + text.split(whereSeparator: \.isNewline).joined(separator: " "))
            return []
        }
        switch dialogs.last {
        case .logs(var screen) where screen.filterEditor != nil:
            screen.filterEditor?.insert(text)
            replaceDialog(.logs(screen))
        case .form(var form):
            form.insert(text)
            replaceDialog(.form(form))
        case .menu(var menu):
            menu.filter.insert(text)
            replaceDialog(.menu(menu))
        default: editSearch { $0.insert(text) }
        }
        return []
    }

    mutating func replaceDialog(_ dialog: Dialog) {
        if !dialogs.isEmpty { dialogs[dialogs.count - 1] = dialog }
    }

    /// Changes the line of the search that is being typed, wherever it is.
    mutating func editSearch(_ change: (inout LineEditor) -> Void) {
        withSearch { if $0.isEditing { change(&$0.editor) } }
    }

    /// The search of what is innermost; nil where there is none.
    var search: Search? {
        switch dialogs.last {
        case .help(let pager): pager.search
        case .inspect(let screen): screen.pager.search
        case .file(let screen): screen.pager.search
        case .logs(let screen): screen.search
        case .form, .menu, .confirmation, .list: nil
        case nil: shownConsole?.search
        }
    }

    /// Changes the search of what is innermost.
    mutating func withSearch(_ change: (inout Search) -> Void) {
        switch dialogs.last {
        case .help(var pager):
            change(&pager.search)
            replaceDialog(.help(pager))
        case .inspect(var screen):
            change(&screen.pager.search)
            replaceDialog(.inspect(screen))
        case .file(var screen):
            change(&screen.pager.search)
            replaceDialog(.file(screen))
        case .logs(var screen):
            change(&screen.search)
            replaceDialog(.logs(screen))
        case .form, .menu, .confirmation, .list: break
        case nil:
            guard let id = shownConsoleID, var search = consoles.open[id]?.search else { return }
            change(&search)
            consoles.open[id]?.search = search
        }
    }

    /// Rows that can be moved through at once in what is innermost.
    var pageRows: Int {
        switch dialogs.last {
        case .menu: return MenuLayout(self).page
        // The title, and of lists that of the columns.
        case .list, .form, .confirmation: return max(1, layout.body.rows - 2)
        case .some: return max(1, layout.body.rows - 1)
        case nil: return max(1, (layout.content(of: focus)?.rows ?? 2) - (focus == .console ? 0 : 1))
        }
    }
}

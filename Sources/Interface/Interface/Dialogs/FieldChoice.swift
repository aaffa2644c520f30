import Terminal

/// Choosing among what a field offers, by arrows or by typing; an open field takes other words, too.
extension Field {
    /// A key at a choice; false where it means nothing here.
    mutating func choose(by key: Key, _ options: [String], _ index: Int) -> Bool {
        switch key {
        case Key(.character(" ")), Key(.right): return choose(index + 1, of: options)
        case Key(.left): return choose(index - 1, of: options)
        default: return isOpen ? type(key, options, index) : jump(by: key, options, index)
        }
    }

    mutating func step(by count: Int) {
        switch kind {
        case .choice(let options, let index): _ = choose(index + count, of: options)
        // From words of one's own back to what there is.
        case .text where !offered.isEmpty: _ = choose(count > 0 ? 0 : offered.count - 1, of: offered)
        default: break
        }
    }

    /// Takes what can be chosen as it has become; `index` is of what is to be chosen of it where nothing is typed.
    mutating func offer(_ options: [String], choosing index: Int) {
        offered = options
        if case .text(let editor) = kind, isOpen, !editor.text.isEmpty || options.isEmpty { return }
        kind = isOpen && options.isEmpty ? .text(LineEditor()) : .choice(options, index)
    }

    /// Puts a text into an open field, in place of what is chosen.
    mutating func insert(_ text: String) {
        switch kind {
        case .text(var editor):
            editor.insert(text)
            kind = .text(editor)
        case .choice where isOpen:
            var editor = LineEditor()
            editor.insert(text)
            kind = .text(editor)
        case .choice, .toggle: break
        }
    }

    /// A key at words of one's own; without any of them left the field offers its choices again.
    mutating func edit(by key: Key, _ text: LineEditor) -> Bool {
        var editor = text
        guard editor.handle(key) else { return false }
        if isOpen, editor.text.isEmpty, !offered.isEmpty { return choose(0, of: offered) }
        kind = .text(editor)
        return true
    }

    /// What is typed goes to the first choice that begins so; once there is none, it stands for itself.
    private mutating func type(_ key: Key, _ options: [String], _ index: Int) -> Bool {
        let shown = options.indices.contains(index) ? options[index] : ""
        guard let letter = key.typed else {
            // To change what is shown, from its end.
            return edit(by: key, LineEditor(shown))
        }
        let words = typed + String(letter)
        guard let found = options.firstIndex(where: { $0.lowercased().hasPrefix(words.lowercased()) }) else {
            kind = .text(LineEditor(words))
            typed = ""
            return true
        }
        kind = .choice(options, found)
        typed = words
        return true
    }

    /// To the first choice that begins with all that was typed; where there is none, to the next one that begins with the
    /// last letter.
    private mutating func jump(by key: Key, _ options: [String], _ index: Int) -> Bool {
        guard let letter = key.typed else { return false }
        let words = (typed + String(letter)).lowercased()
        if !typed.isEmpty, let found = options.firstIndex(where: { $0.lowercased().hasPrefix(words) }) {
            kind = .choice(options, found)
            typed = words
            return true
        }
        typed = String(letter)
        let order = (1...max(1, options.count)).map { (index + $0) % max(1, options.count) }
        let next = order.first {
            options.indices.contains($0) && options[$0].lowercased().hasPrefix(letter.lowercased())
        }
        if let next { kind = .choice(options, next) }
        return true
    }

    private mutating func choose(_ index: Int, of options: [String]) -> Bool {
        typed = ""
        guard !options.isEmpty else { return true }
        kind = .choice(options, (index % options.count + options.count) % options.count)
        return true
    }
}

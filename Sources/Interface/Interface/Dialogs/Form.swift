import EngineAPI
import Terminal

/// Questions to fill in. It stays open, with all that was typed, until what it asked for has been done.
struct Form: Hashable, Sendable {
    enum Purpose: Hashable, Sendable {
        case newContainer
        case recreate(Original)
        case rename(EngineAction.Target)
        case exec(EngineAction.Target)
        case loadImage
        case saveLog
        case copyOut(FilePlace, [String])
        case copyIn(FilePlace)
        case pull
        case tag(EngineAction.Target)
        /// With what they are now.
        case limits(EngineAction.Target, ResourceLimits, RestartPolicy)
        case newNetwork
        case connect(EngineAction.Target)
        case newVolume
    }

    let purpose: Purpose
    var title: String
    var fields: [Field]
    var focus = 0 {
        // What was typed towards a choice is over with the field.
        didSet {
            if focus != oldValue, fields.indices.contains(oldValue) { fields[oldValue].typed = "" }
            choices = []
        }
    }
    /// What the path in the focused field can go on with, after Tab.
    var choices: [String] = []
    /// What the engine said against it.
    var error: String?
    /// The action that it waits for.
    var job: JobID?

    init(_ purpose: Purpose, title: String, fields: [Field]) {
        self.purpose = purpose
        self.title = title
        self.fields = fields
    }

    subscript(name: Field.Name) -> Field? { fields.first { $0.name == name } }

    /// The text of a field without the spaces around it; nil where it is empty.
    func text(_ name: Field.Name) -> String? {
        guard let text = self[name]?.text else { return nil }
        let words = text.drop { $0 == " " }
        let trimmed = String(words.reversed().drop { $0 == " " }.reversed())
        return trimmed.isEmpty ? nil : trimmed
    }

    mutating func move(by step: Int) {
        guard !fields.isEmpty else { return }
        focus = ((focus + step) % fields.count + fields.count) % fields.count
    }

    mutating func handle(_ key: Key) -> Bool {
        guard fields.indices.contains(focus), fields[focus].handle(key) else { return false }
        fields[focus].error = FormValidation.error(in: fields[focus])
        error = nil
        choices = []
        adaptToDriver()
        return true
    }

    /// Says at a field what is wrong with it, and goes there; without a field, or with one that is not asked, below all.
    mutating func complain(_ message: String, at name: Field.Name?) {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return error = message }
        fields[index].error = message
        focus = index
    }

    mutating func insert(_ text: String) {
        guard fields.indices.contains(focus) else { return }
        fields[focus].insert(text)
        fields[focus].error = FormValidation.error(in: fields[focus])
        error = nil
        choices = []
    }

    /// Checks every field; goes to the first that is wrong. True where all are right.
    mutating func validate() -> Bool {
        for index in fields.indices { fields[index].error = FormValidation.error(in: fields[index]) }
        guard let wrong = fields.firstIndex(where: { $0.error != nil }) else { return true }
        focus = wrong
        return false
    }
}

/// One question of a form.
struct Field: Hashable, Sendable {
    enum Name: Hashable, Sendable {
        case image, name, command, tty, memory, cpus, pids, mounts, environment, network, ports, autoRemove, user,
            directory, path, driver, subnet, address, device, version6, isInternal, container, aliases, options,
            reference, restart, target, range, mode, isAttachable
    }

    enum Kind: Hashable, Sendable {
        case text(LineEditor)
        case toggle(Bool)
        case choice([String], Int)
    }

    let name: Name
    var label: String
    /// Shown while nothing is typed: what is taken then, or an example.
    var placeholder = ""
    var kind: Kind
    var error: String?
    var isRequired = false
    /// Where the path leads that the field holds; nil for what is no path.
    var place: PathQuestion.Place?
    /// Takes words of one's own beside what it offers.
    var isOpen = false
    /// What an open field offers while words of one's own stand in it.
    var offered: [String] = []
    /// Mounts that are there already: by the words for them they are meant with all that the words do not tell.
    var known: [MountSpec] = []
    /// What was typed to come to the choice that is shown.
    var typed = ""

    /// What was typed or chosen.
    var text: String {
        switch kind {
        case .text(let editor): editor.text
        case .toggle(let on): on ? "yes" : "no"
        case .choice(let options, let index): options.indices.contains(index) ? options[index] : ""
        }
    }

    var isOn: Bool { kind == .toggle(true) }

    mutating func handle(_ key: Key) -> Bool {
        switch kind {
        case .text(let editor): return edit(by: key, editor)
        case .toggle(let on):
            guard key == Key(.character(" ")) || key == Key(.left) || key == Key(.right) else { return false }
            kind = .toggle(!on)
        case .choice(let options, let index): return choose(by: key, options, index)
        }
        return true
    }
}

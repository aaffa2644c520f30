import EngineAPI

/// A path that is being typed, of which the rest is asked for.
struct PathQuestion: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        /// The one that the front end runs on.
        case machine
        case container(EngineAction.Target)
    }

    let place: Place
    /// As it stands in its field.
    let text: String

    /// The directory's part, with the slash at its end; empty for the one that a path begins in.
    var directory: String { text.lastIndex(of: "/").map { String(text[...$0]) } ?? "" }

    /// What names must begin with.
    var beginning: String { String(text.dropFirst(directory.count)) }
}

/// A name in a directory.
struct PathMember: Hashable, Sendable {
    var name: String
    /// Also of a link that leads to one, where that is known.
    var isDirectory: Bool
}

/// What a shell's Tab makes of a path: all that the names which begin so have in common; and where there are several,
/// which they are.
struct PathCompletion: Hashable, Sendable {
    var text: String
    /// Those to choose from, in order, directories with a slash; none where there is no choice.
    var names: [String] = []
    /// Nothing begins so.
    var isEmpty = false

    /// Names that begin with a dot count where the dot is typed.
    init(_ question: PathQuestion, _ members: [PathMember]) {
        let beginning = question.beginning
        let found = members.filter {
            $0.name.hasPrefix(beginning) && (beginning.hasPrefix(".") || !$0.name.hasPrefix("."))
        }.map { $0.isDirectory ? "\($0.name)/" : $0.name }.sorted()
        text = question.text
        guard let first = found.first, let last = found.last else {
            isEmpty = !beginning.isEmpty
            return
        }
        // Of sorted names the first and the last differ earliest.
        let common = String(zip(first, last).prefix { $0 == $1 }.map { $0.0 })
        if common.count > beginning.count { text = question.directory + common }
        if found.count > 1 { names = found }
    }
}

extension Form {
    /// What Tab asks for in the focused field; nil where that holds no path.
    var pathQuestion: PathQuestion? {
        guard fields.indices.contains(focus), let place = fields[focus].place else { return nil }
        return PathQuestion(place: place, text: fields[focus].text)
    }

    /// Takes what has come for the focused field. A path that is whole already leads on to the next field.
    mutating func take(_ completion: PathCompletion) {
        guard completion.text == fields[focus].text else {
            fields[focus].kind = .text(LineEditor(completion.text))
            fields[focus].error = FormValidation.error(in: fields[focus])
            choices = completion.names
            return
        }
        choices = completion.names
        if choices.isEmpty { move(by: 1) }
    }
}

extension Model {
    /// Tab at a path.
    func completePath() -> [Effect] {
        guard case .form(let form)? = dialogs.last, let question = form.pathQuestion else { return [] }
        return [.listPath(question)]
    }

    /// An answer that comes after something else was typed is left out.
    mutating func take(_ result: Result<[PathMember], EngineError>, of question: PathQuestion) {
        guard case .form(var form)? = dialogs.last, form.pathQuestion == question else { return }
        switch result {
        case .failure(let error):
            say(error.message, .warning)
            status?.isOfKey = true
        case .success(let members):
            let completion = PathCompletion(question, members)
            guard !completion.isEmpty else {
                say("nothing there begins with `\(question.beginning)`", .warning)
                status?.isOfKey = true
                return
            }
            form.take(completion)
            replaceDialog(.form(form))
        }
    }
}

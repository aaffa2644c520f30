/// Scripts that complete a command line of this program in a shell. Pure.
enum CompletionScript: String, CaseIterable {
    case bash, zsh, fish

    var text: String {
        switch self {
        case .bash: Self.function + "complete -o default -F _gantry gantry\n"
        case .zsh:
            "#compdef gantry\nautoload -U +X bashcompinit && bashcompinit\n" + Self.function
                + "complete -o default -F _gantry gantry\n"
        case .fish: Self.fishLines.joined(separator: "\n") + "\n"
        }
    }

    private struct Node {
        /// The words that lead there: none for the program itself.
        let path: [String]
        /// What may follow, with what is said of it.
        let commands: [(name: String, abstract: String)]
        let flags: [Declarations.Flag]
    }

    private static var nodes: [Node] {
        let tops = GantryCommand.sections.flatMap(\.commands)
        let groups = GantryCommand.groups
        let program = Node(path: [], commands: HelpText.rows(tops) + groups.map { ($0.name, $0.abstract) }, flags: [])
        let own = tops.map { node($0, []) }
        let grouped = groups.flatMap { group in
            [Node(path: [group.name], commands: HelpText.rows(group.commands), flags: [])]
                + group.commands.map { node($0, [group.name]) }
        }
        return [program] + own + grouped
    }

    private static func node(_ command: any Command.Type, _ path: [String]) -> Node {
        let declared = DeclaredCommand(command, path: path)
        return Node(
            path: path + [declared.configuration.name], commands: [], flags: declared.flags.filter { $0.help != nil })
    }

    /// Of bash: walks over the words before the cursor, as far as they name a command, and offers what may follow.
    private static var function: String {
        let cases = nodes.map { node in
            let flags = node.flags.map { "--\($0.flag.name)" } + ["--help"]
            return
                "        '\(node.path.joined(separator: " "))') words='\(node.commands.map(\.name).joined(separator: " "))'"
                + " flags='\(flags.joined(separator: " "))' ;;\n"
        }
        let paths = nodes.dropFirst().map { "'\($0.path.joined(separator: " "))'" }.joined(separator: "|")
        let withValue = GlobalOptions.flags.flags.filter(\.takesValue).flatMap(\.names)
            .map { $0.count == 1 ? "-\($0)" : "--\($0)" }.joined(separator: "|")
        return """
            _gantry() {
                local path='' words='' flags='' word next index
                for ((index = 1; index < COMP_CWORD; index++)); do
                    word="${COMP_WORDS[index]}"
                    case "$word" in
                        \(withValue)) [ -n "$path" ] || index=$((index + 1)); continue ;;
                        -*) continue ;;
                    esac
                    next="${path:+$path }$word"
                    case "$next" in
                        \(paths)) path="$next" ;;
                        *) break ;;
                    esac
                done
                case "$path" in
            \(cases.joined())    esac
                # Without a dash files may be meant, which come where nothing is offered.
                case "${COMP_WORDS[COMP_CWORD]}" in -*) words="$flags" ;; esac
                COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
            }

            """
    }

    private static var fishLines: [String] {
        nodes.flatMap { node -> [String] in
            let condition = condition(node)
            let start = "complete -c gantry -n \(quoted(condition))"
            return node.commands.map { "\(start) -a \($0.name) -d \(quoted($0.abstract))" }
                + node.flags.map { declared in
                    let short = declared.flag.names.first { $0.count == 1 }.map { " -s \($0)" } ?? ""
                    return "\(start) -l \(declared.flag.name)\(short)\(declared.kind == nil ? "" : " -r") -d "
                        + quoted(declared.help ?? "")
                }
        }
    }

    /// When what stands below a node may follow.
    private static func condition(_ node: Node) -> String {
        guard let last = node.path.last else { return "__fish_use_subcommand" }
        let seen = "__fish_seen_subcommand_from"
        guard node.path.count == 1 else { return "\(seen) \(node.path[0]); and \(seen) \(last)" }
        guard !node.commands.isEmpty else { return "\(seen) \(last)" }
        return "\(seen) \(last); and not \(seen) \(node.commands.map(\.name).joined(separator: " "))"
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'") + "'"
    }
}

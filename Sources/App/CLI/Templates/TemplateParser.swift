import JSON

/// Reads the pieces of a template into nodes.
struct TemplateParser {
    private var pieces: ArraySlice<TemplatePiece>
    private var loops = 0
    /// What `define` and `block` have named.
    private(set) var definitions: [String: [TemplateNode]] = [:]
    /// How deep blocks and parentheses stand in one another.
    private var depth = 0
    /// Less than Go allows, and more than anybody needs: each level takes of the thread's stack.
    static let maximumDepth = 200
    /// The variables that are in scope, the innermost last.
    private var variables = ["$"]

    init(_ text: String) throws(TemplateFailure) {
        var lexer = TemplateLexer(text)
        pieces = try lexer.pieces()[...]
    }

    mutating func template() throws(TemplateFailure) -> [TemplateNode] {
        let (nodes, end) = try list()
        guard end == nil else { throw .parsing("unexpected {{\(end?.word ?? "")}}") }
        return nodes
    }

    /// What a list of nodes ended with: `end`, or `else` with the words behind it.
    private struct ListEnd {
        let word: String
        let rest: TemplateWords
    }

    private mutating func list() throws(TemplateFailure) -> ([TemplateNode], ListEnd?) {
        var nodes: [TemplateNode] = []
        while let piece = pieces.popFirst() {
            guard case .action(let tokens, let source, let offset) = piece else {
                if case .text(let text) = piece { nodes.append(.text(text)) }
                continue
            }
            var words = TemplateWords(tokens, end: offset + source.utf8.count)
            let keyword = words.keyword
            switch keyword {
            case "end", "else":
                words.drop()
                if keyword == "end" { try words.expectEnd("end") }
                return (nodes, ListEnd(word: keyword ?? "", rest: words))
            case "if", "with", "range":
                words.drop()
                nodes.append(try block(keyword ?? "", &words))
            case "break", "continue":
                guard loops > 0 else { throw .parsing("{{\(keyword ?? "")}} outside {{range}}") }
                words.drop()
                try words.expectEnd(keyword ?? "")
                nodes.append(.leave(keyword == "break" ? .break : .continue))
            case "define":
                guard depth == 0 else { throw .parsing("unexpected {{define}}") }
                words.drop()
                let name = try name(&words, of: "define clause")
                try words.expectEnd("define clause")
                definitions[name] = try definition()
            case "template":
                words.drop()
                nodes.append(try invocation(&words, of: "template clause"))
            case "block":
                words.drop()
                let node = try invocation(&words, of: "block clause")
                nodes.append(node)
                let body = try definition()
                if case .template(let name, _) = node, definitions[name] == nil { definitions[name] = body }
            default:
                nodes.append(.action(try pipeline(&words, of: "command")))
                try words.expectEnd("command")
            }
        }
        return (nodes, nil)
    }

    /// The nodes up to `end`, in which no variable from outside is known.
    private mutating func definition() throws(TemplateFailure) -> [TemplateNode] {
        let outer = (variables, loops)
        (variables, loops) = (["$"], 0)
        try enter()
        defer {
            (variables, loops) = outer
            depth -= 1
        }
        let (nodes, end) = try list()
        guard let end else { throw .parsing("unexpected EOF") }
        guard end.word == "end" else { throw .parsing("unexpected {{else}} in define clause") }
        return nodes
    }

    private mutating func enter() throws(TemplateFailure) {
        guard depth < Self.maximumDepth else { throw .parsing("max expression depth exceeded") }
        depth += 1
    }

    /// A name, and perhaps a pipeline.
    private mutating func invocation(
        _ words: inout TemplateWords, of context: String
    ) throws(TemplateFailure) -> TemplateNode {
        let name = try name(&words, of: context)
        words.skipSpaces()
        guard words.next != nil else { return .template(name, nil) }
        let pipeline = try pipeline(&words, of: context)
        try words.expectEnd(context)
        return .template(name, pipeline)
    }

    private func name(_ words: inout TemplateWords, of context: String) throws(TemplateFailure) -> String {
        words.skipSpaces()
        guard let token = words.next, case .text(let name) = token.kind else {
            throw .parsing("unexpected \"\(words.next?.source ?? "}}")\" in \(context)")
        }
        words.drop()
        return name
    }

    /// `if`, `with` or `range`, from behind the word to its `end`.
    private mutating func block(_ keyword: String, _ words: inout TemplateWords) throws(TemplateFailure) -> TemplateNode
    {
        let outer = variables
        defer { variables = outer }
        let pipeline = try pipeline(&words, of: keyword)
        try words.expectEnd(keyword)
        if keyword == "range" { loops += 1 }
        try enter()
        defer { depth -= 1 }
        let (then, end) = try list()
        if keyword == "range" { loops -= 1 }
        guard var end else { throw .parsing("unexpected EOF") }
        var otherwise: [TemplateNode] = []
        if end.word == "else" {
            var rest = end.rest
            if let next = rest.keyword, next == keyword, keyword != "range" {
                // `else if` is an if of its own that shares the end.
                rest.drop()
                otherwise = [try block(keyword, &rest)]
            } else {
                try rest.expectEnd("else")
                let (nodes, last) = try list()
                guard let last else { throw .parsing("unexpected EOF") }
                guard last.word == "end" else { throw .parsing("unexpected {{else}}") }
                (otherwise, end) = (nodes, last)
            }
        }
        return switch keyword {
        case "if": .condition(pipeline, then: then, otherwise: otherwise)
        case "with": .with(pipeline, then: then, otherwise: otherwise)
        default: .range(pipeline, body: then, otherwise: otherwise)
        }
    }
}

extension TemplateParser {
    private mutating func pipeline(
        _ words: inout TemplateWords, of context: String
    ) throws(TemplateFailure) -> TemplatePipeline {
        var pipeline = TemplatePipeline()
        if let head = words.declaration(isRange: context == "range") {
            pipeline.variables = head.variables
            pipeline.assigns = head.assigns
            for variable in head.variables where head.assigns { try known(variable) }
        }
        repeat {
            pipeline.commands.append(try command(&words, of: context))
        } while words.take(.pipe)
        for (index, command) in pipeline.commands.enumerated() where index > 0 {
            switch command.operands.first?.kind {
            case .literal, .null,
                .dot where command.operands.first?.fields.isEmpty == true:
                throw .parsing("non executable command in pipeline stage \(index + 1)")
            default: break
            }
        }
        if !pipeline.assigns { variables += pipeline.variables }
        return pipeline
    }

    private func known(_ variable: String) throws(TemplateFailure) {
        guard variables.contains(variable) else { throw .parsing("undefined variable \"\(variable)\"") }
    }

    private mutating func command(
        _ words: inout TemplateWords, of context: String
    ) throws(TemplateFailure) -> TemplateCommand {
        var operands: [TemplateOperand] = []
        let start = words.mark
        words.skipSpaces()
        while let operand = try operand(&words) {
            operands.append(operand)
            guard words.skipSpaces() else { break }
        }
        guard !operands.isEmpty else { throw .parsing("missing value for \(context)") }
        return TemplateCommand(operands: operands, source: words.source(from: start))
    }

    private mutating func operand(_ words: inout TemplateWords) throws(TemplateFailure) -> TemplateOperand? {
        guard let token = words.next else { return nil }
        var operand = TemplateOperand(kind: .dot, source: token.source, offset: token.offset)
        switch token.kind {
        case .dot: break
        case .field(let name): operand.fields = [name]
        case .variable(let name):
            try known(name)
            operand.kind = .variable(name)
        case .text(let text): operand.kind = .literal(.string(text))
        case .whole(let number): operand.kind = .literal(.integer(number))
        case .number(let number): operand.kind = .literal(.number(number))
        case .word("true"): operand.kind = .literal(true)
        case .word("false"): operand.kind = .literal(false)
        case .word("nil"): operand.kind = .null
        case .word(let name):
            guard TemplateFunction(rawValue: name) != nil else {
                throw .parsing("function \"\(name)\" not defined")
            }
            operand.kind = .function(name)
        case .open:
            words.drop()
            try enter()
            defer { depth -= 1 }
            operand.kind = .pipeline(try pipeline(&words, of: "parenthesized pipeline"))
            words.skipSpaces()
            guard case .close? = words.next?.kind else { throw .parsing("unclosed left paren") }
            operand.source = "(…)"
        case .close, .pipe: return nil
        case .space, .comma, .assign, .declare: throw .parsing("unexpected \"\(token.source)\" in operand")
        }
        words.drop()
        while case .field(let name)? = words.next?.kind, let token = words.next {
            if case .literal = operand.kind { throw .parsing("unexpected . after term \"\(operand.source)\"") }
            if operand.fields.count == 1 { operand.offset = token.offset }
            operand.fields.append(name)
            operand.source += token.source
            words.drop()
        }
        return operand
    }
}

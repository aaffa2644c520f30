import JSON

/// Fills a template in: the values of its variables, and the text so far.
struct TemplateEvaluation {
    /// Methods of the value that the template is about, each of one string.
    typealias Methods = [String: (String) -> String]

    private(set) var text = ""
    private let methods: Methods
    private let definitions: [String: [TemplateNode]]
    /// How deep blocks and templates that call each other stand in one another.
    private var depth = 0
    private static let maximumDepth = 2 * TemplateParser.maximumDepth
    private var variables: [(name: String, value: TemplateValue)]

    init(_ value: JSONValue, methods: Methods, definitions: [String: [TemplateNode]] = [:]) {
        self.methods = methods
        self.definitions = definitions
        variables = [("$", TemplateValue(value))]
    }

    mutating func run(_ nodes: [TemplateNode]) throws(TemplateFailure) { _ = try run(nodes, variables[0].value) }

    private mutating func run(
        _ nodes: [TemplateNode], _ dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateLoopExit? {
        guard depth < Self.maximumDepth else {
            throw TemplateFailure(
                message: "template parsing error: template: :1: executing \"\": exceeded maximum template depth "
                    + "(\(Self.maximumDepth))")
        }
        depth += 1
        defer { depth -= 1 }
        for node in nodes {
            let outer = variables.count
            switch node {
            case .text(let literal): text += literal
            case .action(let pipeline):
                let value = try evaluate(pipeline, dot)
                // A declaration prints nothing, and lives until the end of its block.
                if pipeline.variables.isEmpty { text += value.text }
                continue
            case .leave(let exit): return exit
            case .template(let name, let pipeline):
                try call(name, try pipeline.map { pipeline throws(TemplateFailure) in try evaluate(pipeline, dot) })
            case .condition(let pipeline, let then, let otherwise):
                let value = try evaluate(pipeline, dot)
                if let exit = try block(value.isTrue ? then : otherwise, dot, outer) { return exit }
            case .with(let pipeline, let then, let otherwise):
                let value = try evaluate(pipeline, dot)
                let exit = value.isTrue ? try block(then, value, outer) : try block(otherwise, dot, outer)
                if let exit { return exit }
            case .range(let pipeline, let body, let otherwise):
                if let exit = try loop(pipeline, body, otherwise, dot) { return exit }
            }
            variables.removeLast(variables.count - outer)
        }
        return nil
    }

    /// Another template: of this one's variables it knows none.
    private mutating func call(_ name: String, _ value: TemplateValue?) throws(TemplateFailure) {
        guard let nodes = definitions[name] else {
            throw TemplateFailure(
                message: "template parsing error: template: :1: executing \"\" : template \"\(name)\" not defined")
        }
        let outer = variables
        let value = value ?? TemplateValue(.null)
        variables = [("$", value)]
        _ = try run(nodes, value)
        variables = outer
    }

    private mutating func block(
        _ nodes: [TemplateNode], _ dot: TemplateValue, _ outer: Int
    ) throws(TemplateFailure) -> TemplateLoopExit? {
        let exit = try run(nodes, dot)
        variables.removeLast(variables.count - outer)
        return exit
    }

    private mutating func loop(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateLoopExit? {
        let outer = variables.count
        var plain = pipeline
        plain.variables = []
        let value = try evaluate(plain, dot)
        let elements = try elements(of: value, pipeline)
        if elements.isEmpty { return try block(otherwise, dot, outer) }
        for (key, element) in elements {
            let names = pipeline.variables
            if let last = names.last { set(last, element, assigns: pipeline.assigns) }
            if names.count == 2 { set(names[0], key, assigns: pipeline.assigns) }
            let exit = try block(body, element, outer)
            if exit == .break { break }
        }
        return nil
    }

    private func elements(
        of value: TemplateValue, _ pipeline: TemplatePipeline
    ) throws(TemplateFailure) -> [(TemplateValue, TemplateValue)] {
        switch value.json {
        case .null: return []
        case .array(let elements):
            return elements.enumerated().map { (TemplateValue(.integer(Int64($0))), TemplateValue($1)) }
        case .object(let object):
            return object.sortedMembers.map { (TemplateValue(.string($0.name)), TemplateValue($0.value)) }
        case .integer(let count) where (0...1_000_000).contains(count):
            return (0..<count).map { (TemplateValue(.integer($0)), TemplateValue(.integer($0))) }
        default:
            guard let operand = pipeline.commands.last?.operands.first else { return [] }
            throw .executing(operand, "range can't iterate over \(value.text)")
        }
    }

    private mutating func set(_ name: String, _ value: TemplateValue, assigns: Bool) {
        if assigns, let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }
}

extension TemplateEvaluation {
    private mutating func evaluate(
        _ pipeline: TemplatePipeline, _ dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateValue {
        var value: TemplateValue?
        for command in pipeline.commands { value = try evaluate(command, dot, piped: value) }
        let result = value ?? TemplateValue(.null)
        for name in pipeline.variables { set(name, result, assigns: pipeline.assigns) }
        return result
    }

    private mutating func evaluate(
        _ command: TemplateCommand, _ dot: TemplateValue, piped: TemplateValue?
    ) throws(TemplateFailure) -> TemplateValue {
        let first = command.operands[0]
        let rest = command.operands.dropFirst()
        if case .function(let name) = first.kind, let function = TemplateFunction(rawValue: name) {
            return try fields(of: try call(function, command, rest, dot, piped), first)
        }
        if let method = method(of: first) {
            var values: [TemplateValue] = []
            for operand in rest { values.append(try evaluate(operand, dot)) }
            if let piped { values.append(piped) }
            guard values.count == 1, let argument = values[0].json.string else {
                throw .executing(first, "wrong number of args for \(first.fields[0]): want 1 got \(values.count)")
            }
            return TemplateValue(.string(method(argument)))
        }
        guard rest.isEmpty, piped == nil else {
            if let name = first.fields.last {
                throw .executing(first, "\(name) has arguments but cannot be invoked as function")
            }
            throw .executing(first, "can't give argument to non-function \(first.source)")
        }
        if case .null = first.kind { throw .executing(first, "nil is not a command") }
        return try evaluate(first, dot)
    }

    private func method(of operand: TemplateOperand) -> ((String) -> String)? {
        guard operand.fields.count == 1 else { return nil }
        switch operand.kind {
        case .dot, .variable("$"): return methods[operand.fields[0]]
        default: return nil
        }
    }

    private mutating func call(
        _ function: TemplateFunction, _ command: TemplateCommand, _ operands: ArraySlice<TemplateOperand>,
        _ dot: TemplateValue, _ piped: TemplateValue?
    ) throws(TemplateFailure) -> TemplateValue {
        let first = command.operands[0]
        do throws(FunctionFailure) { try function.checkCount(operands.count + (piped == nil ? 0 : 1)) } catch {
            throw .executing(first, error.message)
        }
        var values: [TemplateValue] = []
        for operand in operands {
            let value = try evaluate(operand, dot)
            values.append(value)
            // `and` and `or` look no further than they must.
            if function == .and && !value.isTrue || function == .or && value.isTrue { return value }
        }
        if let piped { values.append(piped) }
        do throws(FunctionFailure) { return try function.call(values) } catch {
            var whole = first
            whole.source = command.source
            throw .executing(whole, error.message)
        }
    }

    private mutating func evaluate(
        _ operand: TemplateOperand, _ dot: TemplateValue
    ) throws(TemplateFailure) -> TemplateValue {
        let value: TemplateValue =
            switch operand.kind {
            case .dot: dot
            case .variable(let name): variables.last { $0.name == name }?.value ?? TemplateValue(.null)
            case .literal(let json): TemplateValue(json)
            case .null: TemplateValue(.null)
            case .pipeline(let pipeline): try evaluate(pipeline, dot)
            case .function(let name):
                try evaluate(TemplateCommand(operands: [operand], source: name), dot, piped: nil)
            }
        if case .function = operand.kind { return value }
        return try fields(of: value, operand)
    }

    private func fields(
        of value: TemplateValue, _ operand: TemplateOperand
    ) throws(TemplateFailure) -> TemplateValue {
        var found = value
        for (index, name) in operand.fields.enumerated() {
            switch found.json {
            case .object(let object):
                guard let member = found.member(name, of: object) else {
                    throw .executing(operand, "map has no entry for key \"\(name)\"")
                }
                found = member
            case .null where found.isOpen: found = TemplateValue(.null)
            case .null where index > 0 && found.nullText == "<nil>":
                throw .executing(operand, "map has no entry for key \"\(operand.fields[index - 1])\"")
            case .null: throw .executing(operand, "nil pointer evaluating interface {}.\(name)")
            default: throw .executing(operand, "can't evaluate field \(name) in type \(found.type)")
            }
        }
        return found
    }
}

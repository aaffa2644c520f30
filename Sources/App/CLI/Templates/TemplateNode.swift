import JSON

/// What a template consists of, as Go's text/template/parse has it.
indirect enum TemplateNode {
    case text(String)
    case action(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    /// As a condition, with the pipeline's value as the dot.
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case leave(TemplateLoopExit)
    /// Another template by its name, with the pipeline's value as the dot; nil for none.
    case template(String, TemplatePipeline?)
}

enum TemplateLoopExit { case `break`, `continue` }

/// `$a, $b := first | second`
struct TemplatePipeline {
    var variables: [String] = []
    /// Whether the variables are there already (`=`).
    var assigns = false
    var commands: [TemplateCommand] = []
}

/// Operands beside each other: the first may be a function, or a method, of the others.
struct TemplateCommand {
    var operands: [TemplateOperand]
    let source: String
}

struct TemplateOperand {
    indirect enum Kind {
        case dot
        case variable(String)
        case function(String)
        case literal(JSONValue)
        case null
        case pipeline(TemplatePipeline)
    }

    var kind: Kind
    /// The fields looked up in it, one in the other.
    var fields: [String] = []
    /// As it is written, and how many bytes after the template's beginning, as messages tell it.
    var source: String
    var offset: Int
}

/// What is wrong with a template, or with a value for it, in Go's words.
struct TemplateFailure: Error {
    let message: String

    static func parsing(_ message: String) -> TemplateFailure {
        TemplateFailure(message: "template parsing error: template: :1: \(message)")
    }

    static func executing(_ operand: TemplateOperand, _ message: String) -> TemplateFailure {
        // docker says so of both.
        TemplateFailure(
            message: "template parsing error: template: :1:\(operand.offset): executing \"\" at <\(operand.source)>: "
                + message)
    }
}

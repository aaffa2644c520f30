import JSON

/// A `--format` template as Go's text/template reads it, with docker's functions, over a JSON value: fields, variables,
/// pipelines, `if`, `with`, `range`, `define`, `template`, comparisons, `printf`. What is not here (`call`) is refused.
struct Template {
    typealias Failure = TemplateFailure

    private let nodes: [TemplateNode]
    private let definitions: [String: [TemplateNode]]

    init(_ text: String) throws(Failure) {
        var parser = try TemplateParser(text)
        nodes = try parser.template()
        definitions = parser.definitions
    }

    /// What `--format` asks for: `json`, or a template.
    static func format(_ text: String) throws(UsageError) -> Template {
        do throws(Failure) { return try Template(text == "json" ? "{{json .}}" : text) } catch {
            throw UsageError(message: error.message, code: 64)
        }
    }

    /// What `--format` asks for, of one value.
    static func filled(_ text: String, with value: JSONValue) throws(UsageError) -> String {
        let template = try format(text)
        do throws(Failure) { return try template.render(value) } catch {
            throw UsageError(message: error.message, code: 64)
        }
    }

    /// The template filled in; a name that is not there is an error, as in docker.
    ///
    /// - Parameter methods: what can be called by its name with a string, as in `{{.Label "key"}}`.
    func render(_ value: JSONValue, methods: TemplateEvaluation.Methods = [:]) throws(Failure) -> String {
        var evaluation = TemplateEvaluation(value, methods: methods, definitions: definitions)
        try evaluation.run(nodes)
        return evaluation.text
    }
}

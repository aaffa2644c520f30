import EngineAPI
import Expressions
import JSON

/// What a container's log says with each line: its tag, and those of its labels and variables that were asked for. Pure.
struct LogAttributes {
    let id: String
    let name: String
    let definition: ContainerDefinition

    private var options: [String: String] { definition.spec.log.options }

    /// Docker's `attrs` of a json-file; empty where nothing was asked for.
    ///
    /// - Throws: `invalid` for a pattern or a tag that cannot be read.
    var json: String {
        get throws(EngineError) {
            var attributes = try chosen
            if let tag = options["tag"], !tag.isEmpty { attributes["tag"] = try expanded(tag) }
            if attributes.isEmpty { return "" }
            let members = attributes.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
            return JSONValue.object(JSONObject(members)).compactText
        }
    }

    /// The journal's fields, as docker names them.
    var journalFields: String {
        get throws(EngineError) {
            let tag = try tag
            var fields = [
                "CONTAINER_ID": String(id.prefix(12)), "CONTAINER_ID_FULL": id, "CONTAINER_NAME": name,
                "CONTAINER_TAG": tag, "IMAGE_NAME": definition.spec.image, "SYSLOG_IDENTIFIER": tag,
            ]
            for (name, value) in try chosen { fields[Self.fieldName(name)] = value }
            // A line end would begin another field.
            return fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.replacing("\n", with: " "))" }
                .joined(separator: "\n")
        }
    }

    /// What lines are called by elsewhere: the short id where nothing else is said.
    var tag: String {
        get throws(EngineError) { try expanded(options["tag"].flatMap { $0.isEmpty ? nil : $0 } ?? "{{.ID}}") }
    }

    /// The journal takes capitals, digits and underscores, and none of these first.
    private static func fieldName(_ name: String) -> String {
        let word = name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "_" }.joined()
        return String(word.drop { $0 == "_" })
    }

    /// The labels and variables that were asked for.
    var chosen: [String: String] {
        get throws(EngineError) {
            var variables: [String: String] = [:]
            for entry in definition.environment {
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
            }
            let labels = try Self.choose(from: definition.labels, options["labels"], options["labels-regex"])
            let environment = try Self.choose(from: variables, options["env"], options["env-regex"])
            return labels.merging(environment) { _, variable in variable }
        }
    }

    private static func choose(
        from values: [String: String], _ names: String?, _ pattern: String?
    ) throws(EngineError) -> [String: String] {
        let wanted = Set((names ?? "").split(separator: ",").map { String($0.drop { $0 == " " }) })
        guard let pattern, !pattern.isEmpty else { return values.filter { wanted.contains($0.key) } }
        var finder: ExpressionFinder
        do throws(ExpressionError) { finder = ExpressionFinder(try Expression(pattern)) } catch {
            throw EngineError(.invalid, "invalid log pattern `\(pattern)`: \(error.message)")
        }
        return values.filter { wanted.contains($0.key) || finder.isFound(in: $0.key) }
    }

    private func expanded(_ template: String) throws(EngineError) -> String {
        let imageID = definition.imageID
        let digits = imageID.hasPrefix("sha256:") ? imageID.dropFirst(7) : imageID[...]
        let words = [
            "ID": String(id.prefix(12)), "FullID": id, "Name": name, "ImageName": definition.spec.image,
            "ImageID": String(digits.prefix(12)), "ImageFullID": imageID, "DaemonName": "docker",
        ]
        var text = ""
        var rest = template[...]
        while let start = rest.firstRange(of: "{{") {
            text += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
                throw EngineError(.invalid, "invalid log tag `\(template)`: unclosed action")
            }
            let name = rest[start.upperBound..<end.lowerBound].filter { $0 != " " }
            guard name.hasPrefix("."), let word = words[String(name.dropFirst())] else {
                throw EngineError(.invalid, "invalid log tag `\(template)`: nothing is known of {{\(name)}}")
            }
            text += word
            rest = rest[end.upperBound...]
        }
        return text + rest
    }
}

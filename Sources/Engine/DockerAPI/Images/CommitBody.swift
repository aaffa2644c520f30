import EngineAPI
import JSON

extension ContainerCommitRequest {
    /// Reads the query and the body of `POST /commit`. The body is a container's configuration; what it says stands
    /// before the changes.
    package init(dockerQuery query: QueryString, body: BodyReader) throws(EngineError) {
        self.init()
        let tag = query["tag"].flatMap { $0.isEmpty ? nil : $0 }
        name = query["repo"].flatMap { $0.isEmpty ? nil : $0 + (tag.map { ":\($0)" } ?? "") }
        author = query["author"] ?? ""
        message = query["comment"] ?? ""
        pauses = query.flag("pause", default: true)
        changes = try Self.instructions(body) + query.all("changes")
    }

    package func dockerQuery(container: String) -> QueryString {
        var query = QueryString()
        query.add("container", container)
        if let name {
            let (repository, tag) = ImageName.parts(name)
            query.add("repo", repository)
            query.add("tag", tag)
        }
        query.add("author", author.isEmpty ? nil : author)
        query.add("comment", message.isEmpty ? nil : message)
        query.add("pause", pauses ? "1" : "0")
        for change in changes { query.add("changes", change) }
        return query
    }

    private static func instructions(_ config: BodyReader) throws(EngineError) -> [String] {
        var list: [String] = []
        if let words = try config.words("Entrypoint"), !words.isEmpty { list.append("ENTRYPOINT \(json(words))") }
        if let words = try config.words("Cmd"), !words.isEmpty { list.append("CMD \(json(words))") }
        for entry in try config.texts("Env") ?? [] {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            list.append("ENV \(parts[0])=\(quoted(parts.count == 2 ? parts[1] : ""))")
        }
        for (name, value) in try config.textMap("Labels").sorted(by: { $0.key < $1.key }) {
            list.append("LABEL \(quoted(name))=\(quoted(value))")
        }
        for (member, word) in [("User", "USER"), ("WorkingDir", "WORKDIR"), ("StopSignal", "STOPSIGNAL")] {
            if let text = try config.filledText(member) { list.append("\(word) \(quoted(text))") }
        }
        for (member, word) in [("ExposedPorts", "EXPOSE"), ("Volumes", "VOLUME")] {
            for (name, _) in try config.objectMap(member) {
                list.append("\(word) \(quoted(name))")
            }
        }
        return list
    }

    private static func json(_ words: [String]) -> String { JSONValue.texts(words).compactText }

    /// As a Dockerfile's reader takes it for one word, with no variable in it.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
    }
}

/// An image's name as the API's queries part it.
package enum ImageName {
    /// What `fromImage` and `tag` of a pull mean together: the tag, which may be a digest, wins over the name's own; but
    /// a name with a digest says already what is pulled. Older clients ask for all tags by a colon at the name's end.
    package static func pulled(_ name: String, tag: String) -> String {
        let name = name.hasSuffix(":") ? String(name.dropLast()) : name
        if tag.isEmpty { return name }
        if tag.contains(":") { return "\(parts(name).name)@\(tag)" }
        return name.contains("@") ? name : "\(parts(name).name):\(tag)"
    }

    /// The name and what stands after it: a tag, or a digest.
    package static func parts(_ reference: String) -> (name: String, tag: String?) {
        if let at = reference.firstIndex(of: "@") {
            return (String(reference[..<at]), String(reference[reference.index(after: at)...]))
        }
        let last = reference.lastIndex(of: "/") ?? reference.startIndex
        guard let colon = reference[last...].lastIndex(of: ":") else { return (reference, nil) }
        return (String(reference[..<colon]), String(reference[reference.index(after: colon)...]))
    }
}

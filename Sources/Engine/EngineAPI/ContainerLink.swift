/// Another container under a name of one's own: docker's `--link NAME:ALIAS`.
public struct ContainerLink: Hashable, Sendable, Codable {
    /// The other's name or id, as it was said.
    public var name: String
    public var alias: String
    /// The other's id, once it is known: its name may become somebody else's.
    public var id: String?

    public init(name: String, alias: String) {
        self.name = name
        self.alias = alias
    }

    /// Reads `NAME:ALIAS`, a name alone, and what an inspection tells: `/NAME:/OWNER/ALIAS`.
    ///
    /// - Throws: `invalid`, in docker's words.
    public init(_ text: String) throws(EngineError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard !text.isEmpty else { throw EngineError(.invalid, "empty string specified for links") }
        // They become words of files, line by line.
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.properties.isWhitespace }
        guard parts.count <= 2, !parts.contains(""), isPlain else {
            throw EngineError(.invalid, "bad format for links: \(isPlain ? text : text.debugDescription)")
        }
        let (name, alias) = (parts[0], parts[parts.count - 1])
        if name.hasPrefix("/"), parts.count == 2 {
            let last = alias.split(separator: "/").last.map(String.init) ?? alias
            self.init(name: String(name.dropFirst()), alias: last)
        } else {
            self.init(name: name, alias: alias)
        }
    }

    /// `NAME:ALIAS`
    public var text: String { "\(name):\(alias)" }
}

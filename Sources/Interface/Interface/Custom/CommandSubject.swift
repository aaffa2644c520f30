import EngineAPI

/// What a command of the user's is asked of, as words can name it.
struct CommandSubject: Hashable, Sendable {
    enum Kind: String, CaseIterable, Hashable, Sendable {
        case container, project, image, network, volume
        /// The engine as a whole: nothing need be chosen.
        case engine

        /// What of it can be put into a word: `{name}`.
        var fields: [String] {
            switch self {
            case .container: ["id", "name", "image", "image-id", "state", "project", "service", "address", "port"]
            case .project: ["name", "directory", "files"]
            case .image, .network: ["id", "name"]
            case .volume: ["name", "directory"]
            case .engine: ["host"]
            }
        }

        /// Where keys for it hold.
        var contexts: Set<KeyContext> {
            switch self {
            case .container, .project, .engine: KeyContext.panels
            case .image: [.images]
            case .network: [.networks]
            case .volume: [.volumes]
            }
        }
    }

    let kind: Kind
    /// What people call it.
    let name: String
    /// By name; one that is empty is not there.
    let fields: [String: String]

    /// A word with the facts put in that it names.
    ///
    /// - Throws: `FormError` where one of them is not there.
    func filled(_ word: String) throws(FormError) -> String {
        var text = ""
        var end = word.startIndex
        for place in Self.places(in: word) {
            guard let value = fields[place.name], !value.isEmpty else {
                throw FormError("\(name) has no `\(place.name)`")
            }
            text += word[end..<place.range.lowerBound] + value
            end = place.range.upperBound
        }
        return text + word[end...]
    }

    /// Where a word names facts: small letters in braces. Those of docker's templates (`{{json .}}`) and of a shell's
    /// variables (`${name}`) are left alone.
    static func places(in word: String) -> [(name: String, range: Range<String.Index>)] {
        var found: [(name: String, range: Range<String.Index>)] = []
        var before: Character = " "
        var rest = word.startIndex
        while rest < word.endIndex {
            let sign = word[rest]
            let inner = word[word.index(after: rest)...].prefix { $0 == "-" || ("a"..."z").contains($0) }
            if sign == "{", before != "{", before != "$", !inner.isEmpty, inner.endIndex < word.endIndex,
                word[inner.endIndex] == "}"
            {
                let end = word.index(after: inner.endIndex)
                found.append((String(inner), rest..<end))
                (before, rest) = ("}", end)
            } else {
                before = sign
                word.formIndex(after: &rest)
            }
        }
        return found
    }
}

extension CommandSubject {
    init(_ container: ContainerSummary) {
        let address = container.networks.lazy.map(\.ipv4Address).first { !$0.isEmpty }
        self.init(
            kind: .container, name: container.name,
            fields: [
                "id": container.id, "name": container.name, "image": container.image, "image-id": container.imageID,
                "state": container.state.status.rawValue, "project": container.project ?? "",
                "service": container.labels["com.docker.compose.service"] ?? "", "address": address ?? "",
                "port": container.portAddresses.first ?? "",
            ])
    }

    /// - Parameter members: containers of the project, one at least.
    init(project name: String, _ members: [ContainerSummary]) {
        func label(_ name: String) -> String {
            members.lazy.compactMap { $0.labels["com.docker.compose.project.\(name)"] }.first { !$0.isEmpty } ?? ""
        }
        self.init(
            kind: .project, name: name,
            fields: ["name": name, "directory": label("working_dir"), "files": label("config_files")])
    }

    init(_ row: ImageRow) {
        self.init(kind: .image, name: row.displayName, fields: ["id": row.image.id, "name": row.id])
    }

    init(_ network: NetworkDetails) {
        self.init(kind: .network, name: network.spec.name, fields: ["id": network.id, "name": network.spec.name])
    }

    init(_ volume: VolumeDetails) {
        self.init(
            kind: .volume, name: volume.spec.name,
            fields: ["name": volume.spec.name, "directory": volume.mountpoint])
    }
}

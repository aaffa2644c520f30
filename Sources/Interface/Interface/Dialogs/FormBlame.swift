import EngineAPI

extension Form {
    /// Says what the engine refused at the field that it is about, where its words tell which that is.
    mutating func complain(of error: EngineError) { complain(error.message, at: blamed(for: error)) }

    /// What is wrong: of the field that one is at, else of the form, else of the first field that has something.
    var complaint: String? {
        if fields.indices.contains(focus), let error = fields[focus].error { return error }
        if let error { return error }
        return fields.first { $0.error != nil }.map { "\($0.label): \($0.error ?? "")" }
    }

    private func blamed(for error: EngineError) -> Field.Name? {
        if error.kind == .commandNotFound || error.kind == .commandNotExecutable { return .command }
        let words = error.message.lowercased()
        return Self.signs.first { name, signs in self[name] != nil && signs.contains { words.contains($0) } }?.name
    }

    /// Docker's words for what can be wrong, the most telling first: a message names more than one thing.
    private static let signs: [(name: Field.Name, signs: [String])] = [
        (.name, ["container name", "is already in use by container", "a volume named", "network with name"]),
        (.autoRemove, ["autoremove"]), (.restart, ["restart policy"]),
        (
            .ports,
            [
                "port is already allocated", "address already in use", "host port", "invalid port",
                "external connectivity",
            ]
        ),
        (.mounts, ["bind source path", "mount", "volume"]),
        (.image, ["no such image", "image not known", "manifest"]), (.cpus, ["cpus", "cpu quota"]),
        (.memory, ["memory", "swap"]), (.pids, ["pids"]), (.environment, ["environment"]),
        (.directory, ["working directory", "chdir to cwd"]),
        (.user, ["unable to find user", "unable to find group", "no matching entries"]),
        (.mode, ["mode"]), (.options, ["com.docker.network"]), (.range, ["ip-range", "ip range"]),
        (.subnet, ["pool", "subnet", "overlap"]), (.address, ["gateway", "ip address", "address"]),
        (.device, ["parent", "device"]), (.network, ["network"]), (.container, ["container"]),
        (.reference, ["reference", "manifest", "repository", "pull access"]), (.target, ["could not find the file"]),
        (.path, ["no such file", "archive"]),
    ]
}

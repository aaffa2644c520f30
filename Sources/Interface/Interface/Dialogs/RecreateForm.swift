import EngineAPI
import Terminal

/// What a container that is to be made once more was made from.
struct Original: Hashable, Sendable {
    let target: EngineAction.Target
    let isActive: Bool
    /// With its volumes by their names, its networks as they have become, and without what only repeats its image.
    let spec: ContainerSpec

    /// - Parameter mounts: as the engine lists them, with the names of volumes that were asked for without one.
    init(_ details: ContainerDetails, _ image: ImageDetails?, mounts: [MountSpec]) {
        target = EngineAction.Target(id: details.id, name: details.name)
        isActive = details.state.isActive
        var spec = image.map { details.spec.leavingOut($0) } ?? details.spec
        let short = String(details.id.prefix(12))
        if spec.hostname == short { spec.hostname = nil }
        spec.leaveOutPodmansVariables(hostnames: [short, details.hostname])
        spec.take(namesOf: mounts)
        // What another engine calls its default network.
        if spec.networkMode?.rawValue ?? "default" == "default" { spec.networkMode = .bridge }
        if spec.networkMode?.network != nil {
            for endpoint in details.networks where spec.networks[endpoint.networkName] == nil {
                spec.networks[endpoint.networkName] = endpoint.spec
            }
        }
        // An engine may give the id as a further name.
        for name in spec.networks.keys { spec.networks[name]?.aliases.removeAll { $0 == short } }
        self.spec = spec
    }
}

extension ContainerSpec {
    /// Without what the image says by itself, so that a newer image says it anew.
    fileprivate func leavingOut(_ image: ImageDetails) -> ContainerSpec {
        var spec = self
        if spec.entrypoint ?? image.entrypoint == image.entrypoint {
            spec.entrypoint = nil
            if spec.command ?? image.command == image.command { spec.command = nil }
        }
        spec.environment.removeAll { image.environment.contains($0) }
        if (spec.workingDirectory ?? "") == image.workingDirectory { spec.workingDirectory = nil }
        if (spec.user ?? "") == image.user { spec.user = nil }
        if spec.stopSignal == image.stopSignal { spec.stopSignal = nil }
        if spec.healthCheck == image.healthCheck { spec.healthCheck = nil }
        // An engine lists what the image says among what was asked for.
        let told = image.exposedPorts.compactMap { ContainerPort($0) } + spec.portBindings.map(\.port)
        spec.exposedPorts.removeAll { told.contains($0) }
        spec.anonymousVolumes.removeAll { image.volumes.contains($0) }
        spec.labels = spec.labels.filter { image.summary.labels[$0.key] != $0.value }
        return spec
    }

    /// Podman lists among what was asked for the variables that it gives every container. It gives them anew.
    fileprivate mutating func leaveOutPodmansVariables(hostnames: [String]) {
        guard environment.contains("container=podman") else { return }
        let given: Set = [
            "container=podman", "TERM=xterm", "HOME=/root", "HOME=/",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        environment.removeAll { given.contains($0) || hostnames.map { "HOSTNAME=\($0)" }.contains($0) }
    }

    /// Volumes without a name are meant by the one that they were given.
    fileprivate mutating func take(namesOf known: [MountSpec]) {
        for mount in known where mount.kind == .volume && !mount.source.isEmpty {
            if let index = mounts.firstIndex(where: { $0.target == mount.target }) {
                if mounts[index].kind == .volume { mounts[index].source = mount.source }
            } else {
                mounts.append(mount)
            }
        }
    }

    /// The networks that a container joins beside that of its mode.
    var networksBeside: [String: EndpointSpec] { networks.filter { $0.key != networkMode?.network } }
}

extension Form {
    /// A container's settings, to make it anew with others.
    static func recreate(_ original: Original, images: [ImageSummary], networks: [String]) -> Form {
        let mode = original.spec.networkMode?.rawValue ?? networks.first ?? ""
        let names = networks.contains(mode) ? networks : [mode] + networks
        let plain = newContainer(images: images, networks: names)
        var form = Form(.recreate(original), title: "recreate \(original.target.name)", fields: plain.fields)
        for index in form.fields.indices { form.fields[index].show(original) }
        return form
    }

    /// What is to be made in place of the original: what was not changed in the form is as it was, also where the form
    /// could not tell all of it.
    func recreatedSpec(of original: Original) throws(FormError) -> ContainerSpec {
        let asked = try containerSpec()
        var spec = original.spec
        spec.image = asked.image
        if isChanged(.command, of: original) { spec.command = asked.command }
        if isChanged(.tty, of: original) { (spec.tty, spec.openStdin) = (asked.tty, asked.openStdin) }
        if isChanged(.memory, of: original) {
            (spec.limits.memoryBytes, spec.limits.memorySwapBytes) = (asked.limits.memoryBytes, nil)
        }
        if isChanged(.cpus, of: original) { spec.limits.nanoCPUs = asked.limits.nanoCPUs }
        if isChanged(.pids, of: original) { spec.limits.pids = asked.limits.pids }
        if isChanged(.mounts, of: original) { spec.mounts = asked.mounts }
        if isChanged(.environment, of: original) { spec.environment = asked.environment }
        if isChanged(.ports, of: original) { spec.portBindings = asked.portBindings }
        if isChanged(.user, of: original) { spec.user = asked.user }
        if isChanged(.directory, of: original) { spec.workingDirectory = asked.workingDirectory }
        if isChanged(.restart, of: original) { spec.restartPolicy = asked.restartPolicy }
        spec.autoRemove = asked.autoRemove
        if isChanged(.network, of: original) {
            spec.networks = asked.networkMode?.network == nil ? [:] : original.spec.networksBeside
            spec.networkMode = asked.networkMode
        }
        return spec
    }

    private func isChanged(_ name: Field.Name, of original: Original) -> Bool {
        guard let field = self[name] else { return false }
        var before = field
        before.show(original)
        return field.text.trimmingSpaces != before.text.trimmingSpaces
    }
}

extension MountSpec {
    /// As the form has it, which cannot tell all of it.
    var formWord: String { kind == .tmpfs ? "tmpfs:\(target)" : words[1] }
}

extension Field {
    /// Shows what the original has.
    fileprivate mutating func show(_ original: Original) {
        let spec = original.spec
        if name == .mounts { known = spec.mounts }
        switch kind {
        case .toggle: kind = .toggle(name == .tty ? spec.tty : spec.autoRemove)
        case .choice(let options, _) where name == .network || name == .restart:
            let wanted = name == .network ? spec.networkMode?.rawValue ?? "" : spec.restartPolicy.kind.rawValue
            kind = .choice(options, options.firstIndex(of: wanted) ?? 0)
        case .choice, .text:
            let text = text(of: original)
            // An image that is here is a choice among the others.
            let place = offered.firstIndex { $0 == text || $0 == "\(text):latest" }
            kind = place.map { .choice(offered, $0) } ?? .text(LineEditor(text))
        }
    }

    private func text(of original: Original) -> String {
        let spec = original.spec
        func words(_ list: [String]) -> String { list.map(ShellWord.quoted).joined(separator: " ") }
        return switch name {
        case .image: spec.image
        case .name: original.target.name
        case .command: words(spec.command ?? [])
        case .memory: spec.limits.memoryBytes.flatMap(LimitText.bytes) ?? ""
        case .cpus: spec.limits.nanoCPUs.flatMap(LimitText.cpus) ?? ""
        case .pids: spec.limits.pids.flatMap { $0 > 0 ? "\($0)" : nil } ?? ""
        case .mounts: words(spec.mounts.map(\.formWord))
        case .environment: words(spec.environment)
        case .ports: words(spec.portBindings.map(\.words))
        case .user: spec.user ?? ""
        case .directory: spec.workingDirectory ?? ""
        default: ""
        }
    }
}

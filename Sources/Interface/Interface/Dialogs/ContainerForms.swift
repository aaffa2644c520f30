import EngineAPI
import Terminal

extension Form {
    /// A new container. With the images of the store to choose from; the one given first.
    ///
    /// - Parameter networks: by name; the first is the engine's default.
    static func newContainer(
        images: [ImageSummary], preferred: String? = nil, networks: [String] = Form.builtInNetworks
    ) -> Form {
        let names = images.flatMap { $0.tags.isEmpty ? [String($0.id.dropFirst(7).prefix(12))] : $0.tags }
        let index = preferred.flatMap { names.firstIndex(of: $0) } ?? 0
        var image = Field(
            name: .image, label: "Image", placeholder: "nginx, postgres:16; pulled where it is not here",
            kind: .text(LineEditor()))
        image.isRequired = true
        image.isOpen = true
        image.offer(names, choosing: index)
        return Form(
            .newContainer, title: "new container",
            fields: [
                image,
                Field(name: .name, label: "Name", placeholder: "made up by the engine", kind: .text(LineEditor())),
                Field(name: .command, label: "Command", placeholder: "the image's own", kind: .text(LineEditor())),
                Field(name: .tty, label: "Terminal", kind: .toggle(true)),
                restartField(.no),
                Field(name: .memory, label: "Memory", placeholder: "no limit; 64m, 1g", kind: .text(LineEditor())),
                Field(name: .cpus, label: "CPUs", placeholder: "no limit; 0.5, 2", kind: .text(LineEditor())),
                Field(name: .pids, label: "Processes", placeholder: "no limit; 100", kind: .text(LineEditor())),
                Field(
                    name: .mounts, label: "Mounts", placeholder: "/host/path:/path[:ro] volume:/path tmpfs:/path",
                    kind: .text(LineEditor())),
                Field(
                    name: .environment, label: "Environment", placeholder: "NAME=value OTHER='two words'",
                    kind: .text(LineEditor())),
                Field(name: .network, label: "Network", kind: .choice(networks, 0)),
                Field(name: .ports, label: "Ports", placeholder: "8080:80 53:53/udp", kind: .text(LineEditor())),
                Field(
                    name: .user, label: "User", placeholder: "the image's; root, 1000:1000", kind: .text(LineEditor())),
                Field(
                    name: .directory, label: "Directory", placeholder: "the image's; /path", kind: .text(LineEditor())),
                Field(name: .autoRemove, label: "Remove at end", kind: .toggle(false)),
            ])
    }

    static func restartField(_ policy: RestartPolicy.Kind) -> Field {
        let kinds = RestartPolicy.Kind.allCases
        return Field(
            name: .restart, label: "Restart",
            kind: .choice(kinds.map(\.rawValue), kinds.firstIndex(of: policy) ?? 0))
    }

    /// The policy that is chosen; nil where the form has none.
    var restartKind: RestartPolicy.Kind? { self[.restart].flatMap { RestartPolicy.Kind(rawValue: $0.text) } }

    static let builtInNetworks = ["bridge", "none", "host"]

    static func rename(_ target: EngineAction.Target) -> Form {
        var field = Field(name: .name, label: "New name", kind: .text(LineEditor(target.name)))
        field.isRequired = true
        return Form(.rename(target), title: "rename \(target.name)", fields: [field])
    }

    static func exec(_ target: EngineAction.Target) -> Form {
        var command = Field(name: .command, label: "Command", kind: .text(LineEditor("sh")))
        command.isRequired = true
        return Form(
            .exec(target), title: "exec in \(target.name)",
            fields: [
                command,
                Field(
                    name: .user, label: "User", placeholder: "the container's; root, 1000:1000",
                    kind: .text(LineEditor())),
                Field(name: .tty, label: "Terminal", kind: .toggle(true)),
            ])
    }

    /// What the form asks the engine to create; its fields must be valid.
    func containerSpec() throws(FormError) -> ContainerSpec {
        var spec = ContainerSpec(image: text(.image) ?? "")
        if let command = text(.command) { spec.command = try FormValidation.words(of: command) }
        spec.tty = self[.tty]?.isOn ?? false
        spec.openStdin = spec.tty
        spec.attachStdin = spec.tty
        spec.limits.memoryBytes = text(.memory).flatMap(FormValidation.bytes)
        spec.limits.nanoCPUs = text(.cpus).flatMap(FormValidation.nanoCPUs)
        spec.limits.pids = text(.pids).flatMap { Int64($0) }
        if let mounts = text(.mounts) {
            spec.mounts = try FormValidation.mounts(mounts, known: self[.mounts]?.known ?? [])
        }
        if let variables = text(.environment) { spec.environment = try FormValidation.words(of: variables) }
        if let ports = text(.ports) { spec.portBindings = try FormValidation.ports(ports) }
        spec.networkMode = self[.network].flatMap { NetworkMode(rawValue: $0.text) }
        spec.user = text(.user)
        spec.workingDirectory = text(.directory)
        spec.restartPolicy = RestartPolicy(restartKind ?? .no)
        spec.autoRemove = self[.autoRemove]?.isOn ?? false
        guard !spec.autoRemove || spec.restartPolicy.kind == .no else {
            throw FormError("what is started again cannot be removed at its end", at: .autoRemove)
        }
        return spec
    }

    func execSpec() throws(FormError) -> ExecSpec {
        var spec = ExecSpec(command: try FormValidation.words(of: text(.command) ?? "sh"))
        spec.user = text(.user)
        spec.tty = self[.tty]?.isOn ?? true
        spec.attachStdin = true
        return spec
    }
}

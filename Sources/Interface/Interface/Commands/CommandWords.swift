import EngineAPI

extension EngineAction {
    /// The words of docker's command line that asks for the same, without the program's name. A table of the actions.
    var commandWords: [String] {
        switch self {
        case .run(let spec, let name, _): spec.runWords(name: name)
        case .recreate(_, let spec, let name, _): spec.runWords(name: name)
        // Its steps are in none of docker's commands.
        case .endRecreation: []
        case .start(let target): ["start", target.name]
        case .stop(let target): ["stop", target.name]
        case .restart(let target): ["restart", target.name]
        case .kill(let target, let signal): ["kill", "-s", signal, target.name]
        case .pause(let target): ["pause", target.name]
        case .unpause(let target): ["unpause", target.name]
        case .rename(let target, let name): ["rename", target.name, name]
        case .update(let target, let update): ["update"] + update.words + [target.name]
        case .remove(let target, let force, let volumes):
            ["rm"] + (force ? ["-f"] : []) + (volumes ? ["-v"] : []) + [target.name]
        case .load(let path): ["load", "-i", path]
        case .copyOut(let target, let path, let place): ["cp", "\(target.name):\(path)", place]
        case .copyIn(let target, let source, let path): ["cp", source, "\(target.name):\(path)"]
        // Asks nothing of the engine.
        case .saveText, .program: []
        case .removeImage(let target, let force): ["rmi"] + (force ? ["-f"] : []) + [target.name]
        case .pull(let name): ["pull", name]
        case .tagImage(let target, let name): ["tag", target.name, name]
        case .pruneImages(let all): ["image", "prune", "-f"] + (all ? ["-a"] : [])
        case .pruneContainers: ["container", "prune", "-f"]
        case .createNetwork(let spec): spec.createWords
        case .removeNetwork(let target): ["network", "rm", target.name]
        case .pruneNetworks: ["network", "prune", "-f"]
        case .connect(let container, let network, let spec):
            ["network", "connect"] + spec.words + [network.name, container]
        case .disconnect(let container, let network): ["network", "disconnect", network.name, container.name]
        case .createVolume(let spec):
            ["volume", "create"] + spec.options.sorted { $0.key < $1.key }.flatMap { ["-o", "\($0.key)=\($0.value)"] }
                + (spec.name.isEmpty ? [] : [spec.name])
        case .removeVolume(let name): ["volume", "rm", name]
        case .pruneVolumes: ["volume", "prune", "-af"]
        }
    }
}

extension ContainerSpec {
    /// `run` with what the form can ask for.
    func runWords(name: String?) -> [String] {
        var words = ["run", tty ? "-it" : "-d"]
        func option(_ flag: String, _ value: String?) {
            if let value, !value.isEmpty { words += [flag, value] }
        }
        option("--name", name)
        if autoRemove { words.append("--rm") }
        option("--restart", restartPolicy.kind == .no ? nil : restartPolicy.words)
        words += limits.words
        for mount in mounts { words += mount.words }
        for variable in environment { option("-e", variable) }
        option("--network", networkMode == .bridge ? nil : networkMode?.rawValue)
        for binding in portBindings { option("-p", binding.words) }
        option("-u", user)
        option("-w", workingDirectory)
        return words + [image] + (command ?? [])
    }
}

extension ExecSpec {
    func words(in name: String) -> [String] {
        ["exec", tty ? "-it" : "-i"] + (user.map { ["-u", $0] } ?? []) + [name] + command
    }
}

extension ContainerUpdate {
    fileprivate var words: [String] { limits.words + (restartPolicy.map { ["--restart", $0.words] } ?? []) }
}

extension RestartPolicy {
    fileprivate var words: String {
        kind == .onFailure && maximumRetries > 0 ? "\(kind.rawValue):\(maximumRetries)" : kind.rawValue
    }
}

extension ResourceLimits {
    /// Those that a form has.
    fileprivate var words: [String] {
        func size(_ bytes: Int64) -> String { LimitText.bytes(bytes) ?? "\(bytes)" }
        return [
            memoryBytes.map { ["-m", size($0)] }, memorySwapBytes.map { ["--memory-swap", size($0)] },
            nanoCPUs.flatMap(LimitText.cpus).map { ["--cpus", $0] },
            cpuQuotaMicroseconds.map { ["--cpu-quota", "\($0)"] }, pids.map { ["--pids-limit", "\($0)"] },
        ].compactMap { $0 }.flatMap { $0 }
    }
}

extension MountSpec {
    var words: [String] {
        if kind == .tmpfs { return ["--tmpfs", target] }
        guard kind == .image || subpath != nil else { return ["-v", "\(source):\(target)" + (readOnly ? ":ro" : "")] }
        let fields =
            ["type=\(kind.rawValue)", "source=\(source)", "target=\(target)"] + (readOnly ? ["readonly"] : [])
            + (subpath.map { ["\(kind.rawValue)-subpath=\($0)"] } ?? [])
        return ["--mount", fields.joined(separator: ",")]
    }
}

extension PortBinding {
    var words: String {
        let host = hostAddress.isEmpty ? "" : "\(hostAddress.contains(":") ? "[\(hostAddress)]" : hostAddress):"
        let range = lastHostPort > hostPort ? "\(hostPort)-\(lastHostPort)" : "\(hostPort)"
        let left = hostPort == 0 ? host + (host.isEmpty ? "" : ":") : "\(host)\(range):"
        return "\(left)\(port.number)" + (port.transport == .tcp ? "" : "/\(port.transport)")
    }
}

extension NetworkSpec {
    fileprivate var createWords: [String] {
        var words = ["network", "create"]
        if driver != "bridge" { words += ["-d", driver] }
        for pool in pools {
            words += ["--subnet", pool.subnet]
            if let gateway = pool.gateway { words += ["--gateway", gateway] }
            if let range = pool.range { words += ["--ip-range", range] }
        }
        if enablesIPv6 { words.append("--ipv6") }
        if isInternal { words.append("--internal") }
        if isAttachable { words.append("--attachable") }
        for (name, value) in options.sorted(by: { $0.key < $1.key }) { words += ["-o", "\(name)=\(value)"] }
        return words + [name]
    }
}

extension EndpointSpec {
    fileprivate var words: [String] {
        aliases.flatMap { ["--alias", $0] } + (ipv4Address.map { ["--ip", $0] } ?? [])
            + (ipv6Address.map { ["--ip6", $0] } ?? [])
    }
}

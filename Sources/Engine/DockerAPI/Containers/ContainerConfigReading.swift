import EngineAPI
import JSON

extension ContainerSpec {
    /// Reads docker's `Config` and `HostConfig`, of a create request or of an inspect answer.
    init(config: BodyReader, host: BodyReader) throws(EngineError) {
        self.init(image: try config.text("Image"))
        entrypoint = try config.words("Entrypoint")
        command = try config.words("Cmd")
        environment = try config.texts("Env") ?? []
        workingDirectory = try config.filledText("WorkingDir")
        user = try config.filledText("User")
        hostname = try config.filledText("Hostname")
        domainname = try config.filledText("Domainname")
        labels = try config.textMap("Labels")
        tty = try config.flag("Tty")
        consoleSize = try host.terminalSize("ConsoleSize")
        openStdin = try config.flag("OpenStdin")
        stdinOnce = try config.flag("StdinOnce")
        attachStdin = try config.flag("AttachStdin")
        attachStdout = try config.flag("AttachStdout")
        attachStderr = try config.flag("AttachStderr")
        stopSignal = try config.filledText("StopSignal")
        stopTimeoutSeconds = try config.whole("StopTimeout").map { Int($0) }
        limits = try ResourceLimits(dockerBody: host)
        restartPolicy = try RestartPolicy(dockerBody: host.object("RestartPolicy")) ?? RestartPolicy()
        mounts = try MountReading.mounts(host)
        volumesFrom = try host.texts("VolumesFrom") ?? []
        volumeDriver = try host.filledText("VolumeDriver")
        for (path, _) in try config.objectMap("Volumes") {
            // What an image names without a slash is meant from the root, and docker's inspection tells it so. With a colon it
            // is no place: docker's CLI takes the `a` of `-v a:/data` for a drive, and sends all of it.
            guard path.hasPrefix("/") || !path.isEmpty && !path.contains(":") else {
                throw EngineError(.invalid, "invalid volume specification: '\(path)': mount path must be absolute")
            }
            anonymousVolumes.append(path)
        }
        try readIsolation(host)
        try readSharing(host)
        healthCheck = try HealthCheck(dockerBody: config.object("Healthcheck"))
        autoRemove = try host.flag("AutoRemove")
        try readNetworks(config, host)
        let log = try host.object("LogConfig")
        self.log = try LogPolicy(driver: log.text("Type"), options: log.textMap("Config"))
    }

    private mutating func readIsolation(_ host: BodyReader) throws(EngineError) {
        addedCapabilities = try host.texts("CapAdd") ?? []
        droppedCapabilities = try host.texts("CapDrop") ?? []
        privileged = try host.flag("Privileged")
        readOnlyRoot = try host.flag("ReadonlyRootfs")
        sysctls = try host.textMap("Sysctls")
        shmSizeBytes = try host.filledWhole("ShmSize")
        isolation = try host.filledText("Isolation")
        supplementaryGroups = try host.texts("GroupAdd") ?? []
        oomScoreAdjustment = try host.filledWhole("OomScoreAdj").map { Int($0) }
        for element in try host.objects("Ulimits") {
            let soft = try element.whole("Soft") ?? 0
            ulimits.append(
                Ulimit(name: try element.text("Name"), soft: soft, hard: try element.whole("Hard") ?? soft))
        }
        for option in try host.texts("SecurityOpt") ?? [] { try readSecurity(option) }
    }
}

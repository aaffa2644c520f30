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
        log = try LogPolicy(host.object("LogConfig"))
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

extension LogPolicy {
    fileprivate init(_ body: BodyReader) throws(EngineError) {
        self.init()
        let type = try body.text("Type")
        if !type.isEmpty {
            guard let known = Driver(rawValue: type) else {
                throw EngineError(
                    .invalid, "error looking up logging plugin \(type): plugin \"\(type)\" not found", object: type)
            }
            driver = known
        }
        // Docker's own limits for what is compact: a log that never ends does not fill the disk.
        if driver == .local { (maximumSizeBytes, maximumFiles) = (20 << 20, 5) }
        let said = try body.textMap("Config")
        words = said.isEmpty ? nil : said
        for (name, value) in said {
            switch name {
            case "labels", "labels-regex", "env", "env-regex", "tag":
                guard driver == .jsonFile || driver == .journald else { throw unknown(name) }
                options[name] = value
            case "mode",
                "max-buffer-size" where driver != .none:
                // The shim never makes a container wait for its log: what both modes come to here.
                guard name != "mode" || ["blocking", "non-blocking"].contains(value) else {
                    throw EngineError(.invalid, "logger: logging mode not supported: \(value)")
                }
                guard name == "mode" || ByteCount.parse(value) != nil else {
                    throw EngineError(.invalid, "error parsing option max-buffer-size: invalid size: '\(value)'")
                }
            case "compress" where keepsFiles:
                compresses = try Self.flag(value, isLocal: driver == .local)
            case "max-size" where keepsFiles:
                guard let bytes = ByteCount.parse(value), bytes > 0 || value == "-1" else {
                    throw EngineError(.invalid, "invalid value for max-size: '\(value)'")
                }
                maximumSizeBytes = bytes > 0 ? bytes : nil
            case "max-file" where keepsFiles:
                guard let count = Int(value), count > 0 else {
                    throw EngineError(.invalid, "max-file must be a positive number: '\(value)'")
                }
                maximumFiles = count
            default: throw unknown(name)
            }
        }
        if said["max-buffer-size"] != nil, said["mode"] != "non-blocking" {
            throw EngineError(.invalid, "logger: max-buffer-size option is only supported with 'mode=non-blocking'")
        }
        try checkCompression()
    }

    private func checkCompression() throws(EngineError) {
        let words = "failed to initialize logging driver"
        if driver == .local, maximumFiles == 1, compresses != false {
            throw EngineError(.invalid, "\(words): compression cannot be enabled when max file count is 1")
        }
        if driver == .jsonFile, compresses == true, maximumFiles < 2 || maximumSizeBytes == nil {
            throw EngineError(
                .invalid, "\(words): compress cannot be true when max-file is less than 2 or max-size is not set")
        }
    }

    /// Go's words for yes and no.
    private static func flag(_ text: String, isLocal: Bool) throws(EngineError) -> Bool {
        guard let flag = GoBool.parse(text) else {
            throw EngineError(
                .invalid,
                "failed to initialize logging driver: \(isLocal ? "error reading compress log option: " : "")"
                    + "strconv.ParseBool: parsing \"\(text)\": invalid syntax")
        }
        return flag
    }

    private func unknown(_ option: String) -> EngineError {
        EngineError(.invalid, "unknown log opt '\(option)' for \(driver.rawValue) log driver")
    }
}

/// Sizes as docker's options write them: `10m`, `1.5g`, `512`, `64kb`; powers of 1024.
package enum ByteCount {
    package static func parse(_ text: String) -> Int64? {
        var word = text.lowercased()
        if word.hasSuffix("ib") { word.removeLast(2) } else if word.hasSuffix("b") { word.removeLast() }
        let shifts: [Character: Int64] = ["k": 10, "m": 20, "g": 30, "t": 40, "p": 50]
        var factor: Int64 = 1
        if let last = word.last, let shift = shifts[last] {
            factor = 1 << shift
            word.removeLast()
        }
        // Docker allows one before the unit.
        if word.hasSuffix(" ") { word.removeLast() }
        // Other forms of numbers, such as `0x10` or `1e3`, are none of docker's.
        let digits = word.hasPrefix("-") ? word.dropFirst() : word[...]
        guard digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }), let number = Double(word),
            number.isFinite
        else { return nil }
        return Int64(exactly: (number * Double(factor)).rounded(.down))
    }
}

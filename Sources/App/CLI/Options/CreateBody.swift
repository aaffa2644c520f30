import DockerAPI
import EngineAPI
import Glibc
import JSON
import Linux

/// Turns the options of `run` and `create` into docker's create body: one reader of that body, the API's, then decides
/// what is valid, so that command line and API can never disagree.
struct CreateBody {
    let options: ContainerOptions
    /// The image, where it was not given as an option, and the command.
    let words: [String]
    /// Streams `run` will attach to; none with `-d`.
    var attaches: Bool

    func request() throws -> CreateRequest {
        try options.refused.check()
        let (image, command) = try imageAndCommand()
        var body = JSONObject([
            ("Image", .string(image)), ("Tty", .bool(options.tty)), ("OpenStdin", .bool(options.interactive)),
            ("StdinOnce", .bool(options.interactive && attaches)),
            ("AttachStdin", .bool(options.interactive && attaches)),
            ("AttachStdout", .bool(attaches)), ("AttachStderr", .bool(attaches)),
            ("Env", .array(try environment().map(JSONValue.string))),
            ("Labels", map(try lines(of: options.labelFile) + options.label)),
        ])
        body["Healthcheck"] = try options.health.body()
        if !command.isEmpty { body["Cmd"] = .array(command.map(JSONValue.string)) }
        body["Entrypoint"] = options.entrypoint.map { [.string($0)] }
        body["WorkingDir"] = options.workdir.map(JSONValue.string)
        body["User"] = options.user.map(JSONValue.string)
        body["Hostname"] = options.hostname.map(JSONValue.string)
        body["Domainname"] = options.domainname.map(JSONValue.string)
        body["StopSignal"] = options.stopSignal.map(JSONValue.string)
        body["StopTimeout"] = options.stopTimeout.map { .integer(Int64($0)) }
        let anonymous = options.storage.volume.filter { !$0.contains(":") }
        if !anonymous.isEmpty { body["Volumes"] = .object(JSONObject(anonymous.map { ($0, [:]) })) }
        var host = try hostConfig()
        try options.networks.write(&body, &host)
        body["HostConfig"] = .object(host)
        return try CreateRequest(dockerBody: BodyReader(.object(body)))
    }

    private func imageAndCommand() throws -> (String, [String]) {
        if let image = options.image { return (image, words) }
        guard let image = words.first else {
            throw UsageError(message: "an image is required: gantry run [OPTIONS] IMAGE [COMMAND] [ARG...]")
        }
        guard !image.hasPrefix("-") else { throw UsageError(message: "unknown flag: \(image)") }
        return (image, Array(words.dropFirst()))
    }

    private func hostConfig() throws -> JSONObject {
        var host = JSONObject([
            ("AutoRemove", .bool(options.rm)),
            ("Binds", .array(try options.storage.volume.filter { $0.contains(":") }.map { .string(try absolute($0)) })),
            ("VolumesFrom", .array(options.storage.volumesFrom.map(JSONValue.string))),
            ("Mounts", .array(try options.storage.mount.map(mount))),
            ("ReadonlyRootfs", .bool(options.storage.readOnly)),
            ("CapAdd", .array(options.isolation.capAdd.map(JSONValue.string))),
            ("CapDrop", .array(options.isolation.capDrop.map(JSONValue.string))),
            ("SecurityOpt", .array(try options.isolation.securityOpt.map(securityOption))),
            ("Privileged", .bool(options.isolation.privileged)), ("Sysctls", map(options.isolation.sysctl)),
            ("GroupAdd", .array(options.isolation.groupAdd.map(JSONValue.string))),
            ("Ulimits", .array(try options.fixed.ulimit.map(ulimit))),
        ])
        host["Tmpfs"] = .object(
            JSONObject(
                options.storage.tmpfs.map { text in
                    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
                    return (parts.first ?? "", .string(parts.count > 1 ? parts[1] : ""))
                }))
        host["ShmSize"] = try sizeValue(options.storage.shmSize, "--shm-size")
        host["OomScoreAdj"] = options.fixed.oomScoreAdj.map(JSONValue.integer)
        if options.storage.logDriver != nil || !options.storage.logOpt.isEmpty {
            host["LogConfig"] = [
                "Type": .string(options.storage.logDriver ?? ""), "Config": map(options.storage.logOpt),
            ]
        }
        if let text = options.restart { host["RestartPolicy"] = try RestartPolicy(option: text).dockerBody }
        for (name, value) in try options.limits.members() { host[name] = value }
        try addFixedLimits(&host)
        try options.sharing.add(to: &host)
        if !options.annotation.isEmpty { host["Annotations"] = map(options.annotation) }
        if let path = options.cidfile { host["ContainerIDFile"] = .string(path) }
        return host
    }

    private func addFixedLimits(_ host: inout JSONObject) throws {
        let fixed = options.fixed
        host["MemorySwappiness"] = fixed.memorySwappiness.map(JSONValue.integer)
        if fixed.oomKillDisable { host["OomKillDisable"] = true }
        host["BlkioWeightDevice"] = try rates(fixed.blkioWeightDevice, "Weight") { Int64($0) }
        host["BlkioDeviceReadBps"] = try rates(fixed.deviceReadBps, "Rate", ByteCount.parse)
        host["BlkioDeviceWriteBps"] = try rates(fixed.deviceWriteBps, "Rate", ByteCount.parse)
        host["BlkioDeviceReadIOps"] = try rates(fixed.deviceReadIops, "Rate") { Int64($0) }
        host["BlkioDeviceWriteIOps"] = try rates(fixed.deviceWriteIops, "Rate") { Int64($0) }
    }

    /// `/dev/sda:10mb` as docker's objects.
    private func rates(_ texts: [String], _ member: String, _ number: (String) -> Int64?) throws -> JSONValue? {
        if texts.isEmpty { return nil }
        return .array(
            try texts.map { text in
                guard let colon = text.lastIndex(of: ":"), text.hasPrefix("/dev/"),
                    let value = number(String(text[text.index(after: colon)...])), value >= 0
                else { throw UsageError(message: "bad format for device: \(text): it is PATH:NUMBER") }
                return .object(
                    JSONObject([("Path", .string(String(text[..<colon]))), (member, .integer(value))]))
            })
    }

    /// A path relative to where the command was given, as docker's CLI allows it in `-v ./data:/data`.
    private func absolute(_ bind: String) throws -> String {
        guard bind.hasPrefix("./") || bind.hasPrefix("../") || bind == "." || bind.hasPrefix(".:") else { return bind }
        let parts = bind.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let resolved = realpath(parts[0], nil) else {
            throw UsageError(message: "invalid volume specification: '\(bind)': no such file or directory")
        }
        defer { free(resolved) }
        return ([String(cString: resolved)] + parts.dropFirst()).joined(separator: ":")
    }
}

extension CreateBody {
    private func map(_ pairs: [String]) -> JSONValue {
        var object = JSONObject()
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            object[parts[0]] = .string(parts.count > 1 ? parts[1] : "")
        }
        return .object(object)
    }

    /// The lines of files, without comments and empty ones.
    private func lines(of files: [String]) throws -> [String] {
        var lines: [String] = []
        for path in files {
            do throws(KernelError) {
                let text = String(decoding: try FileContents.read(path), as: UTF8.self)
                lines += text.split(separator: "\n").map { String($0.drop { $0 == " " || $0 == "\t" }) }
                    .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            } catch {
                throw UsageError(message: "\(error)")
            }
        }
        return lines
    }

    /// A profile is a file here and its text in the body, as docker's CLI sends it.
    private func securityOption(_ text: String) throws -> JSONValue {
        guard text.hasPrefix("seccomp=") || text.hasPrefix("seccomp:") else { return .string(text) }
        let value = String(text.dropFirst(8))
        if ["unconfined", "builtin"].contains(value) { return .string(text) }
        do throws(KernelError) {
            return .string("seccomp=" + String(decoding: try FileContents.read(value), as: UTF8.self))
        } catch { throw UsageError(message: "opening seccomp profile (\(value)) failed: \(error)") }
    }

    /// `-e NAME` passes a variable of ours on, if we have it; files come before options.
    private func environment() throws -> [String] {
        (try lines(of: options.envFile) + options.env).compactMap { word in
            if word.contains("=") { return word }
            return getenv(word).map { "\(word)=\(String(cString: $0))" }
        }
    }

    /// `KEY=VALUE` among the members of an object.
    private static func adding(_ pair: String, to value: JSONValue?) -> JSONValue {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var object = value?.object ?? JSONObject()
        object[parts[0]] = .string(parts.count > 1 ? parts[1] : "")
        return .object(object)
    }

    /// `type=bind,source=/a,target=/b,readonly` as docker's `Mount` object.
    private func mount(_ text: String) throws -> JSONValue {
        var body = JSONObject([("Type", "volume")])
        var (tmpfs, volume, driver) = (JSONObject(), JSONObject(), JSONObject())
        for field in text.split(separator: ",").map(String.init) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count > 1 ? parts[1] : "true"
            switch parts[0].lowercased() {
            case "type": body["Type"] = .string(value)
            case "source", "src": body["Source"] = .string(value)
            case "target", "dst", "destination": body["Target"] = .string(value)
            case "readonly", "ro": body["ReadOnly"] = .bool(value == "true" || value == "1")
            case "bind-propagation": body["BindOptions"] = ["Propagation": .string(value)]
            case "volume-nocopy": volume["NoCopy"] = .bool(value == "true" || value == "1")
            case "volume-driver": driver["Name"] = .string(value)
            case "volume-label": volume["Labels"] = Self.adding(value, to: volume["Labels"])
            case "volume-opt": driver["Options"] = Self.adding(value, to: driver["Options"])
            case "tmpfs-size": tmpfs["SizeBytes"] = try sizeValue(value, "--mount")
            case "tmpfs-mode": tmpfs["Mode"] = Int64(value, radix: 8).map(JSONValue.integer)
            default:
                throw UsageError(
                    message: "invalid argument \"\(text)\" for \"--mount\" flag: unexpected key '\(parts[0])'")
            }
        }
        if !tmpfs.isEmpty { body["TmpfsOptions"] = .object(tmpfs) }
        if !driver.isEmpty { volume["DriverConfig"] = .object(driver) }
        if !volume.isEmpty { body["VolumeOptions"] = .object(volume) }
        return .object(body)
    }

    /// `nofile=1024:2048` as docker's `Ulimit` object.
    private func ulimit(_ text: String) throws -> JSONValue {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let values = (parts.count > 1 ? parts[1] : "").split(separator: ":").map { Int64($0) }
        guard (1...2).contains(values.count), let soft = values[0], let hard = values[values.count - 1] else {
            throw UsageError(
                message: "invalid argument \"\(text)\" for \"--ulimit\" flag: invalid ulimit argument: \(text)")
        }
        return ["Name": .string(parts[0]), "Soft": .integer(soft), "Hard": .integer(hard)]
    }
}

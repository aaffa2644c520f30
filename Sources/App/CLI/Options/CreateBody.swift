import DockerAPI
import EngineAPI
import Glibc
import JSON
import Linux

/// Turns the options of `run` and `create` into docker's create body: one reader of that body, the API's, then decides
/// what is valid, so that command line and API can never disagree.
struct CreateBody {
    let options: ContainerOptions
    /// The image and the command.
    let words: [String]
    /// Streams `run` will attach to; none with `-d`.
    var attaches: Bool

    func request() throws -> CreateRequest {
        let (image, command) = (words.first ?? "", words.dropFirst())
        guard !options.rm || ["no", "", nil].contains(options.restart) else {
            throw UsageError(message: "conflicting options: cannot specify both --restart and --rm")
        }
        let streams = try attachedStreams()
        let environment = try EnvironmentOption.variables(files: options.envFile, words: options.env)
        let takesInput = options.interactive && streams.contains("stdin")
        var body = JSONObject([
            ("Image", .string(image)), ("Tty", .bool(options.tty)), ("OpenStdin", .bool(options.interactive)),
            ("StdinOnce", .bool(takesInput)), ("AttachStdin", .bool(takesInput)),
            ("AttachStdout", .bool(streams.contains("stdout"))), ("AttachStderr", .bool(streams.contains("stderr"))),
            ("Env", .array(environment.map(JSONValue.string))),
            ("Labels", map(try options.labelFile.flatMap(KeyValueFile.lines) + checkedLabels())),
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
        guard !options.storage.volume.contains("") else { throw UsageError(message: "invalid empty volume spec") }
        let anonymous = options.storage.volume.filter { !$0.contains(":") }
        if !anonymous.isEmpty { body["Volumes"] = .object(JSONObject(anonymous.map { ($0, [:]) })) }
        var host = try hostConfig()
        try options.networks.write(&body, &host)
        body["HostConfig"] = .object(host)
        return try CreateRequest(dockerBody: BodyReader(.object(body)))
    }

    /// Of `stdin`, `stdout` and `stderr`: those that `-a` names, or all.
    private func attachedStreams() throws -> Set<String> {
        let all: Set = ["stdin", "stdout", "stderr"]
        for text in options.attach where !all.contains(text.lowercased()) {
            throw UsageError(value: text, of: "-a, --attach", "valid streams are STDIN, STDOUT and STDERR")
        }
        guard attaches else { return [] }
        return options.attach.isEmpty ? all : Set(options.attach.map { $0.lowercased() })
    }

    private func checkedLabels() throws -> [String] {
        for text in options.label where text.isEmpty || text.hasPrefix("=") {
            throw UsageError(value: text, of: "-l, --label", "invalid label '\(text)': empty name")
        }
        return options.label
    }

    private func hostConfig() throws -> JSONObject {
        var host = JSONObject([
            ("AutoRemove", .bool(options.rm)),
            ("Binds", .array(options.storage.volume.filter { $0.contains(":") }.map { .string(absolute($0)) })),
            ("VolumesFrom", .array(options.storage.volumesFrom.map(JSONValue.string))),
            ("Mounts", .array(try options.storage.mount.map { try MountOption($0).dockerBody })),
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
        if !options.storage.storageOpt.isEmpty { host["StorageOpt"] = map(options.storage.storageOpt) }
        host["VolumeDriver"] = options.storage.volumeDriver.map(JSONValue.string)
        host["Isolation"] = options.isolation.isolation.map(JSONValue.string)
        host["CgroupParent"] = options.isolation.cgroupParent.map(JSONValue.string)
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
        if let text = fixed.kernelMemory {
            _ = try sizeValue(text, "--kernel-memory")
            Console.error(
                "WARNING: Specifying a kernel memory limit is deprecated and will be removed in a future release.\n")
        }
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

    /// A path relative to where the command was given, as docker's CLI allows it in `-v ./data:/data`; the engine makes
    /// what is not there.
    private func absolute(_ bind: String) -> String {
        guard bind.hasPrefix("."), let colon = bind.firstIndex(of: ":") else { return bind }
        return WorkingDirectory.absolute(String(bind[..<colon])) + bind[colon...]
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

    /// A profile is a file here and its text in the body, as docker's CLI sends it.
    private func securityOption(_ text: String) throws -> JSONValue {
        guard text.contains("=") || text.contains(":") || text == "no-new-privileges" else {
            throw UsageError(message: "Invalid --security-opt: \"\(text)\"")
        }
        guard text.hasPrefix("seccomp=") || text.hasPrefix("seccomp:") else { return .string(text) }
        let value = String(text.dropFirst(8))
        if ["unconfined", "builtin"].contains(value) { return .string(text) }
        do throws(KernelError) {
            return .string("seccomp=" + String(decoding: try FileContents.read(value), as: UTF8.self))
        } catch { throw UsageError(message: "opening seccomp profile (\(value)) failed: \(error)") }
    }

    /// `nofile=1024:2048` as docker's `Ulimit` object.
    private func ulimit(_ text: String) throws -> JSONValue {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let values = (parts.count > 1 ? parts[1] : "").split(separator: ":").map { Int64($0) }
        guard (1...2).contains(values.count), let soft = values[0], let hard = values[values.count - 1] else {
            throw UsageError(value: text, of: "--ulimit", "invalid ulimit argument: \(text)")
        }
        return ["Name": .string(parts[0]), "Soft": .integer(soft), "Hard": .integer(hard)]
    }
}

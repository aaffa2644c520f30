import EngineAPI
import JSON
import Testing

@testable import DockerAPI

@Suite struct BodyTests {
    private let time = Timestamp(nanosecondsSinceEpoch: 1_700_000_000_123_456_789)

    @Test("Stats are in the shape that docker's CLI computes with, and come back")
    func stats() throws {
        var stats = ContainerStats(id: "abc", name: "web", time: time)
        stats.cpuNanoseconds = 3_000_000_000
        stats.hostCPUNanoseconds = 100_000_000_000
        stats.onlineCPUs = 2
        stats.memoryTotalBytes = 50 << 20
        stats.memoryInactiveFileBytes = 20 << 20
        stats.memoryLimitBytes = UInt64(Int64.max) + 5
        stats.memoryCounters = ["inactive_file": 20 << 20, "rss": 5, "total_rss": 6]
        (stats.memoryPeakBytes, stats.memoryLimitHits) = (60 << 20, 2)
        stats.perCPUNanoseconds = [2_000_000_000, 1_000_000_000]
        stats.pids = 4
        stats.blockReadBytes = 7
        stats.blockWriteBytes = 8
        var network = NetworkStats()
        network.receivedBytes = 9
        stats.networks = ["eth0": network]
        var before = stats
        before.cpuNanoseconds = 2_000_000_000
        before.hostCPUNanoseconds = 90_000_000_000
        let body = try JSONValue(parsing: stats.dockerBody(previous: before).compactBytes)
        #expect(ContainerStats(dockerBody: body, id: "x") == stats)
        // The CLI's own arithmetic: a tenth of the host's time on two cores is a fifth of one core.
        let cpu = body["cpu_stats"], previous = body["precpu_stats"]
        let used = cpu!["cpu_usage"]!.unsigned("total_usage") - previous!["cpu_usage"]!.unsigned("total_usage")
        let host = cpu!.unsigned("system_cpu_usage") - previous!.unsigned("system_cpu_usage")
        #expect(Double(used) / Double(host) * Double(cpu!.unsigned("online_cpus")) * 100 == 20)
        let memory = body["memory_stats"]!
        #expect(memory.unsigned("usage") - memory["stats"]!.unsigned("inactive_file") == stats.memoryUsedBytes)
        #expect(ContainerStats(dockerBody: ContainerStats.emptyDockerBody(id: "a", name: "b"), id: "a") == nil)
    }

    @Test("Memory of a cgroup v1 engine is counted by the sum over child groups")
    func statsV1() throws {
        let body = try JSONValue(
            parsing: #"""
                {"read":"2026-01-01T00:00:00Z","memory_stats":{"usage":100,"limit":1000,
                "stats":{"total_inactive_file":30,"inactive_file":1}},"cpu_stats":{"cpu_usage":{"total_usage":5,
                "percpu_usage":[1,2,2]},"system_cpu_usage":50}}
                """#)
        let stats = try #require(ContainerStats(dockerBody: body, id: "x"))
        #expect(stats.memoryUsedBytes == 70 && stats.onlineCPUs == 3 && stats.id == "x")
    }

    @Test("A list entry of dockerd becomes a summary")
    func dockerList() throws {
        let body = try JSONValue(
            parsing: #"""
                {"Id":"abc","Names":["/other/alias","/web"],"Image":"nginx","ImageID":"sha256:1","Command":"nginx -g",
                "Created":1700000000,"State":"exited","Status":"Exited (137) 2 hours ago","Labels":{"a":"b"},
                "HostConfig":{"NetworkMode":"bridge"},"Mounts":[{"Type":"volume","Source":"/v","Destination":"/d","RW":false}]}
                """#)
        let summary = try #require(ContainerSummary(dockerBody: body))
        #expect(summary.name == "web" && summary.state.status == .exited && summary.state.exitCode == 137)
        #expect(summary.createdAt.secondsSinceEpoch == 1_700_000_000 && summary.networkMode == "bridge")
        #expect(summary.mounts.map(\.readOnly) == [true])
    }

    @Test("A summary comes back with what docker's form leaves out")
    func summary() throws {
        var state = ContainerState(status: .running)
        (state.pid, state.startedAt) = (42, time)
        let summary = ContainerSummary(
            id: "abc", name: "web", image: "a", imageID: "sha256:1", command: "x", createdAt: time, state: state,
            labels: ["k": "v"], tty: true, networkMode: "none", mounts: [])
        let body = try JSONValue(parsing: summary.dockerBody(now: time).compactBytes)
        #expect(ContainerSummary(dockerBody: body) == summary)
    }

    @Test("A container that was taken out of `none` is in no network, or in others, and comes back so")
    func leftNone() throws {
        var summary = ContainerSummary(
            id: "abc", name: "web", image: "a", imageID: "sha256:1", command: "x", createdAt: time,
            state: ContainerState(status: .created), networkMode: "none")
        summary.hasLeftNone = true
        let body = try JSONValue(parsing: summary.dockerBody(now: time).compactBytes)
        #expect(body["NetworkSettings"]?["Networks"] == [:] && body["HostConfig"]?["NetworkMode"] == "none")
        #expect(ContainerSummary(dockerBody: body) == summary)
    }

    @Test("Inspection shows command and entrypoint as started, and comes back")
    func inspection() throws {
        var spec = ContainerSpec(image: "a:1")
        spec.command = ["x", "y"]
        spec.environment = ["B=2"]
        spec.networkMode = NetworkMode.none
        var details = ContainerDetails(
            id: "abc", name: "web", spec: spec, imageID: "sha256:1", createdAt: time,
            state: ContainerState(status: .created), arguments: ["/entry", "x", "y"], environment: ["A=1", "B=2"],
            workingDirectory: "/w", user: "u", hostname: "h", logPath: "/l", cgroupPath: "gantry/abc")
        details.entrypointLength = 1
        let body = try JSONValue(parsing: details.dockerBody.compactBytes)
        #expect(body["Path"] == "/entry" && body["Args"] == ["x", "y"] && body["Name"] == "/web")
        #expect(body["Config"]?["Entrypoint"] == ["/entry"] && body["Config"]?["Cmd"] == ["x", "y"])
        #expect(body["State"]?["StartedAt"] == "0001-01-01T00:00:00Z")
        let back = try #require(ContainerDetails(dockerBody: body))
        #expect(back.entrypointLength == 1)
        details.entrypointLength = 0
        #expect(details.dockerBody["Config"]?["Entrypoint"] == .null)
        #expect(details.dockerBody["Config"]?["Cmd"] == ["/entry", "x", "y"])
        #expect(back.arguments == details.arguments && back.environment == details.environment)
        #expect(back.spec.environment == ["B=2"] && back.cgroupPath == details.cgroupPath)
        #expect(!back.hasLeftNone)
        #expect(back.spec.networkMode == NetworkMode.none && back.state == details.state && back.name == "web")
    }

    @Test("Inspection tells where a container is kept, and what was said in short in docker's short form")
    func places() throws {
        var spec = ContainerSpec(image: "a:1")
        var volume = MountSpec(.volume, source: "v1", target: "/data")
        volume.isShort = true
        var bind = MountSpec(.bind, source: "/h", target: "/h")
        (bind.isShort, bind.createsSource, bind.readOnly) = (true, true, true)
        var scratch = MountSpec(.tmpfs, target: "/t")
        (scratch.isShort, scratch.options) = (true, ["size=1m"])
        spec.mounts = [volume, bind, scratch]
        spec.networkMode = NetworkMode.none
        var details = ContainerDetails(
            id: "abc", name: "web", spec: spec, imageID: "sha256:1", createdAt: time,
            state: ContainerState(status: .running), arguments: ["x"], environment: [], workingDirectory: "/",
            user: "", hostname: "h")
        details.state.pid = 7
        details.places.hostsPath = "/c/hosts"
        details.places.volumesDirectory = "/vs"
        details.places.root = OverlayPlaces(lower: ["/2", "/1"], upper: "/u", work: "/w", merged: "/m")
        let body = details.dockerBody
        details.spec.exposedPorts = [ContainerPort(80)]
        #expect(details.dockerBody["Config"]?["ExposedPorts"] == ["80/tcp": [:]])
        #expect(body["HostsPath"] == "/c/hosts")
        #expect(ContainerDetails(dockerBody: body)?.places == details.places)
        #expect(
            body["GraphDriver"]?["Data"]
                == ["LowerDir": "/2:/1", "MergedDir": "/m", "UpperDir": "/u", "WorkDir": "/w"])
        #expect(body["NetworkSettings"]?["SandboxKey"] == "/proc/7/ns/net")
        #expect(body["HostConfig"]?["Binds"] == ["v1:/data", "/h:/h:ro"])
        #expect(body["HostConfig"]?["Tmpfs"] == ["/t": "size=1m"] && body["HostConfig"]?["Mounts"] == nil)
        let mounts = body["Mounts"]?.array ?? []
        #expect(mounts.map { $0["Source"] } == ["/vs/v1/_data", "/h"] && mounts.map { $0["Mode"] } == ["z", "ro"])
        #expect(body["HostConfig"]?["MaskedPaths"] == .null && body["HostConfig"]?["Sysctls"] == nil)
    }

    @Test("Sizes of images are told twice to clients that look for the older name")
    func virtualSize() {
        let image = ImageSummary(id: "sha256:1", tags: [], createdAt: nil, sizeBytes: 5)
        #expect(image.dockerBody(for: APIVersion(1, 43))["VirtualSize"] == 5)
        #expect(image.dockerBody(for: APIVersion(1, 44))["VirtualSize"] == nil)
        var details = ImageDetails(summary: image, architecture: "amd64", os: "linux")
        details.volumes = ["/data"]
        #expect(details.dockerBody(for: APIVersion(1, 44))["ContainerConfig"]?["Volumes"] == ["/data": [:]])
        #expect(details.dockerBody(for: APIVersion(1, 51))["ContainerConfig"]?["Volumes"] == ["/data": [:]])
    }

    private static func foreign(_ host: String) throws -> ContainerDetails? {
        let body = try JSONValue(
            parsing: #"""
                {"Id":"abc","Name":"/web","Created":"2026-01-01T00:00:00Z","Config":{"Image":"i","Tty":true,
                "Cmd":["c"],"Env":["A=b"]},"HostConfig":{"NetworkMode":"bridge",
                """# + host + #"},"State":{"Status":"stopped","ExitCode":2}}"#)
        return ContainerDetails(dockerBody: body)
    }

    @Test("An inspection with what these values cannot hold is still read, and says that there is more")
    func foreignInspection() throws {
        let limits = #""Memory":4096,"RestartPolicy":{"Name":"always"}"#
        let details = try #require(try Self.foreign(#""LogConfig":{"Type":"gcplogs"},"# + limits))
        #expect(details.spec.tty && details.spec.command == ["c"] && details.state.status == .exited)
        #expect(details.state.exitCode == 2)
        #expect(details.spec.limits.memoryBytes == 4096 && details.spec.restartPolicy.kind == .always)
        #expect(details.specGap == "error looking up logging plugin gcplogs: plugin \"gcplogs\" not found")
    }

    @Test(
        "What is read and held by no value is told, too",
        arguments: [
            (#""DeviceRequests":[{"Driver":"nvidia","Count":-1,"Capabilities":[["gpu"]]}]"#, "nvidia"),
            (#""StorageOpt":{"size":"10G"}"#, "storage-opt"), (#""VolumeDriver":"nfs""#, nil),
            (#""DeviceRequests":null,"StorageOpt":null,"VolumeDriver":"","Isolation":"","CpuCount":0"#, nil),
        ])
    func unoffered(host: String, gap: String?) throws {
        let details = try #require(try Self.foreign(host))
        #expect(details.spec.networkMode == .bridge)
        #expect(gap.map { details.specGap?.contains($0) == true } ?? (details.specGap == nil))
    }

    @Test("Events have the old members and the new, and come back")
    func events() throws {
        let event = EngineEvent(
            kind: .container, action: "die", actorID: "abc", attributes: ["image": "a", "exitCode": "1"], time: time)
        let body = try JSONValue(parsing: event.dockerBody.compactBytes)
        #expect(body["status"] == "die" && body["id"] == "abc" && body["from"] == "a" && body["Type"] == "container")
        #expect(body["timeNano"] == .integer(time.nanosecondsSinceEpoch))
        #expect(EngineEvent(dockerBody: body) == event)
        #expect(EngineEvent(dockerBody: ["Type": "node"]) == nil)
    }

    @Test("Figures and times of another engine may be anything")
    func extremeFigures() throws {
        let most = JSONValue.unsigned(.max)
        let body: JSONValue = [
            "read": "1700-01-01T00:00:00Z", "pids_stats": ["current": most],
            "cpu_stats": ["cpu_usage": ["total_usage": most]], "memory_stats": ["usage": most, "limit": most],
            "blkio_stats": [
                "io_service_bytes_recursive": [["op": "read", "value": most], ["op": "Read", "value": most]]
            ],
        ]
        let last = try #require(ContainerStats(dockerBody: body, id: "abc"))
        #expect(last.blockReadBytes == .max && last.time == Timestamp(nanosecondsSinceEpoch: 0))
        for nanoseconds in [Int64.min, .max] {
            let event = try #require(
                EngineEvent(dockerBody: ["Type": "container", "timeNano": .integer(nanoseconds)]))
            #expect(event.time.rfc3339Nano.hasPrefix(nanoseconds < 0 ? "1970-" : "2200-"))
        }
        let line: JSONValue = [
            "status": "Downloading", "id": "ab", "progressDetail": ["current": -50, "total": .integer(.min)],
        ]
        #expect(
            ImageTransferProgress(dockerBody: line)
                == .layer(digest: "ab", .downloading(doneBytes: 0, totalBytes: 0)))
        let image: ImageSummary? = ImageSummary(dockerBody: ["Id": "sha256:1", "Size": .integer(.min)])
        #expect(image?.sizeBytes == 0)
        let table = ProcessTable(
            titles: ["PID", "RSS", "TIME"], rows: [["10", "18446744073709551615", "18446744073709551615"]])
        let node = try #require(table.processNodes(at: time).first)
        #expect(node.residentBytes == .max && node.cpuNanoseconds == .max)
    }

    @Test("Images and their progress come back")
    func images() throws {
        let summary = ImageSummary(
            id: "sha256:1", tags: ["a:1"], createdAt: Timestamp(nanosecondsSinceEpoch: 5_000_000_000), sizeBytes: 3,
            labels: ["x": "y"], containerCount: 1)
        #expect(ImageSummary(dockerBody: try JSONValue(parsing: summary.dockerBody.compactBytes)) == summary)
        let named: ImageSummary? = ImageSummary(dockerBody: ["Id": "sha256:1", "RepoTags": ["<none>:<none>"]])
        #expect(named?.tags == [])
        var details = ImageDetails(summary: summary, architecture: "amd64", os: "linux")
        for places in [[], ["/l/3/fs"], ["/l/3/fs", "/l/2/fs", "/l/1/fs"]] {
            details.layerPlaces = places
            let body = try JSONValue(parsing: details.dockerBody.compactBytes)
            #expect(ImageDetails(dockerBody: body)?.layerPlaces == places)
        }
        var info = EngineInfo()
        info.storageFacts = [StorageFact("Backing Filesystem", "extfs"), StorageFact("userxattr", "false")]
        let told = info.dockerBody(now: time)
        #expect(told["DriverStatus"] == [["Backing Filesystem", "extfs"], ["userxattr", "false"]])
        #expect(EngineInfo(dockerBody: told).storageFacts == info.storageFacts)
        let steps: [ImageLoadProgress] = [
            .layer(digest: "sha256:ab", doneBytes: 5, totalBytes: 10), .loaded(name: "a:1", id: "sha256:1"),
            .loaded(name: nil, id: "sha256:2"),
        ]
        for step in steps { #expect(ImageLoadProgress(dockerBody: step.dockerBody) == step) }
        let beginnings: [(ImageTransferProgress, String)] = [
            (.pulling(repository: "my.org/app.io", tag: "1"), "Pulling from my.org/app.io"),
            (.pushing(repository: "localhost/q", tag: "1"), "The push refers to repository [localhost/q]"),
        ]
        for (step, words) in beginnings {
            let bodies = step.dockerBodies
            #expect(bodies.count == 1 && bodies[0]["status"] == .string(words))
            #expect(ImageTransferProgress(dockerBody: bodies[0]) == step)
        }
        let error = EngineError(.invalid, "bad tar", isAnswer: true)
        #expect(ProgressError.error(ProgressError.dockerBody(error)) == error)
        #expect(ProgressError.error(["error": "x"])?.message == "x")
        #expect(ProgressError.error(["stream": "x"]) == nil)
    }

    @Test("An image is for the platform that was asked for where its variant is that one, or an earlier one")
    func imagePlatforms() {
        for (architecture, variant, asked, fits) in [
            ("arm", "v7", "linux/arm/v7", true), ("arm", "v7", "linux/arm/v6", false), ("arm", "v6", "linux/arm", true),
            ("arm", nil, "linux/arm/7", true), ("arm64", nil, "linux/arm64/v8", true),
            ("arm64", "v8", "linux/aarch64", true), ("arm64", "v8", "linux/arm64/v9", true),
            ("amd64", nil, "linux/x86_64/v1", true), ("amd64", nil, "linux/amd64/v3", true),
            ("amd64", nil, "linux", true), ("amd64", nil, "windows/amd64", false), ("amd64", nil, "linux/arm64", false),
        ] as [(String, String?, String, Bool)] {
            let summary = ImageSummary(id: "sha256:1", tags: ["a:1"], createdAt: nil, sizeBytes: 3)
            var details = ImageDetails(summary: summary, architecture: architecture, os: "linux")
            details.variant = variant
            let refusal = Result { () throws(EngineError) in try details.check(isFor: asked, calledBy: "a:1") }
            if case .failure(let error) = refusal {
                #expect(!fits && error.kind == .notFound && error.message.contains("(\(asked))"), "\(asked)")
            } else {
                #expect(fits, "\(architecture) \(variant ?? "-"): \(asked)")
            }
        }
    }

    @Test("Before 1.50 the info has members that are gone since")
    func oldInfo() {
        var info = EngineInfo()
        info.filtersBridgedIPv4 = true
        let old = info.dockerBody(for: APIVersion(1, 49), now: time)
        #expect(old["BridgeNfIptables"] == true && old["BridgeNfIp6tables"] == false)
        #expect(old["RegistryConfig"]?["AllowNondistributableArtifactsCIDRs"] == [])
        #expect(old["RegistryConfig"]?["AllowNondistributableArtifactsHostnames"] == [])
        let current = info.dockerBody(now: time)
        #expect(current["BridgeNfIptables"] == nil && current["BridgeNfIp6tables"] == nil)
        #expect(current["RegistryConfig"]?["AllowNondistributableArtifactsCIDRs"] == nil)
        #expect(current["RegistryConfig"]?["Mirrors"] == old["RegistryConfig"]?["Mirrors"])
    }

    @Test("A process tree is made of ps's table")
    func processTable() {
        let table = ProcessTable(
            titles: ["PID", "PPID", "STAT", "RSS", "NLWP", "TIME", "ELAPSED", "COMMAND"],
            rows: [
                ["10", "1", "Ss", "100", "2", "3", "90", "sh -c x"],
                ["11", "10", "R+", "200", "1", "0", "18446744073709551615", "x"],
            ])
        let now = Timestamp(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)
        let nodes = table.processNodes(at: now)
        #expect(nodes[0].startedAt.nanosecondsSinceEpoch == now.nanosecondsSinceEpoch - 90_000_000_000)
        #expect(nodes[1].startedAt.nanosecondsSinceEpoch == 0, "an age that cannot be is none")
        #expect(nodes.map(\.role) == [.initial, .process] && nodes.map(\.parentPID) == [1, 10])
        #expect(nodes[0].residentBytes == 102_400 && nodes[0].cpuNanoseconds == 3_000_000_000 && nodes[0].state == "S")
    }
}

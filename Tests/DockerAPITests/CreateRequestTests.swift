import EngineAPI
import JSON
import Testing

@testable import DockerAPI

@Suite struct CreateRequestTests {
    private func read(_ text: String, _ version: APIVersion = .current) throws -> CreateRequest {
        try CreateRequest(dockerBody: BodyReader(parsing: Array(text.utf8)), version: version)
    }

    @Test("A body as docker's CLI sends it becomes a specification")
    func dockerCLI() throws {
        let request = try read(
            #"""
            {"Hostname":"h","Domainname":"","User":"1:2","AttachStdin":true,"AttachStdout":true,"AttachStderr":true,
            "Tty":true,"OpenStdin":true,"StdinOnce":true,"Env":["A=b"],"Cmd":["sh","-c","x"],"Image":"app:1",
            "Volumes":{},"WorkingDir":"/w","Entrypoint":[""],"OnBuild":null,"Labels":{"k":"v"},"StopSignal":"SIGINT",
            "StopTimeout":7,"HostConfig":{"Binds":["/a:/b:ro,rslave"],"ContainerIDFile":"","LogConfig":{"Type":
            "json-file","Config":{"max-size":"10m","max-file":"3"}},"NetworkMode":"none","PortBindings":{},
            "RestartPolicy":{"Name":"no","MaximumRetryCount":0},"AutoRemove":true,"ConsoleSize":[24,80],
            "CapAdd":["NET_ADMIN"],"CapDrop":["ALL"],"CgroupnsMode":"","Dns":[],"GroupAdd":["5"],"OomScoreAdj":10,
            "ReadonlyRootfs":true,"SecurityOpt":["no-new-privileges","seccomp=unconfined"],"Tmpfs":{"/t":"size=1m"},
            "ShmSize":1024,"Sysctls":{"net.ipv4.ip_forward":"1"},"Memory":5000000,"NanoCpus":1500000000,
            "MemorySwap":-1,"PidsLimit":9,"Ulimits":[{"Name":"nofile","Hard":2,"Soft":1}],"CpuShares":5,
            "Mounts":[{"Type":"bind","Source":"/s","Target":"/d","ReadOnly":true},
            {"Type":"tmpfs","Target":"/m","TmpfsOptions":{"SizeBytes":65536,"Mode":1023}}],
            "MaskedPaths":null,"ReadonlyPaths":null,"Devices":[],"DeviceRequests":null,"MemorySwappiness":-1},
            "NetworkingConfig":{"EndpointsConfig":{}}}
            """#)
        let spec = request.spec
        #expect(request.warnings == [])
        #expect(spec.image == "app:1" && spec.command == ["sh", "-c", "x"] && spec.entrypoint == [""])
        #expect(spec.hostname == "h" && spec.domainname == nil && spec.user == "1:2" && spec.workingDirectory == "/w")
        #expect(spec.tty && spec.openStdin && spec.stdinOnce && spec.attachStdin && spec.autoRemove)
        #expect(spec.environment == ["A=b"] && spec.labels == ["k": "v"])
        #expect(spec.stopSignal == "SIGINT" && spec.stopTimeoutSeconds == 7)
        #expect(spec.networkMode == NetworkMode.none)
        #expect(spec.limits.memoryBytes == 5_000_000 && spec.limits.nanoCPUs == 1_500_000_000)
        #expect(spec.limits.memorySwapBytes == -1 && spec.limits.pids == 9 && spec.limits.cpuShares == 5)
        #expect(spec.addedCapabilities == ["NET_ADMIN"] && spec.droppedCapabilities == ["ALL"])
        #expect(spec.readOnlyRoot && spec.noNewPrivileges && spec.seccompUnconfined && !spec.privileged)
        #expect(spec.ulimits == [Ulimit(name: "nofile", soft: 1, hard: 2)])
        #expect(spec.shmSizeBytes == 1024 && spec.supplementaryGroups == ["5"] && spec.oomScoreAdjustment == 10)
        #expect(spec.log.maximumSizeBytes == 10 << 20 && spec.log.maximumFiles == 3)
        // Whoever compares what he asked for with what is told finds no difference.
        let told = BodyReader(spec.dockerCreateBody).value.field("HostConfig")?.field("LogConfig")
        #expect(told == ["Type": "json-file", "Config": ["max-file": "3", "max-size": "10m"]])
        var bind = MountSpec(.bind, source: "/a", target: "/b")
        (bind.readOnly, bind.propagation, bind.createsSource, bind.isShort) = (true, "rslave", true, true)
        var plain = MountSpec(.bind, source: "/s", target: "/d")
        plain.readOnly = true
        var sized = MountSpec(.tmpfs, target: "/m")
        sized.options = ["size=65536", "mode=1777"]
        var short = MountSpec(.tmpfs, target: "/t")
        (short.options, short.isShort) = (["size=1m"], true)
        #expect(spec.mounts == [bind, plain, sized, short])
    }

    @Test("Names match without regard to case, as Go's decoder matches them")
    func memberCase() throws {
        #expect(try read(#"{"image":"a","cmd":["x"],"hostconfig":{"networkmode":"host"}}"#).spec.networkMode == .host)
    }

    @Test("A specification that goes over the wire comes back as it was")
    func roundTrip() throws {
        var spec = ContainerSpec(image: "a:1")
        spec.entrypoint = ["/e"]
        spec.command = ["c", ""]
        spec.environment = ["A=1"]
        (spec.tty, spec.openStdin, spec.autoRemove, spec.readOnlyRoot) = (true, true, true, true)
        spec.networkMode = NetworkMode(rawValue: "front")
        spec.limits.memoryBytes = 1 << 30
        spec.limits.cpusetCPUs = "0-1"
        spec.limits.pids = 100
        spec.noNewPrivileges = true
        (spec.appArmorProfile, spec.securityLabels) = ("mine", ["type:t", "disable"])
        spec.ulimits = [Ulimit(name: "core", soft: -1, hard: -1)]
        (spec.log.namesDriver, spec.log.maximumSizeBytes) = (true, 1000)
        (spec.log.maximumFiles, spec.log.compresses) = (2, true)
        spec.log.words = ["max-size": "1000", "max-file": "2", "compress": "true"]
        var mount = MountSpec(.bind, source: "/s", target: "/t")
        mount.createsSource = true
        var memory = MountSpec(.tmpfs, target: "/m")
        memory.options = ["size=1m", "exec"]
        // What was said in short comes back in short, and before what was not.
        var volume = MountSpec(.volume, source: "v", target: "/v")
        (volume.isShort, volume.createsSource, volume.noCopy, volume.readOnly) = (true, false, true, true)
        var scratch = MountSpec(.tmpfs, target: "/z")
        (scratch.isShort, scratch.options) = (true, ["mode=1777"])
        spec.mounts = [volume, mount, memory, scratch]
        spec.portBindings = [
            PortBinding(ContainerPort(53, .udp), hostAddress: "127.0.0.1", hostPort: 5300, lastHostPort: 5310),
            PortBinding(ContainerPort(80)),
        ]
        spec.exposedPorts = [ContainerPort(53, .udp), ContainerPort(80), ContainerPort(443)]
        spec.publishesAllPorts = true
        (spec.extraHosts, spec.dnsServers) = (["db:10.0.0.1"], ["1.1.1.1"])
        (spec.dnsSearch, spec.dnsOptions) = (["example"], ["ndots:2"])
        var endpoint = EndpointSpec()
        (endpoint.aliases, endpoint.ipv4Address) = (["www"], "10.0.0.9")
        spec.networks = ["front": endpoint]
        let back = try CreateRequest(dockerBody: BodyReader(spec.dockerCreateBody))
        #expect(back.spec == spec)
        #expect(back.warnings == [])
        spec.entrypoint = []
        #expect(try CreateRequest(dockerBody: BodyReader(spec.dockerCreateBody)).spec.entrypoint == [])
        spec.entrypoint = nil
        #expect(try CreateRequest(dockerBody: BodyReader(spec.dockerCreateBody)).spec.entrypoint == nil)
    }

    @Test(
        "What is not offered is refused by its name",
        arguments: [
            (#""SecurityOpt":["systempaths=x"]"#, "systempaths=x"),
            (
                #""DeviceRequests":[{"Driver":"","Count":-1,"Capabilities":[["gpu"]]}]"#,
                #"could not select device driver "" with capabilities: [[gpu]]"#
            ),
            (#""StorageOpt":{"size":"1G"}"#, "--storage-opt is supported only for overlay over xfs with 'pquota'"),
        ])
    func refused(member: String, name: String) throws {
        let error = #expect(throws: EngineError.self) { try read(#"{"Image":"a","HostConfig":{\#(member)}}"#) }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test(
        "What is wrong is refused with its reason",
        arguments: [
            (#"{"Image":5}"#, "Image must be a string"), (#"{"Image":"a","Env":"x"}"#, "Env must be an array"),
            (#"{"Image":"a","HostConfig":[]}"#, "HostConfig must be an object"), (#"{"#, "invalid JSON"),
            (#"{}"#, "no image"), (#"[]"#, "not an object"),
            (#"{"Image":"a","HostConfig":{"Memory":"1m"}}"#, "HostConfig.Memory must be a whole number"),
            (#"{"Image":"a","HostConfig":{"Binds":["a"]}}"#, "invalid volume specification: 'a'"),
            (#"{"Image":"a","HostConfig":{"ExtraHosts":["foo"]}}"#, "bad format for add-host: \"foo\""),
            (#"{"Image":"a","HostConfig":{"ExtraHosts":["a:b"]}}"#, "invalid IP address in add-host: \"b\""),
            (
                #"{"Image":"a","HostConfig":{"Binds":["/a:b"]}}"#,
                "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' "
                    + "mount path must be absolute"
            ),
            (
                #"{"Image":"a","HostConfig":{"Binds":["v:b"]}}"#,
                "invalid volume specification: 'v:b': invalid mount config for type \"volume\": invalid mount path: 'b'"
            ),
            (
                #"{"Image":"a","HostConfig":{"Binds":["/a:/b:nocopy"]}}"#,
                "'/a:/b:nocopy': invalid mount config for type \"bind\": field VolumeOptions must not be specified"
            ),
            (
                #"{"Image":"a","HostConfig":{"Binds":["v:/b:rslave"]}}"#,
                "'v:/b:rslave': invalid mount config for type \"volume\": field BindOptions must not be specified"
            ),
            (#"{"Image":"a","HostConfig":{"Binds":["/a:/b:huh"]}}"#, "invalid mode: huh"),
            (#"{"Image":"a","HostConfig":{"Binds":["v:/b:rw,ro"]}}"#, "invalid mode: rw,ro"),
            (#"{"Image":"a","HostConfig":{"Binds":["v:/b:shared,rslave"]}}"#, "invalid mode: shared,rslave"),
            (#"{"Image":"a","HostConfig":{"Links":["a:b:c"]}}"#, "bad format for links: a:b:c"),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"volume","Target":"/x","ReadOnly":true}]}}"#,
                "must not set ReadOnly mode when using anonymous volumes"
            ),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":{"Subpath":"s"}}]}}"#,
                "must not set Subpath when using anonymous volumes"
            ),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"volume","Source":"v","Target":"/x","#
                    + #""VolumeOptions":{"Subpath":"a/../../b"}}]}}"#,
                "subpath must be a relative path within the volume"
            ),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"image","Source":"v","Target":"/x","#
                    + #""ImageOptions":{"Subpath":"/b"}}]}}"#,
                "subpath must be a relative path within the image"
            ),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"bind","Source":"/b","Target":"/x","#
                    + #""BindOptions":{"ReadOnlyForceRecursive":true}}]}}"#,
                "mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive"
            ),
            (
                #"{"Image":"a","HostConfig":{"Mounts":[{"Type":"image","Target":"/x"}]}}"#,
                "field Source must not be empty"
            ),
            (#"{"Image":"a","HostConfig":{"NetworkMode":"container:"}}"#, "invalid container format"),
            (#"{"Image":"a","ExposedPorts":{"80/ip":{}}}"#, "invalid port specification: \"80/ip\""),
            (#"{"Image":"a","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"9-8"}]}}}"#, "\"9-8\""),
            (
                #"{"Image":"a","HostConfig":{"NetworkMode":"container:x","PublishAllPorts":true}}"#,
                "conflicting options"
            ),
            (
                #"{"Image":"a","HostConfig":{"LogConfig":{"Type":"x"}}}"#,
                "error looking up logging plugin x: plugin \"x\" not found"
            ),
            (#"{"Image":"a","HostConfig":{"LogConfig":{"Type":"json-file","Config":{"max-size":"x"}}}}"#, "max-size"),
            (
                #"{"Image":"a","HostConfig":{"LogConfig":{"Type":"json-file","Config":{"compress":"true"}}}}"#,
                "compress cannot be true when max-file is less than 2 or max-size is not set"
            ),
            (
                #"{"Image":"a","HostConfig":{"LogConfig":{"Type":"local","Config":{"max-file":"1"}}}}"#,
                "compression cannot be enabled when max file count is 1"
            ),
            (
                #"{"Image":"a","HostConfig":{"LogConfig":{"Type":"local","Config":{"compress":"yes"}}}}"#,
                "error reading compress log option: strconv.ParseBool: parsing \"yes\": invalid syntax"
            ),
            (#"{"Image":"a","HostConfig":{"Mounts":[{"Type":"huh","Target":"/x"}]}}"#, "mount type unknown"),
        ])
    func invalid(body: String, reason: String) throws {
        let error = #expect(throws: EngineError.self) { try read(body) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test("A client means what its version of the API meant: what came later is not there, or is refused by name")
    func versions() throws {
        let body = #"""
            {"Image":"a","Healthcheck":{"Test":["CMD","x"],"StartInterval":5000000000},"HostConfig":{
            "Annotations":{"a":"b"},"Binds":["/s:/short:ro"],"Mounts":[{"Type":"bind","Source":"/s","Target":"/d",
            "ReadOnly":true,"BindOptions":{"CreateMountpoint":true,"NonRecursive":true}}]}}
            """#
        let new = try read(body).spec
        #expect(new.healthCheck?.startInterval == .seconds(5) && new.annotations == ["a": "b"] && new.ipcMode == nil)
        #expect(new.mounts.map(\.readOnlyDepth) == [nil, nil] && new.mounts[1].createsSource)
        let middle = try read(body, APIVersion(1, 43)).spec
        #expect(middle.healthCheck?.startInterval == nil && middle.annotations == ["a": "b"])
        // The short form is read as it is whoever says it.
        #expect(middle.mounts.map(\.readOnlyDepth) == [nil, .top] && middle.mounts[1].createsSource)
        let old = try read(body, APIVersion(1, 39)).spec
        #expect(old.annotations.isEmpty && old.ipcMode == .shareable)
        #expect(!old.mounts[1].createsSource && !old.mounts[1].isNonRecursive && old.mounts[0].createsSource)
        let later: [(mount: String, before: APIVersion, words: String)] = [
            (
                #""Type":"bind","Source":"/s","ReadOnly":true,"BindOptions":{"ReadOnlyForceRecursive":true}"#,
                APIVersion(1, 44), "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer"
            ),
            (
                #""Type":"volume","Source":"v","VolumeOptions":{"Subpath":"s"}"#, APIVersion(1, 45),
                "VolumeOptions.Subpath needs API v1.45 or newer"
            ),
            (#""Type":"image","Source":"i""#, APIVersion(1, 48), "Mount type \"Image\" needs API v1.48 or newer"),
        ]
        for (mount, version, words) in later {
            let body = #"{"Image":"a","HostConfig":{"Mounts":[{"Target":"/d",\#(mount)}]}}"#
            #expect(throws: Never.self, "\(mount)") { try read(body, version) }
            #expect(throws: EngineError(.invalid, words)) { try read(body, APIVersion(1, version.minor - 1)) }
        }
    }

    @Test("How a container is kept apart is told in the word that it was asked for in")
    func isolation() throws {
        for word in ["", "default", "Default"] {
            let spec = try read(#"{"Image":"a","HostConfig":{"Isolation":"\#(word)"}}"#).spec
            #expect(spec.isolation == (word.isEmpty ? nil : word))
            let details = ContainerDetails(
                id: "1", name: "a", spec: spec, imageID: "", createdAt: Timestamp(seconds: 0),
                state: ContainerState(status: .created), arguments: [], environment: [], workingDirectory: "", user: "",
                hostname: "")
            #expect(details.dockerBody.field("HostConfig")?["Isolation"] == .string(word))
            #expect(ContainerDetails(dockerBody: details.dockerBody)?.spec.isolation == spec.isolation)
        }
    }

    @Test("A setting of a device by its name is the endpoint's: moved there for who knows no better, and refused else")
    func interfaceSysctls() throws {
        let option = "com.docker.network.endpoint.sysctls"
        func body(_ sysctls: String, _ mode: String = "n", options: String = "{}") -> String {
            """
            {"Image":"a","HostConfig":{"NetworkMode":"\(mode)","Sysctls":{\(sysctls),"net.ipv4.ip_forward":"1"}},
            "NetworkingConfig":{"EndpointsConfig":{"n":{"DriverOpts":\(options)}}}}
            """
        }
        let one = #""net.ipv4.conf.eth0.log_martians":"1""#
        let old = try read(body(one, options: #"{"\#(option)":"net.ipv6.conf.IFNAME.accept_ra=0"}"#), APIVersion(1, 47))
        #expect(old.spec.sysctls == ["net.ipv4.ip_forward": "1"])
        #expect(
            old.spec.networks["n"]?.options[option]
                == "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=0")
        #expect(
            old.warnings == [
                #"Migrated sysctl "net.ipv4.conf.eth0.log_martians" to "#
                    + #"DriverOpts{"\#(option)":"net.ipv4.conf.IFNAME.log_martians=1"}."#
            ])
        let other = #expect(throws: EngineError.self) {
            try read(body(#""net.ipv4.conf.eth1.log_martians":"1""#), APIVersion(1, 47))
        }
        #expect(other?.message.hasPrefix("unable to determine network endpoint for sysctl net.ipv4.conf.eth1.") == true)
        let new = #expect(throws: EngineError.self) { try read(body(one)) }
        #expect(
            new?.message == #"interface specific sysctl setting "net.ipv4.conf.eth0.log_martians" must be supplied "#
                + "using driver option '\(option)'")
        // There the device is not this container's.
        #expect(try read(body(one, "container:x")).spec.sysctls.count == 2)
    }

    @Test(
        "What the container can do without is warned about",
        arguments: [
            (#"{"Image":"a","HostConfig":{"NetworkMode":"host","PublishAllPorts":true}}"#, "Published ports"),
            (#"{"Image":"a","HostConfig":{"KernelMemory":8000000}}"#, "kernel memory limit is deprecated"),
        ])
    func warned(body: String, word: String) throws {
        let request = try read(body)
        #expect(request.warnings.count == 1)
        #expect(request.warnings.first?.contains(word) == true)
    }
}

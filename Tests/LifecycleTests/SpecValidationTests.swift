import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct SpecValidationTests {
    @Test("No mount is in the root's own place, however it is written", arguments: ["/", "//", "/a/..", "/."])
    func ownPlace(target: String) {
        #expect(
            throws: EngineError(
                .invalid,
                "invalid mount config for type \"volume\": invalid specification: destination can't be '/'")
        ) { try MountRules.checkPlace(MountSpec(.volume, target: target)) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let message: String
        let change: @Sendable (inout ContainerSpec) -> Void
        var testDescription: String { message }

        init(_ message: String, _ change: @escaping @Sendable (inout ContainerSpec) -> Void) {
            self.message = message
            self.change = change
        }
    }

    static func bind(_ source: String, _ target: String) -> MountSpec {
        MountSpec(.bind, source: source, target: target)
    }

    static let cases = [
        Case("invalid cgroup parent: nul byte in a\0b") { $0.cgroupParent = "a\0b" },
        Case("invalid working directory: nul byte in /a\0b") { $0.workingDirectory = "/a\0b" },
        Case("invalid mount source: nul byte in /a\0b") { $0.mounts = [bind("/a\0b", "/c")] },
        Case("invalid mount path: nul byte in /a\0b") { $0.anonymousVolumes = ["/a\0b"] },
        Case("invalid device path: nul byte in /dev/a\0b") {
            $0.devices = [DeviceSpec(hostPath: "/dev/a\0b", containerPath: "/dev/a")]
        },
        Case("conflicting options: hostname and the network mode") {
            ($0.networkMode, $0.hostname) = (NetworkMode(rawValue: "container:x"), "h")
        },
        Case("conflicting options: dns and the network mode") {
            ($0.networkMode, $0.dnsServers) = (NetworkMode(rawValue: "container:x"), ["1.1.1.1"])
        },
        Case("conflicting options: custom host-to-IP mapping and the network mode") {
            ($0.networkMode, $0.extraHosts) = (NetworkMode(rawValue: "container:x"), ["a:1.1.1.1"])
        },
        Case("conflicting options: port exposing and the container type network mode") {
            ($0.networkMode, $0.exposedPorts) = (NetworkMode(rawValue: "container:x"), [ContainerPort(80)])
        },
        Case("Minimum memory limit allowed is 6MB") { $0.limits.memoryBytes = 4 << 20 },
        Case("Minimum memory limit allowed is 6MB") { $0.limits.memoryBytes = -5 },
        Case("You should always set the Memory limit when using Memoryswap limit, see usage") {
            $0.limits.memorySwapBytes = 64 << 20
        },
        Case("Minimum memoryswap limit should be larger than memory limit, see usage") {
            $0.limits.memoryBytes = 64 << 20
            $0.limits.memorySwapBytes = 32 << 20
        },
        Case("Minimum memory limit can not be less than memory reservation limit, see usage") {
            $0.limits.memoryBytes = 64 << 20
            $0.limits.memoryReservationBytes = 128 << 20
        },
        Case("Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available") {
            $0.limits.nanoCPUs = 3_000_000_000
        },
        Case("Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available") { $0.limits.nanoCPUs = 1 },
        Case("Conflicting options: Nano CPUs and CPU Quota cannot both be set") {
            $0.limits.nanoCPUs = 1_000_000_000
            $0.limits.cpuQuotaMicroseconds = 5000
        },
        Case("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)") {
            $0.limits.cpuPeriodMicroseconds = 999
        },
        Case("CPU cfs quota can not be less than 1ms (i.e. 1000)") { $0.limits.cpuQuotaMicroseconds = 999 },
        Case("Requested CPUs are not available - requested 1-2, available: 0-1") { $0.limits.cpusetCPUs = "1-2" },
        Case("Invalid value 2- for cpuset cpus: invalid format: 2-") { $0.limits.cpusetCPUs = "2-" },
        Case("SHM size can not be less than 0") { $0.shmSizeBytes = -1 },
        Case("Invalid value -1001, range for oom score adj is [-1000, 1000]") { $0.oomScoreAdjustment = -1001 },
        Case("invalid hostname format: a b") { $0.hostname = "a b" },
        Case("invalid hostname format: a\nb") { $0.hostname = "a\nb" },
        Case("invalid hostname format: \(String(repeating: "a", count: 65))") {
            $0.hostname = String(repeating: "a", count: 65)
        },
        Case("invalid environment variable: =x") { $0.environment = ["=x"] },
        Case("the working directory 'x' is invalid, it needs to be an absolute path") { $0.workingDirectory = "x" },
        Case("invalid signal: SIGFOO") { $0.stopSignal = "SIGFOO" },
        Case("invalid CapAdd: unknown capability: \"CAP_FLY\"") { $0.addedCapabilities = ["fly"] },
        Case(
            "invalid CapAdd: capability not supported by your kernel or not available in the current environment: "
                + "\"CAP_SYS_RESOURCE\""
        ) { $0.addedCapabilities = ["SYS_RESOURCE"] },
        Case("invalid ulimit type: files") { $0.ulimits = [Ulimit(name: "files", soft: 1, hard: 1)] },
        Case("ulimit soft limit must be less than or equal to hard limit: 5 > 3") {
            $0.ulimits = [Ulimit(name: "nofile", soft: 5, hard: 3)]
        },
        Case("invalid mount config for type \"bind\": invalid mount path: 'x' mount path must be absolute") {
            $0.mounts = [bind("x", "/y")]
        },
        Case("invalid mount config for type \"bind\": invalid specification: destination can't be '/'") {
            $0.mounts = [bind("/x", "/a/..")]
        },
        Case("invalid tmpfs option [\"foo\"]") {
            $0.mounts = [MountSpec(.tmpfs, target: "/y")]
            $0.mounts[0].options = ["size=1m", "noexec", "foo"]
        },
        Case("invalid tmpfs option [\"foo\" \"bar\"]") {
            $0.mounts = [MountSpec(.tmpfs, target: "/y")]
            $0.mounts[0].options = ["foo=bar"]
        },
        Case("user specified IP address is supported on user defined networks only") {
            $0.networkMode = NetworkMode.none
            $0.networks["none"] = EndpointSpec()
            $0.networks["none"]?.ipv4Address = "10.1.2.3"
        },
        Case("network-scoped alias is supported only for containers in user defined networks") {
            $0.networkMode = .host
            $0.networks["host"] = EndpointSpec()
            $0.networks["host"]?.aliases = ["a"]
        },
        Case("Duplicate mount point: /y") { $0.mounts = [bind("/x", "/y"), MountSpec(.tmpfs, target: "/y/")] },
    ]

    @Test("What is out of range is refused in docker's words", arguments: cases)
    func refused(_ wrong: Case) {
        var spec = ContainerSpec(image: "x")
        wrong.change(&spec)
        #expect(throws: EngineError(.invalid, wrong.message)) {
            try SpecValidation.check(spec, host: SpecBuilderTests.host)
        }
    }

    @Test(
        "A host may be called as docker lets it be called, with an underscore or a hyphen anywhere",
        arguments: ["a.b-c", "my_app", "-x-", "1", "ä", String(repeating: "a", count: 64)])
    func hostnames(name: String) throws {
        var spec = ContainerSpec(image: "x")
        spec.hostname = name
        #expect(try SpecValidation.check(spec, host: SpecBuilderTests.host) == [])
    }

    @Test("What is in range is taken, and a machine without swap accounting says so")
    func taken() throws {
        var spec = ContainerSpec(image: "x")
        spec.limits.memoryBytes = 6 << 20
        spec.limits.nanoCPUs = 10_000_000
        spec.limits.cpusetCPUs = "0,1"
        spec.ulimits = [Ulimit(name: "core", soft: -1, hard: -1)]
        var host = SpecBuilderTests.host
        #expect(try SpecValidation.check(spec, host: host) == [])
        host.hasSwapLimit = false
        #expect(try SpecValidation.check(spec, host: host).count == 1)
        host.hasSwapLimit = true
        spec.limits.blockIOWeight = 100
        #expect(try SpecValidation.check(spec, host: host) == [])
        host.hasBlockWeight = false
        #expect(
            try SpecValidation.check(spec, host: host)
                == ["Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."])
        // Of no use here, whatever it is; and not kept, so that no later update warns of it.
        spec.limits.blockIOWeight = 5
        #expect(try SpecValidation.check(spec, host: host).count == 1)
        #expect(spec.limits.kept(by: host).blockIOWeight == nil && spec.limits.kept(by: host).nanoCPUs == 10_000_000)
        host.hasBlockWeight = true
        #expect(spec.limits.kept(by: host) == spec.limits)
        #expect(throws: EngineError(.invalid, "Range of blkio weight is from 10 to 1000")) {
            try SpecValidation.check(spec, host: host)
        }
    }

    @Test("Labels of SELinux mean nothing where the kernel has none, and are refused where it would go by them")
    func labels() throws {
        var spec = ContainerSpec(image: "x")
        spec.securityLabels = ["disable", "level:s0"]
        var host = SpecBuilderTests.host
        #expect(try SpecValidation.check(spec, host: host) == [])
        host.hasSELinux = true
        #expect(throws: EngineError(.unsupported, "the security option `label=level:s0` is not supported yet")) {
            try SpecValidation.check(spec, host: host)
        }
        spec.securityLabels = ["disable"]
        #expect(try SpecValidation.check(spec, host: host) == [])
    }

    @Test("An update takes a limit of memory away by -1; what is less is refused")
    func liftedMemory() throws {
        var limits = ResourceLimits()
        (limits.memoryBytes, limits.memorySwapBytes) = (64 << 20, 128 << 20)
        var change = ResourceLimits()
        change.memoryBytes = -1
        #expect(try limits.updated(by: change) == ResourceLimits())
        change.memoryBytes = -5
        #expect(throws: EngineError(.invalid, "Minimum memory limit allowed is 6MB")) {
            try limits.updated(by: change)
        }
    }

    @Test(
        "Names of containers are docker's",
        arguments: [
            ("web", true), ("a.b_c-9", true), ("a", false), ("-x", false), ("a/b", false), ("", false), ("é1", false),
        ])
    func names(name: String, isValid: Bool) {
        if isValid {
            #expect(throws: Never.self) { try ContainerName.check(name) }
        } else {
            #expect(throws: EngineError.self) { try ContainerName.check(name) }
        }
        #expect(throws: Never.self) { try ContainerName.check(ContainerName.makeUp(attempt: 3)) }
    }
}

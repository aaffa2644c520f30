import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// A configuration that is no configuration: told where, and nothing of a container is left.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct BadConfigTests {
    private static let ours = RuntimeUnderTest.ours

    private func expectRefusal(
        _ text: [UInt8], saying words: String, by runtime: RuntimeUnderTest = ours,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let container = try TestContainer(runtime, ["true"])
        try FileContents.replace("\(container.bundle)/config.json", with: text, mode: 0o644, durable: false)
        for command in ["create", "run"] {
            let result = try container.command(command, container.id)
            #expect(result.code == 1, "\(command): \(result.errors)", sourceLocation: sourceLocation)
            if runtime.name == Self.ours.name {
                #expect(result.errors.contains(words), "\(command): \(result.errors)", sourceLocation: sourceLocation)
            }
            #expect(result.output == "", sourceLocation: sourceLocation)
            #expect(try container.leftovers() == [], sourceLocation: sourceLocation)
        }
    }

    @Test("A text cut anywhere is refused", arguments: RuntimeUnderTest.all)
    func truncated(_ runtime: RuntimeUnderTest) throws {
        let whole = Invocation.template().json.prettyBytes()
        for part in 0..<8 {
            try expectRefusal(Array(whole[..<(whole.count * part / 8)]), saying: "invalid JSON at byte", by: runtime)
        }
    }

    @Test("A text that is no object, or not UTF-8, or nested without end, is refused")
    func malformed() throws {
        try expectRefusal(Array("[]".utf8), saying: "config.json: must be an object")
        try expectRefusal(Array("null".utf8), saying: "config.json: must be an object")
        try expectRefusal(Array("{} {}".utf8), saying: "text after the value")
        try expectRefusal(Array(#"{"ociVersion": "1.0.2", "x": ""#.utf8) + [0xFF, 0x22, 0x7D], saying: "not UTF-8")
        for bracket in ["[", "{\"a\":"] {
            try expectRefusal(Array(String(repeating: bracket, count: 200_000).utf8), saying: "nested too deeply")
        }
    }

    @Test("A text of more than four mebibytes is not read")
    func huge() throws {
        let space = [UInt8](repeating: 32, count: 5 << 20)
        try expectRefusal(space + Invocation.template().json.compactBytes, saying: "config.json is larger than")
    }

    @Test("What is no file is not waited for")
    func pipe() throws {
        let container = try TestContainer(Self.ours, ["true"])
        mkfifo("\(container.bundle)/config.json", 0o644)
        let result = try container.command("create", container.id)
        #expect(result.code == 1)
        #expect(result.errors.contains("config.json is not a regular file"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    /// The way to a value, what is put there, and what is said of it.
    private static let wrongValues: [(String, JSONValue, String)] = [
        ("ociVersion", 1, "ociVersion: must be a string"),
        ("ociVersion", .null, "ociVersion: is required"),
        ("root", [], "root"), ("root.path", 7, "root.path: must be a string"),
        ("root.path", "", "Root must be specified"), ("root.readonly", "yes", "root.readonly: must be true or false"),
        ("root.path", "a\0b", "root.path: must not contain a NUL"),
        ("process.args", "sh", "process.args: must be an array"),
        ("process.args", [], "args must not be empty"),
        ("process.args[0]", 7, "process.args[0]: must be a string"),
        ("process.env[0]", false, "process.env[0]: must be a string"),
        ("process.cwd", "tmp", "Cwd must be an absolute path"),
        ("process.terminal", 1, "process.terminal: must be true or false"),
        ("process.user.uid", -1, "process.user.uid: must be a whole number from 0"),
        ("process.user.uid", 4_294_967_296, "process.user.uid: must be a whole number from 0"),
        ("process.user.gid", "root", "process.user.gid: must be a whole number"),
        ("process.user.additionalGids", [-5], "process.user.additionalGids[0]: must be a whole number"),
        ("process.user", "1000", "process.user: must be an object"),
        ("process.user", .number(1.5), "process.user: must be an object"),
        ("process.consoleSize", [], "process.consoleSize: must be an object"),
        ("process.capabilities", true, "process.capabilities: must be an object"),
        ("process.rlimits[0].type", "RLIMIT_FOO", "RLIMIT_FOO"),
        ("process.rlimits[0].soft", .number(1.5), "process.rlimits[0].soft: must be a whole number"),
        ("process.capabilities.bounding", ["CAP_KILL", 3], "process.capabilities.bounding[1]: must be a string"),
        ("process.oomScoreAdj", .number(1e30), "process.oomScoreAdj: must be a whole number"),
        ("process.consoleSize", ["height": -1, "width": 2], "process.consoleSize.height: must be a whole number"),
        ("mounts", [:], "mounts: must be an array"), ("mounts[1]", "x", "mounts[1]"),
        ("mounts[0].destination", .null, "mounts[0].destination: is required"),
        ("mounts[2].options", "ro", "mounts[2].options: must be an array"),
        ("mounts[2].options[0]", 1, "mounts[2].options[0]: must be a string"),
        ("hooks", ["prestart": [["path": 1]]], "hooks.prestart[0].path: must be a string"),
        ("hooks", ["poststop": [["path": "/x", "timeout": 0]]], "timeout must be above zero"),
        ("hooks", 2, "hooks: must be an object"),
        ("annotations", ["a": 1], "annotations.a: must be a string"),
        ("linux.namespaces", ["pid"], "linux.namespaces[0]"),
        ("linux.namespaces[0].type", "flat", "linux.namespaces[0].type"),
        ("linux.resources", ["memory": ["limit": "64m"]], "linux.resources.memory.limit: must be a whole number"),
        ("linux.resources", ["memory": .number(1.5)], "linux.resources.memory: must be an object"),
        ("linux.resources", ["cpu": .number(1.8e19)], "linux.resources.cpu: must be an object"),
        ("linux.resources", ["pids": 5], "linux.resources.pids: must be an object"),
        ("linux.timeOffsets", ["monotonic": .number(1.5)], "linux.timeOffsets.monotonic: must be an object"),
        ("linux.resources", ["pids": ["limit": "many"]], "linux.resources.pids.limit: must be a whole number"),
        ("linux.resources.devices[0].allow", "no", "linux.resources.devices[0].allow: must be true or false"),
        (
            "linux.resources.devices", [["allow": true, "type": "c", "major": 4_294_967_297, "minor": 3]],
            "linux.resources.devices[0].major: must be at most 4294967295"
        ),
        ("linux.devices", [["path": "/dev/x", "type": "z"]], "linux.devices[0].type"),
        (
            "linux.devices", [["path": "/dev/x", "type": "c", "major": -1, "minor": 1]],
            "linux.devices[0].major: must be from 0 to 4095"
        ),
        (
            "linux.devices", [["path": "/dev/x", "type": "c", "major": 1, "minor": 9_223_372_036_854_775_807]],
            "linux.devices[0].minor: must be from 0 to 1048575"
        ),
        ("linux.sysctl", ["net.ipv4.ip_forward": 1], "linux.sysctl.net.ipv4.ip_forward: must be a string"),
        ("linux.maskedPaths[0]", 1, "linux.maskedPaths[0]: must be a string"),
        ("linux.seccomp", ["syscalls": []], "linux.seccomp.defaultAction: is required"),
        (
            "linux.seccomp",
            [
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [
                    ["names": ["read"], "action": "SCMP_ACT_LOG", "args": [["index": 6, "value": 0, "op": "x"]]]
                ],
            ], "linux.seccomp.syscalls[0].args[0].index: must be 0 to 5"
        ),
        ("linux.uidMappings", [["containerID": 0, "hostID": 0]], "linux.uidMappings[0].size: is required"),
        ("linux.rootfsPropagation", "upwards", "linux.rootfsPropagation"),
    ]

    @Test("A wrong value is told with the way to it", arguments: wrongValues)
    func wrongValue(_ way: String, _ value: JSONValue, _ words: String) throws {
        var spec = Invocation.template()
        spec.process?.terminal = false
        var json = spec.json
        json = Self.putting(
            value, at: way.split(whereSeparator: { ".[]".contains($0) }).map(String.init)[...], into: json)
        try expectRefusal(json.compactBytes, saying: words)
    }

    /// `value` in the place of what is at the end of the way.
    static func putting(_ value: JSONValue, at way: ArraySlice<String>, into json: JSONValue) -> JSONValue {
        guard let name = way.first else { return value }
        if case .array(var elements) = json, let index = Int(name), elements.indices.contains(index) {
            elements[index] = putting(value, at: way.dropFirst(), into: elements[index])
            return .array(elements)
        }
        var object = json.object ?? JSONObject()
        object[name] = putting(value, at: way.dropFirst(), into: object[name] ?? .object(JSONObject()))
        return .object(object)
    }

    @Test("Many members, names and rules cost no more than their number")
    func manyMembers() throws {
        let members = (0..<120_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
        let doubles = (0..<60_000).map { "\"d\($0)\":1,\"d\($0)\":2" }.joined(separator: ",")
        let json = try JSONValue(parsing: "{\"ociVersion\":\"1.0.2\",\(members),\(doubles)}")
        let spec = try RuntimeSpec(json)
        #expect(spec.other.count == 180_000)
        #expect(spec.other["d59999"]?.integer == 2)
        var process = RuntimeProcess(args: ["x"])
        process.cwd = "/"
        process.capabilities = RuntimeCapabilities()
        process.capabilities?.bounding = (0..<100_000).map { "CAP_\($0)" }
        let facts = HostFacts(layout: ContainerPlanTests.unified, capabilities: CapabilitySet(rawValue: 1))
        #expect(try ProcessPlan(process, facts: facts).unknownCapabilities.count == 100_000)
    }
}

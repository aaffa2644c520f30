import Glibc
import JSON
import Linux
import OCI
import Testing

/// `events` of real containers.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct EventsTests {
    @Test("events --stats prints one line with what the container uses", arguments: RuntimeUnderTest.all)
    func statistics(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
        container.spec.linux.resources?.pids = LinuxPids(limit: 20)
        try container.createAndStart()
        let result = try container.command("events", "--stats", container.id)
        #expect(result.code == 0, "\(result.errors)")
        let event = try JSONValue(parsing: result.output)
        #expect(event["type"]?.string == "stats")
        #expect(event["id"]?.string == container.id)
        let data = try #require(event["data"])
        #expect(data["pids"]?["current"]?.integer == 1)
        #expect(data["pids"]?["limit"]?.integer == 20)
        #expect(data["memory"]?["usage"]?["limit"]?.integer == 64 << 20)
        #expect((data["memory"]?["usage"]?["usage"]?.integer ?? 0) > 0)
        #expect(data["memory"]?["raw"]?.object?.isEmpty == false)
        #expect((data["cpu"]?["usage"]?["total"]?.integer ?? 0) > 0)
        let members = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
        #expect(data.object?.members.map(\.name) == members)
    }

    @Test("events of what does not run are refused", arguments: RuntimeUnderTest.all)
    func refused(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        #expect(try container.command("events", "--interval", "0s", container.id).errors.contains("greater than 0"))
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        try container.waitForEnd()
        let result = try container.command("events", container.id)
        #expect(result.code == 1)
        #expect(result.errors.contains("is not running"))
    }

    @Test("events end when nobody reads them any more")
    func readerGone() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let (reading, writing) = try Descriptor.pipe()
        var spawn = Spawn(
            program: container.runtime.path,
            arguments: ["gantry-runtime", "--root", container.root, "events", "--interval", "50ms", container.id])
        spawn.descriptors = [nil, writing, nil]
        let process = try PidFD.open(pid: try spawn.start())
        writing.close()
        var lines = EventLines(reading)
        #expect(try lines.next()?["type"]?.string == "stats")
        reading.close()
        #expect(try PidFD.reap(process) == 0)
    }

    @Test("events tell each interval what is used, that memory ran out, and end with the container")
    func stream() throws {
        // The shell outlives its child, which is killed: so the kill is told while the container runs.
        let eater = "dd if=/dev/zero of=/dev/null bs=100M count=1"
        let container = try TestContainer(
            .ours, ["sh", "-c", "read line <&3; sh -c '\(eater)'; read line <&3; sleep 0"])
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 16 << 20)
        try container.write()
        let (gate, opener) = try Descriptor.pipe()
        let (reading, writing) = try Descriptor.pipe()
        defer { for end in [gate, opener, reading] { end.close() } }
        let created = try container.command("create", "--preserve-fds", "1", container.id, extra: [gate])
        try #require(created.code == 0, "\(created.errors)")
        #expect(try container.command("start", container.id).code == 0)
        var spawn = Spawn(
            program: container.runtime.path,
            arguments: ["gantry-runtime", "--root", container.root, "events", "--interval", "50ms", container.id])
        spawn.descriptors = [nil, writing, nil]
        let pid = try spawn.start()
        writing.close()
        var lines = EventLines(reading)
        #expect(try lines.next()?["type"]?.string == "stats")
        try opener.writeAll(Array("\n".utf8))
        var event = try lines.next()
        while event?["type"]?.string == "stats" { event = try lines.next() }
        #expect(event?["type"]?.string == "oom")
        #expect(event?["id"]?.string == container.id)
        #expect(event?["data"] == nil)
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        while try lines.next() != nil {}
        #expect(try PidFD.reap(try PidFD.open(pid: pid)) == 0)
    }
}

/// Lines of JSON from a pipe, as they come.
private struct EventLines {
    let pipe: Descriptor
    var rest: [UInt8] = []

    init(_ pipe: Descriptor) { self.pipe = pipe }

    mutating func next() throws -> JSONValue? {
        while true {
            if let end = rest.firstIndex(of: 10) {
                let line = Array(rest[..<end])
                rest.removeFirst(end + 1)
                return try JSONValue(parsing: line)
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = try pipe.read(into: &chunk)
            if count == 0 { return nil }
            rest += chunk[..<count]
        }
    }
}

import EngineAPI
import Linux
import LocalEngine
import Testing

/// What `daemon.json` gives containers that say nothing.
@Suite(
    .timeLimit(.minutes(2)),
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ContainerDefaultsTests {
    private static let file = #"""
        {"dns": ["192.0.2.53"], "dns-search": ["lan.example"], "dns-opts": ["ndots:3"],
         "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 111, "Hard": 222}, "core": {"soft": 0, "hard": 0}},
         "default-shm-size": "8M", "bip": "10.0.0.1/24", "hosts": []}
        """#

    @Test("Name servers, limits of processes and shared memory are those of the file, unless a container says its own")
    func defaults() async throws {
        try await EngineBench.with { engine, bench in
            try FileContents.replace(
                bench.configuration.configurationPath, with: Array(Self.file.utf8), durable: false)
            try await engine.reload()
            let plain = try await bench.create("exec sleep 100", on: engine) { $0.networkMode = .bridge }
            let own = try await bench.create("exec sleep 100", on: engine) { spec in
                spec.networkMode = .bridge
                (spec.dnsServers, spec.dnsOptions) = (["192.0.2.1"], ["ndots:1"])
                spec.ulimits = [Ulimit(name: "nofile", soft: 50, hard: 60)]
                spec.shmSizeBytes = 1 << 20
            }
            for id in [plain, own] { try await engine.start(id) }
            let text = try await EngineBench.text(of: "/etc/resolv.conf", plain, engine)
            for line in ["nameserver 192.0.2.53\n", "search lan.example\n", "options ndots:3\n"] {
                #expect(text.contains(line), "\(text)")
            }
            let other = try await EngineBench.text(of: "/etc/resolv.conf", own, engine)
            #expect(other.contains("nameserver 192.0.2.1\n") && !other.contains("192.0.2.53"))
            #expect(other.contains("search lan.example\n") && other.contains("options ndots:1\n"))
            #expect(try await Self.limit("Max open files", plain, engine) == ["111", "222"])
            #expect(try await Self.limit("Max core file size", plain, engine) == ["0", "0"])
            #expect(try await Self.limit("Max open files", own, engine) == ["50", "60"])
            #expect(try await Self.limit("Max core file size", own, engine) == ["0", "0"])
            let exec = ExecSpec(command: ["sh", "-c", "ulimit -n; ulimit -Hn"])
            let stream = try await engine.startExec(try await engine.createExec(plain, exec), size: nil)
            var said: [UInt8] = []
            while let chunk = try await stream.read() { if case .stdout(let bytes) = chunk { said += bytes } }
            #expect(String(decoding: said, as: UTF8.self) == "111\n222\n")
            // As docker: the memory's size is the container's own from its creation on, the others are not told of.
            let details = try await engine.inspect(plain).spec
            #expect(details.shmSizeBytes == 8 << 20 && details.dnsServers == [] && details.ulimits == [])
            #expect(try await engine.inspect(own).spec.shmSizeBytes == 1 << 20)
        }
    }

    @Test("What the file says in vain is told of")
    func vain() async throws {
        try await EngineBench.with { engine, bench in
            try FileContents.replace(
                bench.configuration.configurationPath, with: Array(Self.file.utf8), durable: false)
            try await engine.reload()
            let warnings = try await engine.info().warnings.filter { $0.contains("daemon.json") }
            #expect(
                warnings
                    == ["bip", "hosts"].map {
                        "WARNING: daemon.json: `\($0)` is not offered by this engine, and has no effect"
                    })
        }
    }

    /// A row of the process's limits: soft and hard.
    private static func limit(_ name: String, _ id: String, _ engine: GantryEngine) async throws -> [String] {
        let pid = try await engine.inspect(id).state.pid
        let text = String(decoding: try FileContents.read("/proc/\(pid)/limits"), as: UTF8.self)
        let row = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return row.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init)
    }
}

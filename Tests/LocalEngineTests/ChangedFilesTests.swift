import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// What a container writes into the files that the engine has put into its /etc.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ChangedFilesTests {
    private static func write(_ words: String, _ path: String, _ id: String, _ engine: GantryEngine) async throws {
        let file = "/proc/\(try await engine.inspect(id).state.pid)/root\(path)"
        let descriptor = OwnedDescriptor(try Descriptor.open(file, O_WRONLY | O_APPEND))
        try descriptor.descriptor.writeAll(Array(words.utf8))
    }

    @Test("To join and leave a network moves a container's own lines of hosts; a changed resolv.conf is left as it is")
    func liveConnection() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["front", "back"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let id = try await bench.create("sleep 100", on: engine) { spec in
                spec.networkMode = .bridge
                spec.hostname = "web"
            }
            try await engine.start(id)
            func text(_ name: String) async throws -> String {
                try await EngineBench.text(of: "/etc/\(name)", id, engine)
            }
            func line(_ network: String) async throws -> String {
                let endpoint = try await engine.inspect(id).networks.first { $0.networkName == network }
                return "\(try #require(endpoint).ipv4Address)\tweb\n"
            }
            let plain = try await text("resolv.conf")
            try await Self.write("1.2.3.4 mine\n", "/etc/hosts", id, engine)
            try await engine.connect(id, to: "front", EndpointSpec())
            let (own, front) = (try await line("bridge"), try await line("front"))
            #expect(try await text("hosts").hasSuffix("\n\(own)1.2.3.4 mine\n\(front)"))
            #expect(try await text("resolv.conf").contains("nameserver 127.0.0.11\n"))
            try await engine.disconnect(id, from: "front", force: false)
            #expect(try await text("hosts").hasSuffix("\n\(own)1.2.3.4 mine\n"))
            #expect(try await text("resolv.conf") == plain)
            try await Self.write("options rotate\n", "/etc/resolv.conf", id, engine)
            for name in ["front", "back"] { try await engine.connect(id, to: name, EndpointSpec()) }
            try await engine.disconnect(id, from: "bridge", force: false)
            let both = try await line("front") + line("back")
            #expect(try await text("hosts").hasSuffix("ip6-allrouters\n1.2.3.4 mine\n\(both)"))
            #expect(try await text("resolv.conf") == plain + "options rotate\n")
        }
    }
}

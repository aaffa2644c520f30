import EngineAPI
import Glibc
import Linux
import LocalEngine
import NameService
import Testing

/// Containers that know others under names of their own.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct LinkTests {
    private func environment(_ id: String, _ engine: GantryEngine) async throws -> [String] {
        let pid = try await engine.inspect(id).state.pid
        return try FileContents.read("/proc/\(pid)/environ").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func address(_ id: String, _ engine: GantryEngine) async throws -> String {
        try await engine.inspect(id).networks.first?.ipv4Address ?? ""
    }

    @Test("In the default network a link is told by /etc/hosts and the environment, and follows the other's address")
    func defaultNetwork() async throws {
        try await EngineBench.with { engine, bench in
            let database = try await bench.create("exec sleep 1000", name: "database", on: engine) { spec in
                spec.networkMode = nil
                (spec.hostname, spec.environment, spec.exposedPorts) = ("dbhost", ["A=b"], [ContainerPort(80)])
            }
            try await engine.start(database)
            let web = try await bench.create("exec sleep 1000", name: "web", on: engine) { spec in
                spec.networkMode = nil
                spec.links = [ContainerLink(name: "database", alias: "db")]
            }
            try await engine.start(web)
            let first = try await address(database, engine)
            #expect(
                try await EngineBench.text(of: "/etc/hosts", web, engine).contains("\n\(first)\tdb dbhost database\n"))
            let variables = try await environment(web, engine)
            for variable in ["DB_PORT=tcp://\(first):80", "DB_NAME=/web/db", "DB_ENV_A=b"] {
                #expect(variables.contains(variable), "\(variable) in \(variables)")
            }
            #expect(try await engine.inspect(web).spec.links.map(\.text) == ["database:db"])
            var filter = ContainerFilter(all: true)
            filter.ids = [database]
            #expect(try await engine.containers(filter).first?.linkNames == ["web/db"])
            // Out of the network and back it has another address.
            try await engine.stop(database, signal: "KILL", timeoutSeconds: 0)
            try await engine.disconnect(database, from: "bridge", force: false)
            try await engine.connect(database, to: "bridge", EndpointSpec())
            try await engine.start(database)
            let second = try await address(database, engine)
            #expect(second != first)
            let line = "\n\(second)\tdb dbhost database\n"
            #expect(try await eventually { try await EngineBench.text(of: "/etc/hosts", web, engine).contains(line) })
            try await engine.rename(database, to: "other")
            #expect(try await engine.inspect(web).spec.links.map(\.text) == ["other:db"])
            try await engine.rename(web, to: "shop")
            #expect(try await engine.containers(filter).first?.linkNames == ["shop/db"])
            try await engine.remove(web, force: true, volumes: false)
            #expect(try await engine.containers(filter).first?.linkNames == [])
        }
    }

    @Test("A link is removed alone: the name is gone from /etc/hosts and from the lists, and both containers stay")
    func removal() async throws {
        try await EngineBench.with { engine, bench in
            let database = try await bench.create("exec sleep 1000", name: "database", on: engine) {
                $0.networkMode = nil
            }
            try await engine.start(database)
            let web = try await bench.create("exec sleep 1000", name: "web", on: engine) { spec in
                spec.networkMode = nil
                spec.links = [
                    ContainerLink(name: "database", alias: "db"), ContainerLink(name: "database", alias: "second"),
                ]
            }
            try await engine.start(web)
            var filter = ContainerFilter(all: true)
            filter.ids = [database]
            #expect(try await engine.containers(filter).first?.linkNames == ["web/db", "web/second"])
            try await engine.removeLink("/web/db")
            let hosts = try await EngineBench.text(of: "/etc/hosts", web, engine)
            #expect(!hosts.contains("\tdb ") && hosts.contains("\tsecond "), "\(hosts)")
            #expect(try await engine.inspect(web).spec.links.map(\.alias) == ["second"])
            #expect(try await engine.containers(filter).first?.linkNames == ["web/second"])
            for (name, kind, words) in [
                ("web/db", .notFound, "No such container: web/db"), ("no/db", .notFound, "No such container: no/db"),
                ("no", .notFound, "No such container: no"),
                ("web", .conflict, "Conflict, cannot remove the default link name of the container"),
            ] as [(String, EngineError.Kind, String)] {
                let error = await #expect(throws: EngineError.self) { try await engine.removeLink(name) }
                #expect(error?.kind == kind && error?.message == words)
            }
            try await engine.removeLink("web/second")
            #expect(try await engine.containers(filter).first?.linkNames == [])
            // Nobody needs the other one any more.
            try await engine.remove(database, force: true, volumes: false)
            try await engine.restart(web, signal: "KILL", timeoutSeconds: 0)
        }
    }

    @Test("Who does not run, or is in another network, cannot be linked to")
    func refusals() async throws {
        try await EngineBench.with { engine, bench in
            _ = try await engine.createNetwork(NetworkSpec(name: "front"))
            _ = try await bench.create("exec sleep 1000", name: "apart", on: engine) {
                $0.networkMode = NetworkMode(rawValue: "front")
            }
            let database = try await bench.create("exec sleep 1000", name: "database", on: engine) {
                $0.networkMode = nil
            }
            for (name, mode, words) in [
                ("nosuch", nil, "could not get container for nosuch: No such container: nosuch"),
                ("apart", nil, "Cannot link to /apart, as it does not belong to the default network"),
                ("database", NetworkMode.host, "host type networking can't be used with links"),
            ] as [(String, NetworkMode?, String)] {
                let error = await #expect(throws: EngineError.self) {
                    _ = try await bench.create("true", on: engine) { spec in
                        spec.networkMode = mode
                        spec.links = [ContainerLink(name: name, alias: "x")]
                    }
                }
                #expect(error?.kind == .invalid)
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
            let web = try await bench.create("exec sleep 1000", name: "web", on: engine) { spec in
                spec.networkMode = nil
                spec.links = [ContainerLink(name: "database", alias: "db")]
            }
            let error = await #expect(throws: EngineError.self) { try await engine.start(web) }
            #expect(error?.message == "Cannot link to a non running container: /database AS /web/db")
            try await engine.start(database)
            try await engine.start(web)
        }
    }

    @Test("In a network of the user's a link is a name that this container alone can ask for")
    func userNetwork() async throws {
        try await EngineBench.with { engine, bench in
            var network = NetworkSpec(name: "front")
            network.isInternal = true
            _ = try await engine.createNetwork(network)
            let mode = NetworkMode(rawValue: "front")
            let database = try await bench.create("exec sleep 1000", name: "database", on: engine) {
                $0.networkMode = mode
            }
            try await engine.start(database)
            let web = try await bench.create("exec sleep 1000", name: "web", on: engine) { spec in
                spec.networkMode = mode
                spec.networks["front"] = EndpointSpec()
                spec.networks["front"]?.links = [ContainerLink(name: "database", alias: "db")]
            }
            try await engine.start(web)
            let own = try await NetworkPeer(web, engine)
            defer { own.close() }
            let other = try await NetworkPeer(database, engine)
            defer { other.close() }
            let first = try #require(IPAddress(try await address(database, engine)))
            #expect(try own.resolve("db") == [.address(first)])
            #expect(try other.resolve("db") == nil)
            #expect(try await engine.inspect(web).networks.first?.spec.links.map(\.text) == ["database:db"])
            // The name stands for whoever has the other's name now.
            try await engine.stop(database, signal: "KILL", timeoutSeconds: 0)
            #expect(try eventually { try own.resolve("db") == nil })
            try await engine.start(database)
            let second = try #require(IPAddress(try await address(database, engine)))
            #expect(try eventually { try own.resolve("db") == [.address(second)] })
        }
    }
}

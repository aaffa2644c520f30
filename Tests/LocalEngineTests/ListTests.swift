import EngineAPI
import LocalEngine
import Testing

/// What lists show, and what their filters choose.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct ListTests {
    @Test("A filter that is exponential where it is tried out and taken back is answered like any other")
    func catastrophicFilter() async throws {
        try await EngineBench.with { engine, bench in
            let name = String(repeating: "a", count: 60) + "b"
            _ = try await bench.create("true", name: name, on: engine)
            var filter = ContainerFilter(all: true)
            for (pattern, count) in [("^/?(a+)+$", 0), ("^/?(a+)+b$", 1), ("(a|a)*c", 0)] {
                filter.names = [pattern]
                #expect(try await engine.containers(filter).count == count, "\(pattern)")
            }
            filter.names = ["(a"]
            let error = await #expect(throws: EngineError.self) { try await engine.containers(filter) }
            #expect(error?.kind == .invalid)
        }
    }

    @Test("Names and ids are looked for by regular expressions in every list")
    func expressions() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("true", name: "web", on: engine)
            for name in ["proxy", "reverse-proxy"] {
                _ = try await engine.createNetwork(NetworkSpec(name: name))
                _ = try await engine.createVolume(VolumeSpec(name: name))
            }
            let networks = try await engine.networks(NetworkFilter())
            for (pattern, names) in [
                ("^proxy$", ["proxy"]), ("proxy$", ["proxy", "reverse-proxy"]), ("^p", ["proxy"]), ("^x", []),
                ("prox", ["proxy", "reverse-proxy"]), ("^(bridge|x)$", ["bridge"]),
            ] {
                var filter = NetworkFilter()
                filter.names = [pattern]
                #expect(try await engine.networks(filter).map(\.spec.name) == names, "\(pattern)")
                var volumes = VolumeFilter()
                volumes.names = [pattern]
                let found = try await engine.volumes(volumes).map(\.spec.name).sorted()
                #expect(found == names.filter { $0 != "bridge" }, "\(pattern)")
            }
            let proxy = try #require(networks.first { $0.spec.name == "proxy" })
            var byID = NetworkFilter()
            byID.ids = ["^\(proxy.id.prefix(12))"]
            #expect(try await engine.networks(byID).map(\.id) == [proxy.id])
            var containers = ContainerFilter(all: true)
            containers.ids = ["^\(id.prefix(12))"]
            #expect(try await engine.containers(containers).map(\.id) == [id])
        }
    }

    @Test("A container shows its image's id once the name is another image's, or nobody's")
    func movedName() async throws {
        try await EngineBench.with { engine, bench in
            try await engine.tagImage("gantry/starter", as: "app:1")
            let moved = try await bench.create("true", name: "moved", on: engine) { $0.image = "app:1" }
            _ = try await bench.create("true", name: "steady", on: engine)
            func images() async throws -> [String: String] {
                let list = try await engine.containers(ContainerFilter(all: true))
                return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.image) })
            }
            #expect(try await images() == ["moved": "app:1", "steady": "gantry/starter"])
            let revision = try #require(engine.containersRevision)
            _ = try await engine.removeImage("app:1", force: true, prune: true)
            #expect(engine.containersRevision != revision, "what was kept of the list is of no use now")
            let id = try await engine.inspect(moved).imageID
            #expect(try await images() == ["moved": id, "steady": "gantry/starter"])
            let changed = try await engine.commitContainer(moved, ContainerCommitRequest(name: "app:1"))
            #expect(changed != id)
            #expect(try await images()["moved"] == id)
            let fresh = try await bench.create("true", name: "fresh", on: engine) { $0.image = "app:1" }
            var heirs = ContainerFilter(all: true)
            heirs.ancestors = ["app:1"]
            #expect(try await engine.containers(heirs).map(\.id) == [fresh], "what bore the name is another's now")
            try await engine.remove(fresh, force: true, volumes: false)
            try await engine.tagImage(id, as: "app:1")
            #expect(try await images()["moved"] == "app:1")
        }
    }
}

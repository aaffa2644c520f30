import EngineAPI
import LocalEngine
import Testing

/// What is said of a wish that is not granted: docker's users, and their scripts, know the words.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct RefusalTests {
    @Test("What no container may be made from is refused to an update in the same words; else it is said of which one")
    func updates() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("true", name: "web", on: engine) { $0.autoRemove = true }
            var update = ContainerUpdate()
            update.limits.memoryBytes = 1 << 20
            let small = await #expect(throws: EngineError.self) { _ = try await engine.update("web", update) }
            #expect(small?.kind == .invalid && small?.message == "Minimum memory limit allowed is 6MB")
            update.limits = ResourceLimits()
            update.restartPolicy = RestartPolicy(.always)
            let policy = await #expect(throws: EngineError.self) { _ = try await engine.update("web", update) }
            #expect(
                policy?.message == "Cannot update container \(id): Restart policy cannot be updated because AutoRemove "
                    + "is enabled for the container")
        }
    }

    @Test("A name that a container cannot have is refused as one that was to be allocated")
    func names() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["web", "other"] { _ = try await bench.create("true", name: name, on: engine) }
            for (name, kind, words) in [
                ("other", .conflict, "Conflict. The container name \"/other\" is already in use by container"),
                ("a b", .invalid, "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
            ] as [(String, EngineError.Kind, String)] {
                let error = await #expect(throws: EngineError.self) { try await engine.rename("web", to: name) }
                #expect(error?.kind == kind)
                #expect(error?.message.hasPrefix("Error when allocating new name: \(words)") == true)
            }
            #expect(try await engine.inspect("web").name == "web")
        }
    }

    @Test("An option that no volume has, and one that is missed, are named with the volume")
    func volumes() async throws {
        try await EngineBench.with { engine, _ in
            for (options, words) in [
                (["bad": "x"], "create data: invalid option: \"bad\""),
                (["type": "nfs"], "create data: missing required option: \"device\""),
                (["device": "/dev/null"], "create data: missing required option: \"type\""),
            ] {
                var spec = VolumeSpec(name: "data")
                spec.options = options
                let error = await #expect(throws: EngineError.self) { _ = try await engine.createVolume(spec) }
                #expect(error?.kind == .invalid && error?.message == words, "\(error?.message ?? "")")
            }
        }
    }
}

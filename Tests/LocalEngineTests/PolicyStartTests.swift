import EngineAPI
import LocalEngine
import Testing

/// Which containers at rest an engine starts when it opens its data root.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct PolicyStartTests {
    private func states(_ engine: GantryEngine) async throws -> [String: ContainerStatus] {
        let list = try await engine.containers(ContainerFilter(all: true))
        return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.state.status) })
    }

    @Test("An engine starts nothing that rests; a daemon's start also starts what always runs, and what nobody stopped")
    func start() async throws {
        try await EngineBench.with { engine, bench in
            for (name, kind) in [
                ("always", RestartPolicy.Kind.always), ("unless", .unlessStopped), ("plain", .no), ("fresh", .always),
            ] {
                let id = try await bench.create("exec sleep 1000", name: name, on: engine) {
                    $0.restartPolicy = RestartPolicy(kind)
                }
                guard name != "fresh" else { continue }
                try await engine.start(id)
                try await engine.stop(id, signal: "KILL", timeoutSeconds: nil)
            }
            let resting: [String: ContainerStatus] = [
                "always": .exited, "unless": .exited, "plain": .exited, "fresh": .created,
            ]
            await engine.close()
            let next = try await bench.open()
            #expect(try await states(next) == resting)
            await next.close()
            var configuration = bench.configuration
            configuration.startsByPolicy = true
            let daemon = try await GantryEngine(configuration)
            var wanted = resting
            wanted["always"] = .running
            let expected = wanted
            let isSo = try await eventually { try await states(daemon) == expected }
            let found = try await states(daemon)
            #expect(isSo, "\(found)")
            await daemon.close()
        }
    }
}

import EngineAPI
import Glibc
import Testing

@Suite struct EndMomentTests {
    @Test(
        "Right after a container's end, whoever comes too late hears of a conflict, and why",
        .enabled(
            if: ServedEngine.missing == nil,
            "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
    func tooLate() async throws {
        let served = try await ServedEngine()
        let local = served.local
        _ = try await local.createNetwork(NetworkSpec(name: "one"))
        _ = try await local.createNetwork(NetworkSpec(name: "two"))
        var spec = ContainerSpec(image: "gantry/starter")
        spec.command = ["sleep", "1000"]
        spec.networkMode = NetworkMode(rawValue: "one")
        let id = try await local.create(spec, name: nil).id
        let actions: [(String, @Sendable () async throws -> Void)] = [
            (
                "exec",
                { try await local.startExecDetached(try await local.createExec(id, ExecSpec(command: ["true"]))) }
            ),
            ("top", { _ = try await local.top(id, psArguments: ["-ef"]) }),
            (
                "connect",
                {
                    if try await local.inspect(id).networks.contains(where: { $0.networkName == "two" }) {
                        try await local.disconnect(id, from: "two", force: false)
                    } else {
                        try await local.connect(id, to: "two", EndpointSpec())
                    }
                }
            ),
        ]
        for (name, action) in actions {
            for _ in 0..<5 {
                try await local.start(id)
                // Not by the engine, which is told of the end by the shim as of any other.
                let pid = try await local.inspect(id).state.pid
                #expect(kill(pid, SIGKILL) == 0)
                while true {
                    let isOver = try await !local.inspect(id).state.isAlive
                    do { try await action() } catch let error as EngineError {
                        #expect(error.kind == .conflict, "\(name): \(error)")
                        let words = ["not running", "stopped container", "no running network"]
                        #expect(words.contains { error.message.contains($0) }, "\(name): \(error)")
                    }
                    if isOver { break }
                }
            }
        }
        try await local.remove(id, force: true, volumes: true)
        try await served.clear()
    }
}

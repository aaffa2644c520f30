import EngineAPI
import Linux
import Testing

@Suite(.serialized, .enabled(if: EngineBench.missing == nil, "\(EngineBench.missing ?? "") is missing"))
struct CgroupParentTests {
    @Test("A container's cgroup lies below the one that its caller has chosen, and its processes are found there")
    func chosen() async throws {
        try await EngineBench.with { engine, bench in
            let parent = bench.configuration.cgroupParent + "/chosen"
            let id = try await bench.create("sleep 60", on: engine) { $0.cgroupParent = parent }
            try await engine.start(id)
            let details = try await engine.inspect(id)
            #expect(details.cgroupPath == "\(parent)/\(id)" && details.spec.cgroupParent == parent)
            let own = try FileContents.read("/proc/\(details.state.pid)/cgroup")
            #expect(String(decoding: own, as: UTF8.self).contains("\(parent)/\(id)"))
            #expect(try await engine.processes(id).contains { $0.pid == details.state.pid })
            #expect(try await engine.top(id, psArguments: []).rows.count == 1)
            try await engine.remove(id, force: true, volumes: false)
            // As docker, the engine leaves it to who made it.
            try Cgroup(path: parent, layout: CgroupLayout.current()).remove()
        }
    }
}

import EngineAPI
import Linux
import Testing

@testable import Tasks

/// What becomes of an exec's output while nobody is attached to it.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct SuccessionTests {
    private func started(_ bench: TaskBench, _ script: String) async throws -> any AttachedStream {
        try await bench.run(try bench.sh("a", "sleep 1000"))
        let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/sh", "-c", script]).compactBytes)
        let stream = try await bench.service.attach("a", execID: "e", AttachRequest(holdsBack: true))
        _ = try await bench.service.exec("a", exec)
        return stream
    }

    @Test("An exec whose client left alone is not held up")
    func clientLeft() async throws {
        try await TaskBench.with { bench in
            let stream = try await started(bench, "echo begun; cat /dev/zero | head -c 5000000; exit 4")
            #expect(try await bench.read(stream, until: "begun\n").hasPrefix("begun\n"))
            await stream.close()
            #expect(try await bench.execExit(of: "e").code == 4)
        }
    }
}

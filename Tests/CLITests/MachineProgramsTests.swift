import CLI
import EngineAPI
import Glibc
import Testing

/// Programs that are run beside the front end.
@Suite struct MachineProgramsTests {
    private static let environment = ["PATH=/usr/bin:/bin", "GREETING=hello"]

    @Test(
        "A program has its words as they are, its environment and directory; both streams are taken, and the exit code")
    func run() async throws {
        let script = "echo $GREETING \"$1\"; pwd >&2; exit 3"
        let (code, output) = try await MachinePrograms.run(
            ["sh", "-c", script, "sh", "a  b; c"], in: "/proc", environment: Self.environment)
        #expect(code == 3 && String(decoding: output, as: UTF8.self) == "hello a  b; c\n/proc\n")
        let killed = try await MachinePrograms.run(["sh", "-c", "kill -9 $$"], in: nil, environment: Self.environment)
        #expect(killed.code == 137 && killed.output.isEmpty)
    }

    @Test("Much is cut, and what a program leaves behind is not waited for")
    func ends() async throws {
        let script = "head -c 3000000 /dev/zero"
        let (code, output) = try await MachinePrograms.run(
            ["sh", "-c", script], in: nil, environment: Self.environment)
        #expect(code == 0 && output.count == MachinePrograms.limitBytes)
        let left = try await MachinePrograms.run(
            ["sh", "-c", "sleep 600 & echo $!"], in: nil, environment: Self.environment)
        let pid = Int32(String(decoding: left.output, as: UTF8.self).filter(\.isNumber)) ?? 0
        #expect(pid > 0 && kill(pid, SIGKILL) == 0)
    }

    @Test("One that cannot be started says which and why")
    func missing() async {
        let nowhere = await #expect(throws: EngineError.self) {
            _ = try await MachinePrograms.run(["no-such-program"], in: nil, environment: Self.environment)
        }
        #expect(nowhere?.message == "run `no-such-program`: there is no such program in PATH")
        let folder = await #expect(throws: EngineError.self) {
            _ = try await MachinePrograms.run(["true"], in: "/no/such", environment: Self.environment)
        }
        #expect(folder?.message.hasPrefix("run `true`: ") == true)
    }

    @Test("Who is cancelled ends the program with all that it has started")
    func cancelled() async throws {
        let (reading, writing) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            writing.finish()
            return try await MachinePrograms.run(
                ["sh", "-c", "sleep 600; true"], in: nil, environment: Self.environment)
        }
        for await _ in reading {}
        task.cancel()
        let error = await #expect(throws: EngineError.self) { _ = try await task.value }
        #expect(error?.kind == .cancelled)
    }
}

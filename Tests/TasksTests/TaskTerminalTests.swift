import EngineAPI
import Glibc
import Linux
import Testing

@testable import Tasks

/// Terminals of real containers, whose ends are held by a real shim.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct TaskTerminalTests {
    @Test("A terminal that no process has open for a while goes on where one opens it again, as init programs do")
    func reopened() async throws {
        try await TaskBench.with { bench in
            let script = """
                echo one; exec </dev/null >/dev/null 2>&1
                while [ ! -e /tmp/go ]; do sleep 0.05; done
                echo two >/dev/console; read answer </dev/console; echo "got $answer" >/dev/console
                """
            var spec = try bench.sh("a", script, terminal: true)
            spec.input = .open
            let created = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "one")
            let initial = try #require(created.initial).pid
            while try (0...2).contains(where: { try !Self.target("/proc/\(initial)/fd/\($0)").hasSuffix("/null") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            // What a client gives meanwhile is kept for who reads.
            try await stream.write(Array("yes\n".utf8))
            try FileContents.replace("\(spec.bundle)/rootfs/tmp/go", with: [], durable: false)
            let rest = String(decoding: try await bench.all(stream).stdout, as: UTF8.self)
            #expect(rest.contains("two") && rest.contains("got yes"))
            #expect(try await bench.exit(of: "a").code == 0)
            let text = try bench.text("a")
            #expect(text.contains("one") && text.contains("two") && text.contains("got yes"))
        }
    }

    private static func target(_ link: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try kernelCall("read link", link) { readlink(link, &buffer, buffer.count) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

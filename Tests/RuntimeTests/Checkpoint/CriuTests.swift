import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// CRIU's protocol as values.
@Suite struct CriuProtocolTests {
    @Test("Fields are written in the wire format of Protocol Buffers, and read back")
    func wire() {
        var message = ProtocolBuffer()
        message.put(1, Int32(150))
        message.put(2, "testing")
        message.put(3, Int32(-1))
        message.put(40, true)
        let expected: [UInt8] =
            [0x08, 0x96, 0x01, 0x12, 7] + Array("testing".utf8) + [0x18]
            + [UInt8](repeating: 0xFF, count: 9) + [0x01, 0xC0, 0x02, 0x01]
        #expect(message.bytes == expected)
        let read = ProtocolBuffer(parsing: expected)
        #expect(read?.int32(1) == 150)
        #expect(read?.string(2) == "testing")
        #expect(read?.int32(3) == -1)
        #expect(read?.number(40) == 1)
        #expect(read?.string(1) == nil)
    }

    @Test(
        "What is cut off or no message is no message",
        arguments: [
            [0x08], [0x12, 5, 1], [0x0B], [0x00, 1], [UInt8](repeating: 0xFF, count: 12), [0x12, 0xFF, 0xFF, 0x7F],
        ])
    func malformed(bytes: [UInt8]) {
        #expect(ProtocolBuffer(parsing: bytes) == nil)
    }

    @Test("A version request is its type alone, and the answer is one number")
    func version() throws {
        #expect(CriuRequest(.version).bytes == [0x08, 10])
        // type VERSION, success, version {3, 17, sublevel 1}
        let answer: [UInt8] = [0x08, 10, 0x10, 1, 0x52, 6, 0x08, 3, 0x10, 17, 0x20, 1]
        #expect(CriuResponse(parsing: answer)?.version == 31701)
    }

    @Test("A notification is told by its script and pid, and answered by success")
    func notification() throws {
        let answer: [UInt8] = [0x08, 6, 0x10, 1, 0x2A, 8, 0x0A, 3] + Array("abc".utf8) + [0x10, 0xAC, 0x02]
        let response = try #require(CriuResponse(parsing: answer))
        #expect(response.script == "abc")
        #expect(response.pid == 300)
        #expect(CriuRequest.goOn.bytes == [0x08, 6, 0x18, 1])
        #expect(CriuResponse(parsing: [0x08, 1]) == nil)
    }

    @Test("A failure is told by its number and the line of CRIU's log")
    func failure() throws {
        let words = Array("Error (x.c:1): no\n".utf8)
        let answer: [UInt8] = [0x08, 1, 0x10, 0, 0x38, 2, 0x4A, UInt8(words.count)] + words
        let response = try #require(CriuResponse(parsing: answer))
        #expect(!response.isSuccess)
        #expect(response.errorNumber == 2)
        #expect(response.errorMessage == "Error (x.c:1): no")
    }

    @Test("A dump's options go into the second field")
    func dump() throws {
        var request = CriuRequest(.dump)
        request.setFolders(images: 5, work: nil, logFile: "x")
        request.set([.shellJob, .lazyPages])
        request.addMount("/a", "/b")
        let message = try #require(ProtocolBuffer(parsing: request.bytes))
        #expect(message.int32(1) == 1)
        let options = try #require(message.message(2))
        #expect(options.int32(1) == 5)
        #expect(options.string(10) == "x")
        #expect(options.number(7) == 1)
        #expect(options.number(48) == 1)
        #expect(options.number(4) == nil)
        #expect(options.message(23)?.string(1) == "/a")
        #expect(options.message(23)?.string(2) == "/b")
    }

    @Test("Errors of CRIU's log are quoted with what came before them")
    func log() {
        let lines = (1...20).map { $0 == 3 || $0 == 4 || $0 == 15 ? "Error \($0)" : "line \($0)" }
        let quoted = CriuLog.excerpts(Array(lines.joined(separator: "\n").utf8))
        let expected =
            ["1:line 1", "2:line 2", "3:Error 3", "4:Error 4", "..."] + (10...14).map { "\($0):line \($0)" }
            + ["15:Error 15"]
        #expect(quoted == expected)
    }
}

/// `checkpoint` and `restore` of real containers, where CRIU works.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(4)))
struct CheckpointTests {
    /// CRIU must know the kernel's vDSO, which an old one does not of a new kernel.
    static let works: Bool = {
        let places: [String] = ["/usr/sbin/criu", "/usr/bin/criu"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else { return false }
        return (try? RuntimeUnderTest(name: "criu", path: program).runPlain(["check"]).code) == 0
    }()

    @Test("A container that is saved ends, and goes on where it was when it is restored", .enabled(if: works))
    func roundTrip() throws {
        // It counts in a file of its own: what comes after the restore continues what was before.
        let container = try TestContainer(.ours, ["sh", "-c", Self.counting])
        try container.createAndStart()
        let images = "\(container.folder)/images"
        try Self.wait(for: container, beyond: 2)
        let saved = try container.command(
            "checkpoint", "--image-path", images, "--work-path", container.folder, container.id)
        try #require(saved.code == 0, "\(saved.errors)")
        #expect(try container.command("state", container.id).code == 1)
        let before = Self.count(container)
        let restored = try container.command(
            "restore", "--detach", "--image-path", images, "--work-path", container.folder, "--pid-file",
            "\(container.folder)/restored.pid", container.id)
        try #require(restored.code == 0, "\(restored.errors)")
        #expect(try container.status() == "running")
        let pid = try #require(try container.state()["pid"]?.integer)
        #expect(try FileContents.read("\(container.folder)/restored.pid") == Array(String(pid).utf8))
        #expect(try container.cgroup.processes().contains(Int32(pid)))
        try Self.wait(for: container, beyond: before + 1)
        #expect(try container.exec("true").code == 0)
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("A container that is saved and left running runs on", .enabled(if: works))
    func leftRunning() throws {
        let container = try TestContainer(.ours, ["sh", "-c", Self.counting])
        try container.createAndStart()
        let saved = try container.command(
            "checkpoint", "--leave-running", "--image-path", "\(container.folder)/images", container.id)
        #expect(saved.code == 0, "\(saved.errors)")
        #expect(try container.status() == "running")
    }

    @Test("Where CRIU does not work, the error says so and the container runs on", .enabled(if: !works))
    func refused() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let result = try container.command("checkpoint", "--image-path", "\(container.folder)/images", container.id)
        #expect(result.code == 1)
        #expect(result.errors.contains("criu"), "\(result.errors)")
        #expect(try container.status() == "running")
    }

    @Test("What cannot be saved or restored is said before CRIU is asked")
    func arguments() throws {
        // It is to outlive many calls, on a slow machine as well.
        let container = try TestContainer(.ours, ["sleep", "600"])
        try container.write()
        let images = "\(container.folder)/images"
        #expect(try container.command("create", container.id).code == 0)
        let created = try container.command("checkpoint", "--image-path", images, container.id)
        #expect(created.errors.contains("cannot be checkpointed in created state"), "\(created.errors)")
        #expect(try container.command("start", container.id).code == 0)
        for (option, value, words) in [
            ("--manage-cgroups-mode", "x", "invalid manage-cgroups-mode value"),
            ("--page-server", "host", "Use --page-server ADDRESS:PORT"),
            ("--page-server", "h:x", "Invalid port number"),
            ("--empty-ns", "mount", "is not supported"),
            ("--parent-path", "/abs", "--parent-path must be relative"),
            ("--parent-path", "nope", "invalid --parent-path"),
        ] {
            let result = try container.command("checkpoint", "--image-path", images, option, value, container.id)
            #expect(result.code == 1)
            #expect(result.errors.contains(words), "\(result.errors)")
        }
        let other = try container.command("restore", "--image-path", "\(container.folder)/none", "other")
        #expect(other.code == 1)
        #expect(access("\(container.root)/other", F_OK) != 0)
        #expect(try container.status() == "running")
    }

    /// The files that a test's output goes to are outside of the container: CRIU would not find them again.
    static let aside = "exec </dev/null >/dev/null 2>&1;"
    static let counting = "\(aside) i=0; while true; do i=$((i+1)); echo $i >/tmp/count; sleep 0.1; done"

    static func count(_ container: TestContainer) -> Int {
        // Between the truncation and the writing there is nothing in it.
        let text = (try? FileContents.read("\(container.rootfs)/tmp/count")) ?? []
        return Int(String(decoding: text.filter { $0 != 10 }, as: UTF8.self)) ?? 0
    }

    static func wait(for container: TestContainer, beyond number: Int) throws {
        for _ in 0..<2400 {
            if count(container) > number { return }
            poll(nil, 0, 25)
        }
        Issue.record("the container does not count beyond \(number)")
    }
}

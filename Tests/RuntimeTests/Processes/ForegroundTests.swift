import Glibc
import Linux
import OCI
import Testing

/// A container that `run` stays with: its terminal and its signals.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ForegroundTests {
    /// Starts `run`; the caller waits.
    private func begin(
        _ container: TestContainer, input: Descriptor?, output: Descriptor?
    ) throws -> (pid: Int32, process: Descriptor) {
        try container.write()
        var spawn = Spawn(
            program: container.runtime.path,
            arguments: ["gantry-runtime", "--root", container.root, "run", container.id])
        spawn.descriptors = [input, output, Descriptor.standardError]
        spawn.workingDirectory = container.bundle
        let pid = try spawn.start()
        return (pid, try PidFD.open(pid: pid))
    }

    /// The code with which it ends; 137 where it had to be killed.
    private func end(_ process: Descriptor) throws -> Int32 {
        defer { process.close() }
        if try !PidFD.waitForEnd(process, timeoutMilliseconds: 60_000) { try PidFD.send(SIGKILL, to: process) }
        return try PidFD.reap(process)
    }

    @Test("Much input for a program that answers it does not bring both to a standstill")
    func answeredInput() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "cat; exit 5"])
        container.spec.process?.terminal = true
        let path = "\(container.folder)/input"
        let line = String(repeating: "x", count: 63) + "\n"
        try FileContents.replace(
            path, with: Array(String(repeating: line, count: 32_768).utf8), mode: 0o600, durable: false)
        let input = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
        let output = OwnedDescriptor(try Descriptor.open("\(path).out", O_WRONLY | O_CREAT, mode: 0o600))
        let (_, process) = try begin(container, input: input.descriptor, output: output.descriptor)
        #expect(try end(process) == 5)
        var facts = stat()
        try kernelCall("stat", path) { stat("\(path).out", &facts) }
        #expect(facts.st_size >= 64 * 32_768)
        #expect(try container.leftovers() == [])
    }

    @Test("Of run, too, the startContainer hooks come before the program, which one that fails keeps from running")
    func startHooks() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "cat /tmp/hook; touch /tmp/reached"])
        let script = "echo hooked > /tmp/hook"
        container.spec.hooks.startContainer = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])]
        let result = try container.run()
        #expect(result.code == 0)
        #expect(result.output == "hooked\n")
        #expect(unlink("\(container.rootfs)/tmp/reached") == 0)
        container.spec.hooks.startContainer = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "exit 3"])]
        let refused = try container.run()
        #expect(refused.code == 1)
        #expect(refused.errors.contains("startContainer"))
        #expect(access("\(container.rootfs)/tmp/reached", F_OK) != 0)
        #expect(try container.leftovers() == [])
    }

    /// Whether the runtime has blocked the signal, to read it when it comes.
    private func isAwaited(_ number: Int32, by pid: Int32) -> Bool {
        // A process that is gone awaits none.
        let text = String(decoding: (try? FileContents.read("/proc/\(pid)/status")) ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
        let mask = line.flatMap { UInt64($0.dropFirst(8), radix: 16) } ?? 0
        return mask >> UInt64(number - 1) & 1 == 1
    }

    @Test("Signals that nobody lists are the container's too", arguments: [SIGPWR, SIGALRM, 37])
    func signals(_ number: Int32) throws {
        let script = "trap 'exit 9' \(number); : > /tmp/ready; while :; do sleep 1; done"
        let container = try TestContainer(.ours, ["sh", "-c", script])
        let (pid, process) = try begin(container, input: nil, output: nil)
        var rounds = 0
        while access("\(container.rootfs)/tmp/ready", F_OK) != 0 || !isAwaited(number, by: pid), rounds < 2400 {
            (rounds, _) = (rounds + 1, poll(nil, 0, 25))
        }
        try PidFD.send(number, to: process)
        #expect(try end(process) == 9)
        #expect(try container.leftovers() == [])
    }

    @Test("A signal that comes while the container is made is the container's once it runs")
    func earlySignal() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 1; done"])
        // The program has its trap long before the hook is over.
        let script = ": > \(container.folder)/hooked; while [ ! -e \(container.folder)/on ]; do sleep 0.1; done"
        container.spec.hooks.poststart = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])]
        let (pid, process) = try begin(container, input: nil, output: nil)
        var rounds = 0
        while access("\(container.folder)/hooked", F_OK) != 0, rounds < 2400 {
            (rounds, _) = (rounds + 1, poll(nil, 0, 25))
        }
        #expect(isAwaited(SIGTERM, by: pid))
        try PidFD.send(SIGTERM, to: process)
        try FileContents.replace("\(container.folder)/on", with: [], durable: false)
        #expect(try end(process) == 9)
        #expect(try container.leftovers() == [])
    }

    @Test("Whoever read the output may leave: the container ends by itself, and is removed")
    func readerGone() throws {
        let container = try TestContainer(
            .ours, ["sh", "-c", "trap '' HUP; for i in 1 2 3 4 5 6; do echo line; done; exit 6"])
        container.spec.process?.terminal = true
        let (reading, writing) = try Descriptor.pipe()
        reading.close()
        let (_, process) = try begin(container, input: nil, output: writing)
        writing.close()
        #expect(try end(process) == 6)
        #expect(try container.leftovers() == [])
    }

    @Test("What the caller ignores, the program does not", arguments: ["run", "exec"])
    func dispositions(_ command: String) throws {
        let container = try TestContainer(.ours, ["sleep", "60"])
        let status = ["grep", "Sig[IB][gl]", "/proc/self/status"]
        let words: String
        if command == "run" {
            container.spec.process?.args = status
            try container.write()
            words = "run \(container.id)"
        } else {
            try container.createAndStart()
            words = "exec \(container.id) \(status.joined(separator: " "))"
        }
        let path = "\(container.folder)/output"
        let output = OwnedDescriptor(try Descriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600))
        let script = "trap '' PIPE HUP INT USR1; exec \(container.runtime.path) --root \(container.root) \(words)"
        var spawn = Spawn(program: "/bin/sh", arguments: ["sh", "-c", script])
        spawn.descriptors = [nil, output.descriptor, Descriptor.standardError]
        spawn.workingDirectory = container.bundle
        #expect(try end(try PidFD.open(pid: try spawn.start())) == 0)
        let zero = String(repeating: "0", count: 16)
        #expect(String(decoding: try FileContents.read(path), as: UTF8.self) == "SigBlk:\t\(zero)\nSigIgn:\t\(zero)\n")
    }
}

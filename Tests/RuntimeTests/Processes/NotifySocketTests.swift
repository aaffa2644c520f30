import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers as services that say when they are ready.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct NotifySocketTests {
    /// The test's own side of a service manager.
    private final class Manager {
        let folder: Descriptor
        let socket: Descriptor
        let path: String

        init(in path: String) throws {
            self.path = "\(path)/manager.sock"
            folder = try Descriptor.open(path, O_PATH | O_DIRECTORY)
            socket = try UnixDatagram.bind(in: folder, name: "manager.sock", mode: 0o600)
        }

        deinit {
            socket.close()
            folder.close()
        }

        /// Messages up to the barrier, whose pipe is closed by that: then the runtime knows that all were read.
        func messages() throws -> [String] {
            var found: [String] = []
            while found.last != "BARRIER=1" {
                var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 30_000) > 0 else { break }
                var buffer = [UInt8](repeating: 0, count: 512)
                let count = recv(socket.rawValue, &buffer, 512, Int32(MSG_PEEK))
                found.append(String(decoding: buffer[..<max(0, count)], as: UTF8.self))
                if found.last == "BARRIER=1" {
                    try UnixSocket.receiveDescriptor(socket).close()
                } else {
                    _ = recv(socket.rawValue, &buffer, 512, 0)
                }
            }
            return found
        }
    }

    /// A container that has a helper to send a datagram: socat is on no machine, so the test program's own code is the
    /// sender, from outside, through the directory that the container sees.
    private static func sendReady(_ container: TestContainer, _ text: String) throws {
        let pid = try #require(try container.state()["pid"]?.integer)
        let sender = try UnixDatagram.connect("/proc/\(pid)/root/run/notify/notify.sock")
        defer { sender.close() }
        _ = try UnixSocket.send(sender, Array(text.utf8), from: 0)
    }

    private static func container() throws -> TestContainer {
        try TestContainer(.ours, ["sh", "-c", "echo $NOTIFY_SOCKET; ls /run/notify; sleep 60"])
    }

    @Test("Readiness of a detached container is passed on with its pid", arguments: ["run", "start"])
    func detached(_ command: String) throws {
        let container = try Self.container()
        try container.write()
        let manager = try Manager(in: container.folder)
        let environment = ["NOTIFY_SOCKET=\(manager.path)"]
        if command == "start" {
            let made = try container.runtime.begin(
                ["create", container.id], root: container.root, in: container.bundle, environment: environment)
            #expect(try PidFD.reap(made) == 0)
        }
        let words = command == "run" ? ["run", "--detach", container.id] : ["start", container.id]
        let process = try container.runtime.begin(
            words, root: container.root, in: container.bundle, environment: environment)
        try Self.waitUntilRunning(container)
        // What does not say ready is nobody's business.
        try Self.sendReady(container, "STATUS=nearly")
        #expect(try !PidFD.waitForEnd(process, timeoutMilliseconds: 0))
        try Self.sendReady(container, "STATUS=up\nREADY=1\n")
        let pid = try #require(try container.state()["pid"]?.integer)
        #expect(try manager.messages() == ["READY=1\n", "MAINPID=\(pid)\n", "BARRIER=1"])
        #expect(try PidFD.reap(process) == 0)
    }

    @Test("In the foreground the runtime itself is the service's main process")
    func foreground() throws {
        let container = try Self.container()
        try container.write()
        let manager = try Manager(in: container.folder)
        let process = try container.runtime.begin(
            ["run", container.id], root: container.root, in: container.bundle,
            environment: ["NOTIFY_SOCKET=\(manager.path)"])
        try Self.waitUntilRunning(container)
        try Self.sendReady(container, "READY=1")
        let messages = try manager.messages()
        let text = String(decoding: try FileContents.read("/proc/self/fdinfo/\(process.rawValue)"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        let pid = try #require(line?.split(separator: "\t").last)
        #expect(messages == ["READY=1\n", "MAINPID=\(pid)\n", "BARRIER=1"])
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        #expect(try PidFD.reap(process) == 137)
        #expect(try container.leftovers() == [])
    }

    @Test("A container that ends without being ready ends the wait")
    func neverReady() throws {
        let container = try TestContainer(.ours, ["true"])
        try container.write()
        let manager = try Manager(in: container.folder)
        let process = try container.runtime.begin(
            ["run", "--detach", container.id], root: container.root, in: container.bundle,
            environment: ["NOTIFY_SOCKET=\(manager.path)"])
        #expect(try PidFD.reap(process) == 0)
    }

    @Test("A start that was refused can be tried again")
    func refusedStart() throws {
        let container = try Self.container()
        try container.write()
        let manager = try Manager(in: container.folder)
        let environment = ["NOTIFY_SOCKET=\(manager.path)"]
        func begin(_ words: [String]) throws -> Descriptor {
            try container.runtime.begin(
                words, root: container.root, in: container.bundle, environment: environment)
        }
        #expect(try PidFD.reap(try begin(["create", container.id])) == 0)
        #expect(try container.command("pause", container.id).code == 0)
        #expect(try PidFD.reap(try begin(["start", container.id])) == 1)
        #expect(try container.command("resume", container.id).code == 0)
        let process = try begin(["start", container.id])
        try Self.waitUntilRunning(container)
        try Self.sendReady(container, "READY=1")
        #expect(try manager.messages().count == 3)
        #expect(try PidFD.reap(process) == 0)
    }

    @Test("A manager that has no room for a message just then gets it later")
    func busyManager() throws {
        let container = try Self.container()
        try container.write()
        let manager = try Manager(in: container.folder)
        let sender = try UnixDatagram.connect(manager.path)
        defer { sender.close() }
        var fillers = 0
        do throws(KernelError) {
            while true {
                _ = try UnixSocket.send(sender, Array("STATUS=busy".utf8), from: 0)
                fillers += 1
            }
        } catch { try #require(error.errno == .wouldBlock) }
        let process = try container.runtime.begin(
            ["run", "--detach", container.id], root: container.root, in: container.bundle,
            environment: ["NOTIFY_SOCKET=\(manager.path)"])
        try Self.waitUntilRunning(container)
        try Self.sendReady(container, "READY=1")
        // It must not have given up when the manager begins to read.
        #expect(try !PidFD.waitForEnd(process, timeoutMilliseconds: 300))
        #expect(try manager.messages().count == fillers + 3)
        #expect(try PidFD.reap(process) == 0)
    }

    private static func waitUntilRunning(_ container: TestContainer) throws {
        // The runtime's root is watched by asking: `state` itself is what is waited for.
        for _ in 0..<2000 {
            let result = try container.command("state", container.id)
            if result.code == 0, try JSONValue(parsing: result.output)["status"]?.string == "running" { return }
        }
        Issue.record("the container does not run")
    }

    @Test(
        "Only a line that says READY counts",
        arguments: [
            ("READY=1", "READY=1"), ("STATUS=x\nREADY=1\n", "READY=1"), ("NOTREADY=1", nil), ("", nil),
            ("STATUS=READY=1", nil),
        ])
    func lines(message: String, expected: String?) {
        #expect(NotifySocket.readyLine(in: Array(message.utf8)[...]) == expected)
    }
}

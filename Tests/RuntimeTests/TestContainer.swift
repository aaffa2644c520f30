import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// A bundle of busybox in a folder of its own, and the container made from it; nothing is left when it goes.
final class TestContainer {
    let runtime: RuntimeUnderTest
    let folder: String
    let id: String
    var spec: RuntimeSpec
    var root: String { "\(folder)/state" }
    var bundle: String { "\(folder)/bundle" }
    var rootfs: String { "\(bundle)/rootfs" }

    init(_ runtime: RuntimeUnderTest, _ command: [String] = ["sleep", "60"]) throws {
        self.runtime = runtime
        id = "gantry-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        folder = "/tmp/\(id)"
        spec = Invocation.template()
        spec.ociVersion = "1.0.2"
        spec.process?.terminal = false
        spec.process?.args = command
        spec.process?.rlimits = []
        spec.root?.readonly = false
        spec.linux.cgroupsPath = "/\(id)"
        spec.linux.namespaces.removeAll { $0.kind == .cgroup }
        try Directory.create("\(rootfs)/bin")
        for name in ["etc", "tmp", "proc", "sys", "dev"] { try Directory.create("\(rootfs)/\(name)") }
        try Self.installBusybox(in: "\(rootfs)/bin")
    }

    deinit {
        // The test has made its point by now; what can be removed is.
        _ = try? runtime.run(["delete", "--force", id], root: root)
        try? Directory.removeTree(folder)
    }

    private static func installBusybox(in directory: String) throws {
        let places: [String] = ["/usr/bin/busybox", "/bin/busybox"]
        let source = places.first { access($0, X_OK) == 0 }
        let bytes = try FileContents.read(try #require(source, "busybox-static is not installed"))
        try FileContents.replace("\(directory)/busybox", with: bytes, mode: 0o755, durable: false)
        let names = [
            "sh", "true", "sleep", "cat", "ls", "echo", "mount", "id", "ps", "env", "hostname", "touch", "ip", "mkdir",
            "pwd", "stat", "tty", "stty", "dd", "grep", "mknod", "kill", "date",
        ]
        for name in names { symlink("busybox", "\(directory)/\(name)") }
    }

    func write() throws {
        try FileContents.replace(
            "\(bundle)/config.json", with: spec.json.prettyBytes(), mode: 0o644, durable: false)
    }

    func command(_ words: String..., extra: [Descriptor] = []) throws -> RuntimeUnderTest.Result {
        try runtime.run(words, root: root, in: bundle, extra: extra)
    }

    /// `run` of the whole container; what it printed.
    func run() throws -> RuntimeUnderTest.Result {
        try write()
        return try command("run", id)
    }

    func create() throws -> RuntimeUnderTest.Result {
        try write()
        return try command("create", id)
    }

    func createAndStart() throws {
        let created = try create()
        try #require(created.code == 0, "\(created.errors)")
        let started = try command("start", id)
        try #require(started.code == 0, "\(started.errors)")
    }

    func state() throws -> JSONValue {
        let result = try command("state", id)
        try #require(result.code == 0, "\(result.errors)")
        return try JSONValue(parsing: result.output)
    }

    func status() throws -> String { try state()["status"]?.string ?? "" }

    func exec(_ words: String...) throws -> RuntimeUnderTest.Result {
        try runtime.run(["exec", id] + words, root: root)
    }

    /// Waits for the end of the first process by a pidfd.
    func waitForEnd() throws {
        guard let pid = try state()["pid"]?.integer, pid > 0 else { return }
        guard let process = try? PidFD.open(pid: Int32(pid)) else { return }  // Gone already.
        defer { process.close() }
        #expect(try PidFD.waitForEnd(process, timeoutMilliseconds: 20_000))
    }

    var cgroup: Cgroup {
        get throws { Cgroup(path: "/\(id)", layout: try CgroupLayout.current()) }
    }

    /// The text of a limit's file, in whichever version of cgroups the machine has it.
    func limit(_ controller: String, legacy: String, unified: String) throws -> String {
        let layout = try CgroupLayout.current()
        let directory = try #require(layout.directory(of: "/\(id)", controller: controller))
        let file = layout.mode == .unified ? unified : legacy
        let text = String(decoding: try FileContents.read("\(directory)/\(file)"), as: UTF8.self)
        return String(text.split(separator: "\n").first ?? "")
    }

    /// What of the container is still to be found on the machine.
    func leftovers() throws -> [String] {
        var found = try cgroup.directories(with: Cgroup.joinedOnDemand).filter { access($0, F_OK) == 0 }
        if access("\(root)/\(id)", F_OK) == 0 { found.append("\(root)/\(id)") }
        let mounts = try MountTable.current().map(\.mountPoint).filter { $0.hasPrefix(folder) }
        return found + mounts
    }
}

import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

private enum AppArmor {
    static let parser = RuntimeUnderTest(name: "apparmor_parser", path: "/sbin/apparmor_parser")
    static let isThere: Bool = {
        // Without the module there is no such file.
        let text = try? FileContents.read("/sys/module/apparmor/parameters/enabled", limitBytes: 16)
        return text?.first == UInt8(ascii: "Y") && access(parser.path, X_OK) == 0
    }()
}

/// Profiles of AppArmor on a kernel that has it, loaded by the tests and taken out again.
@Suite(
    .serialized,
    .enabled(
        if: AppArmor.isThere && RuntimeUnderTest.isPrivileged,
        "needs root, AppArmor in the kernel and apparmor_parser"),
    .timeLimit(.minutes(2)))
struct AppArmorTests {
    /// A profile that forbids one file.
    private static let profile = "gantry-test-\(getpid())"
    private static let text = """
        profile \(profile) flags=(attach_disconnected) {
          file,
          network,
          capability,
          signal,
          ptrace,
          deny /etc/secret r,
        }

        """

    private static func withProfile(_ body: () throws -> Void) throws {
        let path = "/tmp/\(profile)"
        try FileContents.replace(path, with: Array(text.utf8), durable: false)
        defer { unlink(path) }
        let loaded = try AppArmor.parser.runPlain(["-rK", path])
        try #require(loaded.code == 0, "\(loaded.errors)")
        // The profile is this test's own; what fails shows in the next run.
        defer { _ = try? AppArmor.parser.runPlain(["-R", path]) }
        try body()
    }

    @Test(
        "The program, and those of exec, run under the profile; exec may name another", arguments: [true, false])
    func confined(_ noNewPrivileges: Bool) throws {
        try Self.withProfile {
            let container = try TestContainer(.ours, ["sleep", "60"])
            container.spec.process?.apparmorProfile = Self.profile
            container.spec.process?.noNewPrivileges = noNewPrivileges
            try FileContents.replace(
                "\(container.rootfs)/etc/secret", with: Array("x\n".utf8), mode: 0o644, durable: false)
            try container.createAndStart()
            let pid = try #require(try container.state()["pid"]?.integer)
            let current = String(decoding: try FileContents.read("/proc/\(pid)/attr/current"), as: UTF8.self)
            #expect(current == "\(Self.profile) (enforce)\n")
            let script = "cat /proc/self/attr/current; cat /etc/secret 2>/dev/null || echo denied"
            #expect(try container.exec("sh", "-c", script).output == "\(Self.profile) (enforce)\ndenied\n")
            let other = try container.command(
                "exec", "--apparmor", "unconfined", container.id, "sh", "-c", script)
            #expect(other.output == "unconfined\nx\n", "\(other.errors)")
        }
    }

    @Test("A profile that nobody has loaded is an error with the property's name")
    func unknown() throws {
        let container = try TestContainer(.ours)
        container.spec.process?.apparmorProfile = "gantry-none"
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("process.apparmorProfile: "), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}

import Glibc
import Linux
import OCI
import Testing

/// How a program is found, and from where it begins.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ProgramContractTests {
    /// A container of an ordinary user.
    private static func container(_ runtime: RuntimeUnderTest, _ command: [String]) throws -> TestContainer {
        let container = try TestContainer(runtime, command)
        container.spec.process?.user.uid = 1000
        container.spec.process?.user.gid = 1000
        return container
    }

    private static func addFolder(_ path: String, mode: mode_t, owner: uid_t, to container: TestContainer) throws {
        try Directory.create(container.rootfs + path)
        chown(container.rootfs + path, owner, owner)
        chmod(container.rootfs + path, mode)
    }

    private static func addProgram(_ path: String, mode: mode_t, to container: TestContainer) throws {
        let script = "#!/bin/sh\necho \(path)\n"
        try FileContents.replace(container.rootfs + path, with: Array(script.utf8), mode: 0o600, durable: false)
        chmod(container.rootfs + path, mode)
    }

    @Test(
        "The working directory may be closed to the program's user, or to all but that user",
        arguments: RuntimeUnderTest.all)
    func closedDirectory(_ runtime: RuntimeUnderTest) throws {
        for owner in [uid_t(0), 1000] {
            let container = try Self.container(runtime, ["sh", "-c", "pwd; sleep 60"])
            try Self.addFolder("/closed", mode: 0o700, owner: owner, to: container)
            container.spec.process?.cwd = "/closed"
            try container.createAndStart()
            let result = try container.exec("pwd")
            #expect(result.output == "/closed\n", "\(result.errors)")
        }
    }

    @Test("A program that its user may not execute is told by create", arguments: RuntimeUnderTest.all)
    func forbiddenProgram(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(runtime, ["/bin/tool"])
        try Self.addProgram("/bin/tool", mode: 0o700, to: container)
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("permission denied"), "\(result.errors)")
        #expect(try container.leftovers() == [])
        container.spec.process?.args = ["sleep", "60"]
        try container.createAndStart()
        let exec = try container.exec("/bin/tool")
        #expect(exec.code == 255 && exec.errors.contains("permission denied"), "\(exec.errors)")
    }

    @Test("On the way through PATH it hides none that may be executed")
    func passedOver() throws {
        let container = try Self.container(.ours, ["tool"])
        for (folder, mode) in [("/first", mode_t(0o700)), ("/second", 0o755)] {
            try Self.addFolder(folder, mode: 0o755, owner: 0, to: container)
            try Self.addProgram("\(folder)/tool", mode: mode, to: container)
        }
        container.spec.process?.env = ["PATH=/first:/second:/bin"]
        let result = try container.run()
        #expect(result.output == "/second/tool\n", "\(result.errors)")
    }

    @Test("Nor is one on a mount that allows no execution", arguments: RuntimeUnderTest.all)
    func noExecution(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(runtime, ["/tools/tool"])
        try Self.addFolder("/tools", mode: 0o755, owner: 0, to: container)
        try Self.addProgram("/tools/tool", mode: 0o755, to: container)
        container.spec.mounts.append(
            RuntimeMount(
                destination: "/tools", type: "bind", source: "\(container.rootfs)/tools", options: ["bind", "noexec"]))
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("permission denied"), "\(result.errors)")
    }

    @Test("Without a PATH nothing is looked for in the working directory", arguments: RuntimeUnderTest.all)
    func noPath(_ runtime: RuntimeUnderTest) throws {
        for environment in [[], ["PATH="]] {
            let container = try Self.container(runtime, ["tool"])
            try Self.addProgram("/tool", mode: 0o755, to: container)
            container.spec.process?.env = environment
            let result = try container.create()
            #expect(result.code == 1 && result.errors.contains("not found"), "\(result.errors)")
        }
    }
}

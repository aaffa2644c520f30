import Foundation
import Testing

private let dockerPath = ["/usr/local/bin/docker", "/usr/bin/docker"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}

/// Walks with docker's own command line.
@Suite struct DockerCommandTests {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private func docker(_ served: Served, _ arguments: [String], input: String = "") async throws -> Outcome {
        let path = try #require(dockerPath)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-H", "unix://\(served.socketPath)"] + arguments
        let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (standardInput, output, errors)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try process.run()
                        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                        try standardInput.fileHandleForWriting.close()
                        let written = try output.fileHandleForReading.readToEnd() ?? Data()
                        let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
                        process.waitUntilExit()
                        return Outcome(
                            status: process.terminationStatus, output: String(decoding: written, as: UTF8.self),
                            errors: String(decoding: complaints, as: UTF8.self))
                    })
            }
        }
    }

    @Test(
        "docker's command line drives the daemon",
        .enabled(if: dockerPath != nil, "docker's command line is not on this machine"))
    func walk() async throws {
        let served = try await Served()
        let none = ["--network", "none", "gantry/scripted"]
        let echo = try await docker(served, ["run", "--name", "a"] + none + ["echo", "hello", "world"])
        #expect(echo.status == 0 && echo.output == "hello world\n")
        #expect(try await docker(served, ["run", "--rm"] + none + ["exit", "3"]).status == 3)
        let cat = try await docker(served, ["run", "-i"] + none + ["cat"], input: "in\nout\n")
        #expect(cat.status == 0 && cat.output == "in\nout\n")
        let missing = try await docker(served, ["run"] + none + ["missing"])
        #expect(missing.status == 127 && missing.errors.contains("executable file not found"))
        let image = try await docker(served, ["run", "nowhere", "true"])
        #expect(image.status == 125 && image.errors.contains("pulling images is not supported by this engine"))
        let bridge = try await docker(served, ["run", "-p", "80", "gantry/scripted", "echo"])
        #expect(bridge.status == 0 && bridge.errors.isEmpty)
        #expect(try await docker(served, ["run", "-d", "--name", "s"] + none + ["sleep"]).status == 0)
        #expect(try await docker(served, ["ps", "--format", "{{.Names}} {{.Image}}"]).output == "s gantry/scripted\n")
        #expect(try await docker(served, ["exec", "s", "echo", "x"]).output == "x\n")
        #expect(try await docker(served, ["exec", "s", "missing"]).status == 127)
        #expect(try await docker(served, ["exec", "-i", "s", "cat"], input: "y").output == "y")
        #expect(try await docker(served, ["logs", "a"]).output == "hello world\n")
        let stats = try await docker(
            served, ["stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", "s"])
        #expect(stats.output == "50.00% 30MiB / 100MiB 3\n")
        #expect(try await docker(served, ["kill", "a"]).errors.contains("is not running"))
        #expect(try await docker(served, ["rm", "s"]).errors.contains("container is running"))
        for action in ["pause", "unpause", "stop", "start", "restart"] {
            #expect(try await docker(served, [action, "s"]).output == "s\n", "\(action)")
        }
        #expect(try await docker(served, ["rename", "s", "t"]).status == 0)
        #expect(try await docker(served, ["inspect", "-f", "{{.State.Status}}", "t"]).output == "running\n")
        #expect(try await docker(served, ["rm", "-f", "t"]).output == "t\n")
        #expect(try await docker(served, ["images", "-q"]).output == "abababababab\n")
        #expect(try await docker(served, ["load"], input: "archive").output == "Loaded image: gantry/scripted:latest\n")
        #expect(try await docker(served, ["load"], input: "bad").status == 1)
        #expect(try await docker(served, ["network", "ls", "--format", "{{.Name}}"]).output == "host\nnone\n")
        #expect(try await docker(served, ["info", "--format", "{{.ServerVersion}}"]).output == "0.1.0\n")
        await served.stop()
    }
}

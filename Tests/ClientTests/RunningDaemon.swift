import Foundation
import Linux
import NetworkRemains
import Testing

/// `gantry daemon` of this build with a root of its own, and docker's clients sent to it.
final class RunningDaemon: Sendable {
    /// What must be there, or the reason why these tests cannot run.
    static let missing: String? = {
        if geteuid() != 0 { return "root" }
        let programs = [Tool.gantry, "\(Tool.products)/gantry-shim", "\(Tool.products)/gantry-runtime", "/bin/busybox"]
        return programs.first { !FileManager.default.isExecutableFile(atPath: $0) }
            ?? (Tool.dockerMajor < 23 ? "docker's command line of version 23 or later" : nil)
    }()

    let root: String
    let pid: Int32
    private let log: String

    var socketPath: String { "\(root)/run/gantry.sock" }

    /// - Parameters:
    ///   - words: what `daemon` is given.
    ///   - launcher: a program that becomes the daemon, with the words before the daemon's own; nil for none.
    init(
        _ words: [String] = [], environment: [String: String] = [:], folder: String? = nil,
        launcher: (path: String, words: [String])? = nil
    ) async throws {
        root = folder ?? "/tmp/gantry-client-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        log = "\(root)/daemon.log"
        let file = OwnedDescriptor(try Descriptor.open(log, O_CREAT | O_WRONLY | O_APPEND, mode: 0o600))
        let own = ["--root", root, "daemon"] + words
        let tool = Tool(
            path: launcher?.path ?? Tool.gantry,
            arguments: launcher.map { $0.words + [Tool.gantry] + own } ?? own, environment: environment)
        pid = try tool.start(nil, nil, file.descriptor)
        try await waitUntilServing()
    }

    private func waitUntilServing() async throws {
        for _ in 0..<600 {
            if text.contains("serving the engine") { return }
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { try leave() }
            try await Task.sleep(for: .milliseconds(50))
        }
        kill(pid, SIGKILL)
        try leave()
    }

    private func leave() throws -> Never {
        let said = text
        try FileManager.default.removeItem(atPath: root)
        throw EndedEarly(log: said)
    }

    struct EndedEarly: Error {
        let log: String
    }

    /// What it has said so far.
    var text: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// The port of the first TCP socket that it serves.
    var port: Int {
        get throws {
            let words = text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("port=") }
            return try #require(words.flatMap { Int($0.dropFirst(5)) })
        }
    }

    /// Removes what is left of containers, ends the daemon, and takes its root away.
    func end() async throws {
        for (kind, verb) in [("ps -aq", "rm -fv"), ("network ls -q --filter type=custom", "network rm")] {
            let ids = try await docker(kind.split(separator: " ").map(String.init)).output
                .split(separator: "\n").map(String.init)
            if !ids.isEmpty { _ = try await docker(verb.split(separator: " ").map(String.init) + ids) }
        }
        kill(pid, SIGTERM)
        _ = await Tool.wait(pid)
        NetworkRemains.remove(root: root)
        try FileManager.default.removeItem(atPath: root)
    }

    func docker(_ words: [String], input: String = "", _ environment: [String: String] = [:]) async throws
        -> Tool.Result
    {
        let path = try #require(Tool.find("docker"))
        let home = ["HOME": root, "DOCKER_HOST": "unix://\(socketPath)"]
        return try await Tool(path: path, arguments: words, environment: home.merging(environment) { $1 })
            .run(input: input)
    }

    func docker(_ words: String...) async throws -> Tool.Result { try await docker(words) }

    func gantry(_ words: [String], input: String = "", _ environment: [String: String] = [:]) async throws
        -> Tool.Result
    {
        try await Tool(path: Tool.gantry, arguments: words, environment: ["HOME": root].merging(environment) { $1 })
            .run(input: input)
    }
}

import Foundation
import Testing

/// A real sshd on the loopback, with keys and settings of its own.
private final class SecureShell: Sendable {
    static let missing = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"].first { !Tool.isThere($0) }

    let folder: String
    let port: Int
    private let pid: Int32

    /// - Parameter environment: what those who log in find.
    init(_ folder: String, environment: [String: String]) async throws {
        self.folder = folder
        port = 20_000 + Int.random(in: 0..<20_000)
        for name in ["host", "client"] {
            let made = try await Tool(
                path: "/usr/bin/ssh-keygen", arguments: ["-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(name)"]
            ).run()
            try #require(made.code == 0, "\(made.errors)")
        }
        try FileManager.default.copyItem(atPath: "\(folder)/client.pub", toPath: "\(folder)/authorized")
        let variables = environment.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        try Self.write(
            """
            ListenAddress 127.0.0.1
            Port \(port)
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            PidFile none
            SetEnv \(variables)
            """, to: "\(folder)/sshd_config")
        let key = try String(contentsOfFile: "\(folder)/host.pub", encoding: .utf8)
        try Self.write("[127.0.0.1]:\(port) \(key)", to: "\(folder)/known")
        try Self.write(
            "Host *\nIdentityFile \(folder)/client\nIdentitiesOnly yes\nUserKnownHostsFile \(folder)/known\n",
            to: "\(folder)/ssh_config")
        // ssh(1) reads the home directory of the password file, whatever HOME says: the settings come by an option.
        let bin = "\(folder)/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        try Self.write("#!/bin/sh\nexec /usr/bin/ssh -F \(folder)/ssh_config \"$@\"\n", to: "\(bin)/ssh")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(bin)/ssh")
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        pid = try Tool(path: "/usr/sbin/sshd", arguments: ["-D", "-e", "-f", "\(folder)/sshd_config"])
            .start(nil, nil, nil)
        for _ in 0..<100 {
            if try await isAnswering() { break }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func isAnswering() async throws -> Bool {
        try await Tool(path: "\(folder)/bin/ssh", arguments: ["-p", "\(port)", "root@127.0.0.1", "true"]).run().code
            == 0
    }

    /// Finds our ssh before the machine's.
    var environment: [String: String] { ["PATH": "\(folder)/bin:\(Tool.searchPath)"] }

    func end() async {
        kill(pid, SIGTERM)
        _ = await Tool.wait(pid)
    }

    private static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}

@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"),
    .enabled(if: SecureShell.missing == nil, "not there: \(SecureShell.missing ?? "") (openssh-server)"), .serialized,
    .timeLimit(.minutes(3)))
struct SSHTests {
    @Test("An engine is reached through ssh: by ours to ours, by ours to where docker is, and by docker to ours")
    func ssh() async throws {
        let daemon = try await RunningDaemon()
        let remote = ["PATH": "\(Tool.products):\(Tool.searchPath)", "DOCKER_HOST": "unix://\(daemon.socketPath)"]
        let shell = try await SecureShell(daemon.root, environment: remote)
        let host = "ssh://root@127.0.0.1:\(shell.port)"
        let name = ["info", "--format", "{{.DockerRootDir}}"]
        let wanted = "\(daemon.root)/data\n"
        for address in [host, "\(host)\(daemon.socketPath)"] {
            let found = try await daemon.gantry(["-H", address] + name, shell.environment)
            #expect(found.output == wanted, "\(found.errors)")
        }
        let docker = try await daemon.docker(["-H", host] + name, shell.environment)
        #expect(docker.output == wanted, "\(docker.errors)")
        let cat = ["-H", host, "run", "-i", "--rm", "--network", "none", "gantry/starter", "cat"]
        #expect(try await daemon.gantry(cat, input: "there and back", shell.environment).output == "there and back")
        #expect(try await daemon.docker(cat, input: "there and back", shell.environment).output == "there and back")
        let nobody = try await daemon.gantry(["-H", "ssh://stranger@127.0.0.1:\(shell.port)", "ps"], shell.environment)
        #expect(nobody.code == 1 && nobody.errors.contains("Permission denied"), "\(nobody.errors)")
        await shell.end()
        try await daemon.end()
    }
}

import Foundation
import RawClients
import Testing

/// Ways to a daemon other than its own socket's file: TLS, contexts, systemd's sockets.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(5)))
struct RemoteAccessTests {
    private func certificates(_ files: TLSFixture, _ name: String) -> [String] {
        [
            "--tlsverify", "--tlscacert", files.path("ca"), "--tlscert", files.path(name), "--tlskey",
            files.key(name),
        ]
    }

    @Test(
        "docker's and our own clients come in by TLS with a certificate of our authority, and not without",
        .enabled(if: TLSFixture.isPossible, "needs openssl"))
    func tls() async throws {
        let files = try TLSFixture()
        let daemon = try await RunningDaemon(["-H", "tcp://127.0.0.1:0"] + certificates(files, "server"))
        let host = "tcp://127.0.0.1:\(try daemon.port)"
        // Enough for what goes past the event loop where there is no TLS.
        let input = String(repeating: "through TLS ", count: 10_000)
        let cat = ["run", "-i", "--rm", "--network", "none", "gantry/starter", "cat"]
        for (name, isTaken) in [("client", true), ("other", false)] {
            let docker = try await daemon.docker(["-H", host] + certificates(files, name) + cat, input: input)
            #expect((docker.output == input) == isTaken, "\(docker.errors)")
            let gantry = try await daemon.gantry(["-H", host] + certificates(files, name) + cat, input: input)
            #expect((gantry.output == input) == isTaken, "\(gantry.errors)")
            #expect((gantry.code == 0) == isTaken)
        }
        #expect(try await daemon.docker(["-H", host, "version"]).code == 1)
        #expect(try await daemon.docker(["-H", host, "--tls", "version"]).code == 1)
        #expect(try await daemon.gantry(["-H", host, "ps"]).code == 1)
        let withoutOwn = ["-H", host, "--tlsverify", "--tlscacert", files.path("ca"), "ps"]
        for isOurs in [false, true] {
            let refused = try await isOurs ? daemon.gantry(withoutOwn) : daemon.docker(withoutOwn)
            #expect(refused.code == 1)
            let isTold = refused.errors.hasSuffix(": remote error: tls: certificate required\n")
            #expect(isTold, "\(refused.errors)")
        }
        try await daemon.end()
    }

    @Test("docker's variables and contexts choose the engine, and its store is read and written by both")
    func contexts() async throws {
        let files = try TLSFixture()
        let daemon = try await RunningDaemon(["-H", "tcp://127.0.0.1:0"] + certificates(files, "server"))
        let host = "tcp://127.0.0.1:\(try daemon.port)"
        let folder = "\(daemon.root)/certificates"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (from, to) in [(files.path("ca"), "ca"), (files.path("client"), "cert"), (files.key("client"), "key")] {
            try FileManager.default.copyItem(atPath: from, toPath: "\(folder)/\(to).pem")
        }
        let name = ["info", "--format", "{{.DockerRootDir}}"]
        let wanted = "\(daemon.root)/data\n"
        let variables = ["DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder]
        #expect(try await daemon.gantry(name, variables).output == wanted)
        #expect(try await daemon.gantry(name, ["DOCKER_HOST": "unix://\(daemon.socketPath)"]).output == wanted)

        let store = ["DOCKER_CONFIG": "\(daemon.root)/config", "DOCKER_HOST": ""]
        let endpoint = "host=\(host),ca=\(folder)/ca.pem,cert=\(folder)/cert.pem,key=\(folder)/key.pem"
        let made = try await daemon.docker(["context", "create", "theirs", "--docker", endpoint], store)
        #expect(made.code == 0, "\(made.errors)")
        #expect(try await daemon.gantry(["--context", "theirs"] + name, store).output == wanted)
        #expect(try await daemon.gantry(name, store.merging(["DOCKER_CONTEXT": "theirs"]) { $1 }).output == wanted)

        let ours = try await daemon.gantry(
            ["context", "create", "ours", "--description", "of ours", "--docker", endpoint], store)
        #expect(ours.code == 0 && ours.output == "ours\n", "\(ours.errors)")
        #expect(try await daemon.docker(["--context", "ours"] + name, store).output == wanted)
        let use = try await daemon.gantry(["context", "use", "ours"], store)
        #expect(use.output == "ours\n" && use.errors == "Current context is now \"ours\"\n")
        #expect(try await daemon.docker(["context", "show"], store).output == "ours\n")
        #expect(try await daemon.docker(name, store).output == wanted)
        #expect(try await daemon.gantry(name, store).output == wanted)
        let list = try await daemon.gantry(["context", "ls"], store)
        #expect(list.output.contains("ours *") && list.output.contains("theirs") && list.output.contains(host))
        for line in ["{{.Name}} {{.Endpoints.docker.Host}}", "{{json .TLSMaterial}}"] {
            let words = ["context", "inspect", "--format", line, "ours"]
            #expect(try await daemon.gantry(words, store).output == daemon.docker(words, store).output)
        }
        let (exported, second) = ("\(daemon.root)/theirs.tar", "\(daemon.root)/ours.tar")
        #expect(try await daemon.docker(["context", "export", "theirs", exported], store).code == 0)
        let taken = try await daemon.gantry(["context", "import", "taken", exported], store)
        #expect(taken.output == "taken\n" && taken.errors == "Successfully imported context \"taken\"\n")
        #expect(try await daemon.gantry(["--context", "taken"] + name, store).output == wanted)
        #expect(try await daemon.gantry(["context", "import", "taken", exported], store).code == 1)
        let written = try await daemon.gantry(["context", "export", "ours", second], store)
        #expect(written.errors == "Written file \"\(second)\"\n", "\(written.errors)")
        #expect(try await daemon.gantry(["context", "export", "ours", second], store).code == 1)
        #expect(try await daemon.docker(["context", "import", "given", second], store).output == "given\n")
        #expect(try await daemon.docker(["--context", "given"] + name, store).output == wanted)
        for name in ["taken", "given"] {
            #expect(try await daemon.docker(["context", "rm", name], store).code == 0)
        }
        #expect(try await daemon.gantry(["context", "rm", "ours"], store).code == 1)
        #expect(try await daemon.gantry(["context", "rm", "-f", "ours"], store).output == "ours\n")
        #expect(try await daemon.docker(["context", "ls", "-q"], store).output == "default\ntheirs\n")
        #expect(try await daemon.gantry(["--context", "none", "ps"], store).errors.contains("context not found"))
        try await daemon.end()
    }

    @Test("A daemon does not begin to serve TCP without TLS, nor with files that are not there")
    func refused() async throws {
        for (words, message) in [
            (["-H", "tcp://127.0.0.1:0"], "not served without TLS"),
            (["-H", "tcp://0.0.0.0:0", "--unsafe-plain-tcp"], "not the loopback"),
            (["-H", "tcp://127.0.0.1:0", "--tlsverify"], "needs --tlscacert"),
            (["-H", "fd://"], "no such socket was given"), (["--log-format", "huh"], "invalid log format"),
        ] {
            let error = await #expect(throws: RunningDaemon.EndedEarly.self) { try await RunningDaemon(words) }
            #expect(error?.log.contains(message) == true, "\(error?.log ?? "")")
        }
    }

    @Test(
        "systemd's socket is the engine's own, and a second one is served by its name",
        .enabled(if: Tool.isThere("/usr/bin/python3"), "needs python3"))
    func activation() async throws {
        let root = "/tmp/gantry-client-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let script = #"""
            import os, socket, sys
            root = sys.argv[1]
            os.makedirs(root + '/run', exist_ok=True)
            listening = []
            for path in (root + '/run/gantry.sock', root + '/other.sock'):
                one = socket.socket(socket.AF_UNIX)
                one.bind(path)
                one.listen()
                listening.append(one)
            numbers = [os.dup(one.fileno()) for one in listening]
            for index, number in enumerate(numbers): os.dup2(number, 30 + index, inheritable=True)
            for index in range(2): os.dup2(30 + index, 3 + index, inheritable=True); os.close(30 + index)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='own:other')
            os.execv(sys.argv[2], sys.argv[2:])
            """#
        let daemon = try await RunningDaemon(
            ["-H", "fd://other"], folder: root, launcher: ("/usr/bin/python3", ["-c", script, root]))
        for path in [daemon.socketPath, "\(root)/other.sock"] {
            let result = try await daemon.docker(["-H", "unix://\(path)", "info", "--format", "{{.DockerRootDir}}"])
            #expect(result.output == "\(root)/data\n", "\(result.errors)")
        }
        // A command of ours visits the daemon by the socket that systemd has made.
        #expect(
            try await daemon.gantry(["--root", root, "info", "--format", "{{.GantryPid}}"]).output == "\(daemon.pid)\n")
        try await daemon.end()
    }
}

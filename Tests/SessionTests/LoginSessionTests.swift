import Glibc
import Linux
import PeerRegistry
import Testing

/// Who somebody is to a registry, as a command line knows it.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct LoginSessionTests {
    /// Lets in `me` with the password `secret`, and has nothing.
    private static func registry() throws -> FaultyServer {
        try FaultyServer { head, _ in
            guard head.contains("Authorization: Basic bWU6c2VjcmV0") else {
                return [.answer("401 Unauthorized", ["WWW-Authenticate: Basic realm=\"r\""])]
            }
            return [head.hasPrefix("GET /v2/ ") ? .answer("200 OK") : .answer("404 Not Found")]
        }
    }

    private static func run(
        _ bench: SessionBench, _ words: [String], input: String? = nil
    ) throws -> Outcome {
        let environment = ["DOCKER_CONFIG=\(bench.root)", "PATH=\(bench.root):/usr/sbin:/usr/bin:/sbin:/bin"]
        return try bench.start(words, input: input.map { Array($0.utf8) }, environment: environment).outcome()
    }

    @Test("Who is known to the registry is let in again without being asked; who is not any more is asked")
    func again() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let server = try Self.registry()
        let name = "localhost:\(server.port)"
        let first = try Self.run(bench, ["login", "-u", "me", "-p", "secret", name])
        #expect(first.code == 0 && first.text == "Login Succeeded\n", "\(first.errors)")
        #expect(first.errors.contains("Using --password via the CLI is insecure. Use --password-stdin."))
        let second = try Self.run(bench, ["login", name])
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.text == "Authenticating with existing credentials... [Username: me]\nLogin Succeeded\n")
        let stale = #"{"auths":{"\#(name)":{"auth":"bWU6b2xk"}}}"#
        try FileContents.replace("\(bench.root)/config.json", with: Array(stale.utf8), durable: false)
        let third = try Self.run(bench, ["login", name])
        #expect(third.code == 1 && third.errors.contains("Login did not succeed, error: "), "\(third.errors)")
        #expect(third.errors.contains("Cannot perform an interactive login from a non TTY device"))
    }

    @Test("A helper that fails costs the credentials, not the transfer, and is told of")
    func brokenHelper() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let server = try Self.registry()
        let helper = "\(bench.root)/docker-credential-broken"
        try FileContents.replace(helper, with: Array("#!/bin/sh\necho no bus; exit 1\n".utf8), durable: false)
        #expect(chmod(helper, 0o755) == 0)
        for (store, words) in [
            ("broken", "docker-credential-broken` get: no bus"), ("absent", "docker-credential-absent` get: "),
        ] {
            let file = #"{"credsStore":"\#(store)"}"#
            try FileContents.replace("\(bench.root)/config.json", with: Array(file.utf8), durable: false)
            let pull = try Self.run(bench, ["pull", "localhost:\(server.port)/app:1"])
            #expect(pull.code == 1 && pull.errors.contains("WARNING: credential helper `\(words)"), "\(pull.errors)")
            #expect(pull.errors.contains("Error response from daemon: pull access denied"), "\(pull.errors)")
        }
        #expect(server.requests.contains("GET /v2/app/manifests/1 HTTP/1.1"))
    }
}

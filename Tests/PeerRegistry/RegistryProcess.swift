import Glibc
import ImageFixtures
import Linux
import Testing

/// Debian's docker-registry on a port of this machine, with a store of its own; ends with the last reference.
package final class RegistryProcess: Sendable {
    package enum Kind { case plain, tls, password }

    package static let isMissing = !Command.exists("docker-registry")
    package let port: Int
    package let root: TemporaryRoot
    private let pid: Int32

    package var host: String { "localhost:\(port)" }
    /// The authority that signed the certificate of `tls`.
    package var authorityPath: String { "\(root.path)/ca.pem" }

    package init(_ kind: Kind = .plain, on port: Int? = nil, root: TemporaryRoot? = nil) async throws {
        let home = try root ?? TemporaryRoot()
        self.root = home
        self.port = try port ?? LoopbackPort.free()
        var text = """
            version: 0.1
            storage:
              filesystem: {rootdirectory: \(home.path)/store}
              delete: {enabled: true}
            log: {level: error, accesslog: {disabled: true}}
            http:
              addr: 127.0.0.1:\(self.port)

            """
        switch kind {
        case .plain: break
        case .tls:
            try Self.makeCertificates(home)
            text += "  tls: {certificate: \(home.path)/server.pem, key: \(home.path)/server.key}\n"
        case .password:
            try Command.require("htpasswd", "-Bbc", "\(home.path)/htpasswd", "user", "pass word")
            text += "auth:\n  htpasswd: {realm: test, path: \(home.path)/htpasswd}\n"
        }
        let path = try home.write("config.yml", Array(text.utf8))
        let program = try #require(Command.find("docker-registry"))
        var spawn = Spawn(program: program, arguments: ["docker-registry", "serve", path])
        spawn.environment = ["PATH=/usr/bin:/bin", "HOME=\(home.path)", "OTEL_TRACES_EXPORTER=none"]
        pid = try spawn.start()
        try await LoopbackPort.wait(self.port)
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    private static func makeCertificates(_ home: TemporaryRoot) throws {
        let path = home.path
        try Command.require(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            "\(path)/ca.key", "-out", "\(path)/ca.pem", "-days", "2", "-subj", "/CN=Gantry test authority")
        try Command.require(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            "\(path)/server.key", "-out", "\(path)/server.csr", "-subj", "/CN=localhost")
        let extensions = try home.write("extensions", Array("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8))
        try Command.require(
            "openssl", "x509", "-req", "-in", "\(path)/server.csr", "-CA", "\(path)/ca.pem", "-CAkey", "\(path)/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", "\(path)/server.pem")
    }
}

package enum LoopbackPort {
    /// One that nobody listens on now.
    package static func free() throws -> Int {
        let socket = try kernelCall("socket") { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { close(socket) }
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                try kernelCall("bind") { bind(socket, generic, length) }
                try kernelCall("getsockname") { getsockname(socket, generic, &length) }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Returns once somebody answers there.
    package static func wait(_ port: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let socket = try kernelCall("socket") { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            defer { close(socket) }
            var address = address(port)
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if status == 0 { return }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
        throw KernelError("connect to the registry", "\(port)", .connectionRefused)
    }

    package static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

import Foundation

/// Certificates made with openssl(1), below a directory of their own: an authority, a server for 127.0.0.1, a client, and
/// a client of a stranger.
package final class TLSFixture: Sendable {
    package static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    package let directory: String

    package init() throws {
        directory = "/tmp/gantry-tls-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try authority("ca")
        try authority("stranger")
        try certificate("server", by: "ca", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth")
        try certificate("client", by: "ca", "extendedKeyUsage=clientAuth")
        try certificate("other", by: "stranger", "extendedKeyUsage=clientAuth")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    package func path(_ name: String) -> String { "\(directory)/\(name).pem" }
    package func key(_ name: String) -> String { "\(directory)/\(name).key" }

    private static let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func authority(_ name: String) throws {
        try openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-keyout", key(name), "-out", path(name)]
                + Self.curve)
    }

    private func certificate(_ name: String, by authority: String, _ extensions: String) throws {
        let request = "\(directory)/\(name).csr"
        try openssl(["req", "-subj", "/CN=\(name)", "-keyout", key(name), "-out", request] + Self.curve)
        let file = "\(directory)/\(name).ext"
        try Data(extensions.utf8).write(to: URL(fileURLWithPath: file))
        try openssl([
            "x509", "-req", "-days", "2", "-in", request, "-CA", path(authority), "-CAkey", key(authority),
            "-CAcreateserial", "-out", path(name), "-extfile", file,
        ])
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }
}

import NIOCore
import NIOPosix
import NIOSSL

/// As whom a server shows itself in TLS, and whose clients it takes: there is no TLS without certificates on both sides.
package struct ServerTLSSettings: Hashable, Sendable {
    /// PEM file of the authorities whose clients are taken.
    package var authorityFile: String
    package var certificateFile: String
    package var keyFile: String

    package init(authorityFile: String, certificateFile: String, keyFile: String) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// - Throws: `untrusted` where a file cannot be used. Reads files, so off the event loop.
    func context() async throws(TransportError) -> NIOSSLContext {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try make() }
        } catch let error as TransportError {
            throw error
        } catch {
            throw .untrusted("\(error)")
        }
    }

    private func make() throws -> NIOSSLContext {
        let chain = try Self.named(certificateFile) { try NIOSSLCertificate.fromPEMFile(certificateFile) }
        let key = try Self.named(keyFile) { try NIOSSLPrivateKey(file: keyFile, format: .pem) }
        let authorities = try Self.named(authorityFile) { try NIOSSLCertificate.fromPEMFile(authorityFile) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // A client must show a certificate; it has no name that could be compared with anything.
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates(authorities)
        return try NIOSSLContext(configuration: configuration)
    }

    /// The file's name belongs into the message, its content does not.
    private static func named<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw TransportError.untrusted("read `\(path)`: \(error)") }
    }
}

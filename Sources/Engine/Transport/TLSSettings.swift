import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Whom a client believes, and as whom it shows itself, in TLS.
package struct TLSSettings: Hashable, Sendable {
    /// PEM files of further authorities, beside the system's.
    package var authorityFiles: [String] = []
    /// Believe those files' authorities alone, and not the system's.
    package var believesFilesAlone = false
    package var certificateFile: String?
    package var keyFile: String?
    /// Believe any certificate.
    package var skipsVerification = false

    package init() {}
}

/// BoringSSL's contexts, made once for each settings and state of their files: reading the system's authorities takes
/// milliseconds, and a certificate is renewed while an engine runs.
enum TLSContexts {
    private struct Key: Hashable {
        let settings: TLSSettings
        /// Empty for a file that is not there.
        let files: [[Int]]

        init(_ settings: TLSSettings) {
            self.settings = settings
            let paths = settings.authorityFiles + [settings.certificateFile, settings.keyFile].compactMap(\.self)
            files = paths.map { path in
                var facts = stat()
                guard stat(path, &facts) == 0 else { return [] }
                let (changed, modified) = (facts.st_ctim, facts.st_mtim)
                return [
                    Int(truncatingIfNeeded: facts.st_ino), Int(facts.st_size), changed.tv_sec, changed.tv_nsec,
                    modified.tv_sec, modified.tv_nsec,
                ]
            }
        }
    }

    private static let made = Mutex<[Key: NIOSSLContext]>([:])
    private static let limit = 64

    /// - Throws: `untrusted` where a file cannot be used. Reads files, so off the event loop.
    static func context(for settings: TLSSettings) async throws(TransportError) -> NIOSSLContext {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                // Looked at before the files are read: what changes meanwhile is read again the next time.
                let key = Key(settings)
                if let context = made.withLock({ $0[key] }) { return context }
                let context = try make(settings)
                made.withLock { made in
                    if made.count >= limit { made.removeAll() }
                    made[key] = context
                }
                return context
            }
        } catch let error as TransportError {
            throw error
        } catch {
            throw .untrusted("\(error)")
        }
    }

    private static func make(_ settings: TLSSettings) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if settings.skipsVerification { configuration.certificateVerification = .none }
        var authorities: [NIOSSLCertificate] = []
        for path in settings.authorityFiles {
            authorities += try named(path) { try NIOSSLCertificate.fromPEMFile(path) }
        }
        if settings.believesFilesAlone {
            configuration.trustRoots = .certificates(authorities)
        } else if !authorities.isEmpty {
            configuration.additionalTrustRoots.append(.certificates(authorities))
        }
        if let path = settings.certificateFile {
            configuration.certificateChain = try named(path) {
                try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
            }
        }
        if let path = settings.keyFile {
            configuration.privateKey = try named(path) {
                .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
            }
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func named<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw TransportError.untrusted("read `\(path)`: \(error)") }
    }
}

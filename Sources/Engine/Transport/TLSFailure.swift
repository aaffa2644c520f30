import NIOSSL

/// What went wrong with TLS, in the words that docker's users know: BoringSSL's own are lists of its source lines.
enum TLSFailure {
    /// Nil for what is no error of TLS.
    static func reason(_ error: any Error) -> TransportError? {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return .untrusted("tls: failed to verify certificate: signed by unknown authority, or not valid now")
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return .untrusted("tls: the server gave an HTTP response to an HTTPS client")
        }
        switch error {
        case is NIOSSLExtraError: return .untrusted("tls: failed to verify certificate: it is not for this host")
        case NIOSSLError.uncleanShutdown: return .closed
        case is NIOSSLError, is BoringSSLError:
            return .untrusted(alert(in: text).map { "remote error: tls: \($0)" } ?? "tls: \(text)")
        default: return nil
        }
    }

    /// The other end's complaint: `…:TLSV1_ALERT_CERTIFICATE_REQUIRED at …` is `certificate required`.
    private static func alert(in text: String) -> String? {
        let mark = "_ALERT_"
        let names = text.split { $0 != "_" && !$0.isLetter && !$0.isNumber }
        let name = names.first { $0.contains(mark) }
        guard let name, let start = name.firstRange(of: mark)?.upperBound else { return nil }
        return name[start...].lowercased().split(separator: "_").joined(separator: " ")
    }
}

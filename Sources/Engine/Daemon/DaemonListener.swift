import EngineAPI
import Transport

/// A socket that a daemon serves: where it listens, and in which TLS.
package struct DaemonListener: Hashable, Sendable {
    let address: ListenAddress
    let tls: ServerTLSSettings?

    /// What `--tlsverify` wants.
    package typealias Certificates = ServerTLSSettings

    /// A listening socket that the process was started with (sd_listen_fds(3)).
    package struct Inherited: Hashable, Sendable {
        package var number: Int32
        /// What `FileDescriptorName=` calls it; empty for one without a name.
        package var name: String

        package init(number: Int32, name: String) {
            self.number = number
            self.name = name
        }
    }

    /// A socket file of the daemon's own.
    package static func unix(path: String) -> DaemonListener {
        DaemonListener(address: .unix(path: path), tls: nil)
    }

    /// A socket that the process was started with; it must be a Unix socket.
    package static func inherited(_ socket: Inherited) -> DaemonListener {
        DaemonListener(address: .inherited(socket.number), tls: nil)
    }

    /// Where that socket's file is; nil for one without a file.
    package static func path(of socket: Inherited) -> String? {
        guard case .unix(let path)? = InheritedSocket(socket.number), !path.isEmpty else { return nil }
        return path
    }
}

/// Reads the `-H` of `gantry daemon`.
///
/// Who can reach the API is root of the machine. So TCP is served only to clients with a certificate; plainly only on
/// the loopback, to whoever says by an ugly flag that every process of the machine may be root.
package struct ListenPlan: Sendable {
    package var certificates: DaemonListener.Certificates?
    package var allowsPlainTCP: Bool
    package var inherited: [DaemonListener.Inherited]
    private let describe: @Sendable (Int32) -> InheritedSocket?

    package init(
        certificates: DaemonListener.Certificates?, allowsPlainTCP: Bool, inherited: [DaemonListener.Inherited]
    ) {
        self.init(certificates, allowsPlainTCP, inherited) { InheritedSocket($0) }
    }

    init(
        _ certificates: DaemonListener.Certificates?, _ allowsPlainTCP: Bool, _ inherited: [DaemonListener.Inherited],
        describe: @escaping @Sendable (Int32) -> InheritedSocket?
    ) {
        self.certificates = certificates
        self.allowsPlainTCP = allowsPlainTCP
        self.inherited = inherited
        self.describe = describe
    }

    /// - Throws: `invalid` or `denied`, with the host's own words.
    package func listeners(_ host: String) throws(EngineError) -> [DaemonListener] {
        guard let separator = host.firstRange(of: "://") else { throw unreadable(host) }
        let rest = String(host[separator.upperBound...])
        switch host[..<separator.lowerBound] {
        case "unix":
            guard rest.hasPrefix("/") else { throw unreadable(host) }
            return [.unix(path: rest)]
        case "tcp": return [try tcp(rest, host)]
        case "fd": return try activated(rest, host)
        default: throw unreadable(host)
        }
    }

    private func unreadable(_ host: String) -> EngineError {
        EngineError(
            .invalid,
            "`\(host)` cannot be served: give unix:///path/to/socket, tcp://host:port, fd:// or fd://name", object: host
        )
    }

    private func tcp(_ text: String, _ host: String) throws(EngineError) -> DaemonListener {
        guard let (name, port) = HostPort.read(text, defaultPort: certificates == nil ? 2375 : 2376) else {
            throw unreadable(host)
        }
        let tls = try tls(isLoopback: HostPort.isLoopback(name), host)
        return DaemonListener(address: .tcp(host: name.isEmpty ? "0.0.0.0" : name, port: port), tls: tls)
    }

    private func tls(isLoopback: Bool, _ host: String) throws(EngineError) -> ServerTLSSettings? {
        if let certificates { return certificates }
        guard allowsPlainTCP else {
            throw EngineError(
                .denied,
                "`\(host)` is not served without TLS, for whoever reaches it is root here: give --tlsverify with "
                    + "--tlscacert, --tlscert and --tlskey", object: host)
        }
        guard isLoopback else {
            throw EngineError(.denied, "`\(host)` is not served without TLS: it is not the loopback", object: host)
        }
        return nil
    }

    /// `fd://` is all sockets that came with the process, `fd://NAME` or `fd://NUMBER` one of them.
    private func activated(_ text: String, _ host: String) throws(EngineError) -> [DaemonListener] {
        let chosen = text.isEmpty ? inherited : inherited.filter { $0.name == text || "\($0.number)" == text }
        guard !chosen.isEmpty else {
            throw EngineError(.invalid, "`\(host)`: no such socket was given to this process", object: host)
        }
        var listeners: [DaemonListener] = []
        for socket in chosen {
            switch describe(socket.number) {
            case nil: throw EngineError(.invalid, "descriptor \(socket.number) is no socket that listens", object: host)
            case .unix: listeners.append(.inherited(socket))
            case .internet(let isLoopback):
                let tls = try tls(isLoopback: isLoopback, "\(host) (descriptor \(socket.number))")
                listeners.append(DaemonListener(address: .inherited(socket.number), tls: tls))
            }
        }
        return listeners
    }
}

/// `host:port`, `[::1]:port`, `:port` or `host`.
enum HostPort {
    static func read(_ text: String, defaultPort: Int) -> (host: String, port: Int)? {
        var host = text
        var port = defaultPort
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            if !rest.isEmpty {
                guard let number = UInt16(rest.dropFirst()) else { return nil }
                port = Int(number)
            }
        } else if let colon = text.lastIndex(of: ":") {
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            (host, port) = (String(text[..<colon]), Int(number))
            // Version 6 needs its brackets: `::1` may be an address or a port.
            guard !host.contains(":") else { return nil }
        }
        let isPlain = host.utf8.allSatisfy { $0 > 32 && $0 != 47 && $0 < 127 }
        return isPlain ? (host, port) : nil
    }

    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

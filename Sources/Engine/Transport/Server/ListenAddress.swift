import Glibc
import Linux

/// Where a server takes connections.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A socket file of the server's own.
    case unix(path: String)
    /// An address of the machine; port 0 for any that is free.
    case tcp(host: String, port: Int)
    /// A listening socket that this process was started with, such as by systemd (sd_listen_fds(3)). The server closes
    /// it in the end, and leaves its file alone: both are of whoever made them.
    case inherited(Int32)

    package var description: String {
        switch self {
        case .unix(let path): "unix://\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .inherited(let number): "fd://\(number)"
        }
    }
}

extension ListenAddress {
    /// The socket's file, where it has one.
    var socketPath: String? {
        switch self {
        case .unix(let path): return path
        case .tcp: return nil
        case .inherited(let number):
            guard case .unix(let path)? = InheritedSocket(number) else { return nil }
            return path
        }
    }
}

/// What a socket that came with the process is bound to.
package enum InheritedSocket: Hashable, Sendable {
    case unix(path: String)
    case internet(isLoopback: Bool)

    /// Nil for what is no socket that listens for streams.
    package init?(_ number: Int32) {
        guard Self.option(number, SO_TYPE) == Int32(SOCK_STREAM.rawValue), Self.option(number, SO_ACCEPTCONN) == 1
        else { return nil }
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        guard status == 0 else { return nil }
        let bytes = withUnsafeBytes(of: &address) { Array($0.prefix(Int(length))) }
        switch Int32(address.ss_family) {
        case AF_UNIX: self = .unix(path: String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self))
        case AF_INET: self = .internet(isLoopback: bytes[4] == 127)
        case AF_INET6: self = .internet(isLoopback: bytes[8..<24] == [UInt8](repeating: 0, count: 15) + [1])
        default: return nil
        }
    }

    private static func option(_ number: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: value))
        return getsockopt(number, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}

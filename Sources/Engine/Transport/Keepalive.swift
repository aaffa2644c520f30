import Glibc
import NIOCore
import NIOPosix

/// Probes of tcp(7) on connections over the network. A host that vanished without a word is noticed a minute later, and
/// nobody waits for it for ever: neither a client for events, nor a server with a stream that it holds open.
enum Keepalive {
    private static let options: [(level: NIOBSDSocket.OptionLevel, name: Int32, value: Int)] = [
        (.socket, SO_KEEPALIVE, 1), (.tcp, TCP_KEEPIDLE, idleSeconds), (.tcp, TCP_KEEPINTVL, intervalSeconds),
        (.tcp, TCP_KEEPCNT, probeCount),
    ]
    static let idleSeconds = 30
    private static let intervalSeconds = 10
    private static let probeCount = 3

    static func apply(to bootstrap: ClientBootstrap) -> ClientBootstrap {
        options.reduce(bootstrap) { bootstrap, option in
            bootstrap.channelOption(
                ChannelOptions.Types.SocketOption(
                    level: option.level, name: NIOBSDSocket.Option(rawValue: option.name)), value: option.value)
        }
    }

    /// On a connection that a server took; only where it listens on TCP. To be called on the channel's event loop.
    static func apply(toAccepted channel: any Channel) throws {
        switch channel.parent?.localAddress {
        case .v4?, .v6?: break
        default: return
        }
        for option in options {
            try channel.syncOptions?.setOption(
                ChannelOptions.Types.SocketOption(
                    level: option.level, name: NIOBSDSocket.Option(rawValue: option.name)), value: option.value)
        }
    }
}

import Glibc
import NIOCore

extension HijackedConnection {
    /// Returns once the peer has read all that was written, or after the limit. Only a Unix socket tells; on others at
    /// once.
    ///
    /// Who reads the answer's head through a buffer and the bytes behind it past that buffer, as docker's SDK for Python
    /// does, would lose what comes in one piece with the head.
    package func waitUntilRead(atMost limit: Duration) async {
        let end = ContinuousClock.now + limit
        while let count = await unreadBytes, count > 0, .now < end {
            do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
        }
    }

    /// What lies in the peer's queue, with the kernel's own share; nil where that is not known.
    private var unreadBytes: UInt32? {
        get async {
            guard let channel = (wire as? ChannelWire)?.channel,
                case .unixDomainSocket? = channel.localAddress, let provider = channel as? any SocketOptionProvider
            else { return nil }
            let memory: EventLoopFuture<SocketMemory> = provider.unsafeGetSocketOption(
                level: NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET), name: NIOBSDSocket.Option(rawValue: SO_MEMINFO))
            // One that is closed has no peer.
            return try? await memory.value().sent
        }
    }
}

/// The beginning of what `SO_MEMINFO` of socket(7) tells: `sk_meminfo` of linux/sock_diag.h.
private struct SocketMemory {
    var received: UInt32 = 0
    var receiveLimit: UInt32 = 0
    /// SK_MEMINFO_WMEM_ALLOC: what this end has sent and the other has not read.
    var sent: UInt32 = 0
}

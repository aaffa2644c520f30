import AsyncIO
import Glibc
import Linux
import NIOCore
import NIOSSL

/// The socket under a channel of an event loop's, for who passes bytes by the loop.
enum PlainSocket {
    /// What may be on its way to a Unix peer.
    private static let sendBufferBytes: Int32 = 256 << 10

    /// A duplicate of the channel's descriptor; nil where there is a TLS layer, or no descriptor left. On the event loop.
    static func duplicate(of channel: any Channel) -> AsyncSocket? {
        let pipeline = channel.pipeline.syncOperations
        // An error says that there is no such handler. Past one, bytes would go out in clear.
        guard (try? pipeline.handler(type: NIOSSLServerHandler.self)) == nil,
            (try? pipeline.handler(type: NIOSSLClientHandler.self)) == nil
        else { return nil }
        // One that is closed has no descriptor: its own way tells of that.
        let number = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { handle in
            fcntl(handle, F_DUPFD_CLOEXEC, 0)
        }
        guard let number, number >= 0 else { return nil }
        let descriptor = Descriptor(rawValue: number)
        if case .unixDomainSocket? = channel.localAddress {
            // It is as large as it was then.
            try? UnixSocket.setSendBuffer(descriptor, byteCount: sendBufferBytes)
        }
        do throws(KernelError) { return try AsyncSocket(descriptor) } catch {
            descriptor.close()
            return nil
        }
    }
}

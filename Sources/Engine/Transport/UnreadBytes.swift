import Glibc
import Linux

extension HijackedConnection {
    /// Returns once the peer has read all that was written, or after the limit. Only a Unix socket tells; on others at
    /// once.
    ///
    /// Who reads the answer's head through a buffer and the bytes behind it past that buffer, as docker's SDK for Python
    /// does, would lose what comes in one piece with the head.
    package func waitUntilRead(atMost limit: Duration) async {
        let end = ContinuousClock.now + limit
        while let count = unreadBytes, count > 0, .now < end {
            do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
        }
    }

    /// What lies in the peer's queue, with the kernel's own share; nil where that is not known.
    private var unreadBytes: UInt32? {
        guard let socket = (wire as? SocketWire)?.socket else { return nil }
        // One that is closed has no peer.
        return try? socket.withDescriptor { descriptor throws(KernelError) in
            guard try descriptor.option(SO_DOMAIN, Int32(0)) == AF_UNIX else { return nil }
            return try descriptor.option(SO_MEMINFO, SocketMemory()).sent
        }
    }
}

extension Descriptor {
    /// getsockopt(2) at the socket's own level; what the kernel does not say stays as it is.
    fileprivate func option<Value: BitwiseCopyable>(_ name: Int32, _ value: Value) throws(KernelError) -> Value {
        var (value, size) = (value, socklen_t(MemoryLayout<Value>.size))
        try kernelCall("getsockopt") { getsockopt(rawValue, SOL_SOCKET, name, &value, &size) }
        return value
    }
}

/// The beginning of what `SO_MEMINFO` of socket(7) tells: `sk_meminfo` of linux/sock_diag.h.
private struct SocketMemory: BitwiseCopyable {
    var received: UInt32 = 0
    var receiveLimit: UInt32 = 0
    /// SK_MEMINFO_WMEM_ALLOC: what this end has sent and the other has not read.
    var sent: UInt32 = 0
}

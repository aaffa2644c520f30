import CLinux
import Glibc

/// Stream sockets of the Unix domain, named relative to a directory: sun_path holds 107 bytes, and the path of a data
/// root may be longer, while `/proc/self/fd/N/name` never is.
public enum UnixSocket {
    /// Binds and listens on `name` in `directory`, with mode 0600 unless another is given. A file of that name must
    /// not exist. The socket does not block.
    public static func listen(
        in directory: Descriptor, name: String, mode: mode_t = 0o600, backlog: Int32 = 128
    ) throws(KernelError) -> Descriptor {
        let socket = try open()
        do {
            var address = try address(in: directory, name: name)
            try kernelCall("bind", name) {
                withSocketAddress(&address) { Glibc.bind(socket.rawValue, $0, $1) }
            }
            // Before listen: no connection can come in while the mode is still the umask's.
            try kernelCall("chmod", name) { fchmodat(directory.rawValue, name, mode, 0) }
            try kernelCall("listen", name) { Glibc.listen(socket.rawValue, backlog) }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// Connects to `name` in `directory`. Never waits: EAGAIN where the listener's queue is full. The socket does not
    /// block.
    public static func connect(in directory: Descriptor, name: String) throws(KernelError) -> Descriptor {
        let socket = try open()
        do {
            var address = try address(in: directory, name: name)
            try kernelCall("connect", name) {
                withSocketAddress(&address) { Glibc.connect(socket.rawValue, $0, $1) }
            }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// accept4(2): the next connection, which does not block either; EAGAIN where none waits.
    public static func accept(_ listener: Descriptor) throws(KernelError) -> Descriptor {
        Descriptor(rawValue: try kernelCall("accept") { gantry_accept(listener.rawValue, 1) })
    }

    /// socketpair(2) of streams: what one end is sent comes out of the other. Both block.
    package static func pair() throws(KernelError) -> (Descriptor, Descriptor) {
        var ends: (Int32, Int32) = (-1, -1)
        try kernelCall("socketpair") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, $0)
                }
            }
        }
        return (Descriptor(rawValue: ends.0), Descriptor(rawValue: ends.1))
    }

    /// send(2) of the bytes from `offset` on, without SIGPIPE: the number taken.
    package static func send(_ socket: Descriptor, _ bytes: [UInt8], from offset: Int) throws(KernelError) -> Int {
        try kernelCall("send") {
            bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                return Glibc.send(socket.rawValue, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// sendmsg(2) of `head` and what lies behind it as one, from `offset` of both together on, without SIGPIPE: the number
    /// of bytes taken.
    package static func send(
        _ socket: Descriptor, _ head: [UInt8], _ body: UnsafeRawBufferPointer, from offset: Int = 0
    ) throws(KernelError) -> Int {
        try kernelCall("send") {
            head.withUnsafeBytes { head in
                let first = UnsafeRawBufferPointer(rebasing: head[min(offset, head.count)...])
                let second = UnsafeRawBufferPointer(rebasing: body[max(0, offset - head.count)...])
                var parts = (
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
                )
                return withUnsafeMutableBytes(of: &parts) { parts in
                    var message = msghdr()
                    message.msg_iov = parts.baseAddress?.assumingMemoryBound(to: iovec.self)
                    message.msg_iovlen = 2
                    return sendmsg(socket.rawValue, &message, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    /// SO_SNDBUF: how much may be on its way to the other side; the kernel doubles it, for its own share, and gives no more
    /// than `net.core.wmem_max`. Memory is taken only for what is on its way.
    package static func setSendBuffer(_ socket: Descriptor, byteCount: Int32) throws(KernelError) {
        var byteCount = byteCount
        try kernelCall("setsockopt") {
            setsockopt(socket.rawValue, SOL_SOCKET, SO_SNDBUF, &byteCount, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Gives a descriptor to the other side (SCM_RIGHTS).
    public static func send(_ socket: Descriptor, descriptor: Descriptor) throws(KernelError) {
        try kernelCall("send a descriptor") { gantry_send_descriptor(socket.rawValue, descriptor.rawValue) }
    }

    /// Gives a descriptor to the other side with a text beside it.
    package static func send(_ socket: Descriptor, descriptor: Descriptor, with text: String) throws(KernelError) {
        try send(socket, descriptor: descriptor, with: Array(text.utf8))
    }

    /// Gives a descriptor to the other side with a few bytes beside it: with all of them, or EAGAIN.
    package static func send(
        _ socket: Descriptor, descriptor: Descriptor, with bytes: [UInt8]
    ) throws(KernelError) {
        try kernelCall("send a descriptor") {
            bytes.withUnsafeBytes { bytes in
                gantry_send_descriptor_with(
                    socket.rawValue, descriptor.rawValue, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                    bytes.count)
            }
        }
    }

    /// recvmsg(2): how many bytes have come, 0 at the end, and a descriptor where one came beside them; close-on-exec is
    /// set, and the caller closes it.
    package static func receive(
        _ socket: Descriptor, into buffer: UnsafeMutableRawBufferPointer
    ) throws(KernelError) -> (count: Int, descriptor: Descriptor?) {
        var number: Int32 = -1
        let count = try kernelCall("receive") {
            gantry_receive_message(socket.rawValue, buffer.baseAddress, buffer.count, &number)
        }
        return (count, number >= 0 ? Descriptor(rawValue: number) : nil)
    }

    /// Takes the descriptor that a message brought; close-on-exec is set. ENOMSG where it brought none.
    public static func receiveDescriptor(_ socket: Descriptor) throws(KernelError) -> Descriptor {
        Descriptor(rawValue: try kernelCall("receive a descriptor") { gantry_receive_descriptor(socket.rawValue) })
    }

    private static func open() throws(KernelError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return Descriptor(rawValue: try kernelCall("socket") { socket(AF_UNIX, type, 0) })
    }

    private static func address(in directory: Descriptor, name: String) throws(KernelError) -> sockaddr_un {
        let path = Array("/proc/self/fd/\(directory.rawValue)/\(name)".utf8)
        var address = sockaddr_un()
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw KernelError("address", name, .nameTooLong)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        return address
    }

    private static func withSocketAddress<Result>(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

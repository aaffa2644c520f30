import CLinux
import Glibc

/// An address and a port.
package struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}

/// Sockets of the internet's families. None of them blocks; those of version 6 take that version alone.
package enum InternetSocket {
    package enum Kind: Sendable {
        case stream, datagram
        /// One of SCTP's streams, where the kernel has the protocol.
        case sctp
    }

    package static func open(_ kind: Kind, _ family: IPAddress.Family) throws(KernelError) -> Descriptor {
        let type = kind == .datagram ? Int32(SOCK_DGRAM.rawValue) : Int32(SOCK_STREAM.rawValue)
        let number = try kernelCall("socket") {
            gantry_inet_socket(Int32(family.bitCount / 8), type, kind == .sctp ? 132 : 0)
        }
        return Descriptor(rawValue: number)
    }

    /// A socket bound to an address; port 0 for any that is free. One of streams listens, too.
    package static func bound(_ kind: Kind, _ local: SocketEndpoint) throws(KernelError) -> Descriptor {
        let socket = try open(kind, local.address.family)
        do throws(KernelError) {
            let bytes = local.address.bytes
            try kernelCall("bind", "\(local)") {
                gantry_inet_bind(socket.rawValue, bytes, Int32(bytes.count), local.port)
            }
            if kind != .datagram { try kernelCall("listen", "\(local)") { listen(socket.rawValue, 512) } }
        } catch {
            socket.close()
            throw error
        }
        return socket
    }

    /// connect(2); EINPROGRESS, which is no failure, is told by the result.
    ///
    /// - Returns: whether it stands already.
    package static func connect(_ socket: Descriptor, to peer: SocketEndpoint) throws(KernelError) -> Bool {
        let bytes = peer.address.bytes
        do throws(KernelError) {
            try kernelCall("connect to", "\(peer)") {
                gantry_inet_connect(socket.rawValue, bytes, Int32(bytes.count), peer.port)
            }
            return true
        } catch  where error.errno.rawValue == EINPROGRESS { return false }
    }

    package static func port(_ socket: Descriptor) throws(KernelError) -> UInt16 {
        UInt16(truncatingIfNeeded: try kernelCall("read a socket's port") { gantry_inet_port(socket.rawValue) })
    }

    /// What connects to whom a listening socket serves.
    package static func kind(ofListener socket: Descriptor) throws(KernelError) -> Kind {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try kernelCall("read a socket's protocol") {
            getsockopt(socket.rawValue, SOL_SOCKET, SO_PROTOCOL, &number, &length)
        }
        return number == 132 ? .sctp : .stream
    }

    /// What became of a connection that was in progress: 0, or why it failed.
    package static func pendingError(_ socket: Descriptor) throws(KernelError) -> Errno? {
        let number = try kernelCall("read a socket's error") { gantry_socket_error(socket.rawValue) }
        return number == 0 ? nil : Errno(rawValue: number)
    }

    /// sendto(2) of a whole datagram.
    ///
    /// - Parameter way: by which what it answers came; nil for whichever the route gives.
    package static func send(
        _ socket: Descriptor, _ bytes: [UInt8], to peer: SocketEndpoint, by way: DatagramWay? = nil
    ) throws(KernelError) {
        let (address, local) = (peer.address.bytes, way?.local.bytes)
        try kernelCall("send to", "\(peer)") {
            bytes.withUnsafeBytes {
                gantry_inet_send_to(
                    socket.rawValue, $0.baseAddress, $0.count, address, Int32(address.count), peer.port, local,
                    way?.interface ?? 0)
            }
        }
    }

    /// recvfrom(2): how many bytes of `buffer` the datagram fills, and who sent it; EAGAIN where none waits.
    package static func receive(
        _ socket: Descriptor, into buffer: inout [UInt8]
    ) throws(KernelError) -> (count: Int, peer: SocketEndpoint) {
        let (count, peer, _) = try receiveTold(socket, into: &buffer)
        return (count, peer)
    }

    /// Has the ways of datagrams told, of those that come from now on.
    package static func tellWays(_ socket: Descriptor) throws(KernelError) {
        try kernelCall("ask for the addresses of datagrams") { gantry_inet_tell_local(socket.rawValue) }
    }

    /// The same as `receive`, with the way that the datagram came; nil where that is not told.
    package static func receiveTold(
        _ socket: Descriptor, into buffer: inout [UInt8]
    ) throws(KernelError) -> (count: Int, peer: SocketEndpoint, way: DatagramWay?) {
        var (address, local) = ([UInt8](repeating: 0, count: 16), [UInt8](repeating: 0, count: 16))
        var (length, interface): (Int32, UInt32) = (0, 0)
        var port: UInt16 = 0
        let capacity = buffer.count
        let count = try kernelCall("receive") {
            buffer.withUnsafeMutableBytes {
                gantry_inet_receive_from(
                    socket.rawValue, $0.baseAddress, capacity, &address, &length, &port, &local, &interface)
            }
        }
        guard let peer = IPAddress(bytes: address.prefix(Int(length))),
            let own = IPAddress(bytes: local.prefix(Int(length)))
        else { throw KernelError("receive", "", .invalidArgument) }
        // Elsewhere an answer may well leave by another device than the question came by.
        let isBoundToLink = peer.family == .v6 && peer.isLinkLocal
        let way = own.isUnspecified ? nil : DatagramWay(local: own, interface: isBoundToLink ? interface : 0)
        return (count, SocketEndpoint(peer, port), way)
    }
}

/// By which of the machine's addresses, and over which device, a datagram came: an answer goes back that way, for who asked
/// one address takes no answer from another.
package struct DatagramWay: Hashable, Sendable {
    package let local: IPAddress
    /// The device's index, where the peer's address means something on that link alone; else 0.
    package let interface: UInt32
}

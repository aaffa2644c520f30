import CLinux
import Glibc

/// Datagram sockets of the Unix domain, as sd_notify(3) uses them.
package enum UnixDatagram {
    /// Binds `name` in `directory`, with that mode; a file of that name must not exist. The socket does not block.
    package static func bind(in directory: Descriptor, name: String, mode: mode_t) throws(KernelError) -> Descriptor {
        let socket = try open()
        do throws(KernelError) {
            let path = "/proc/self/fd/\(directory.rawValue)/\(name)"
            try withAddress(path) { (address, length) throws(KernelError) in
                try kernelCall("bind", name) { Glibc.bind(socket.rawValue, address, length) }
            }
            try kernelCall("chmod", name) { fchmodat(directory.rawValue, name, mode, 0) }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// Connects to the socket at `path`, or to an abstract one where the path begins with `@`.
    package static func connect(_ path: String) throws(KernelError) -> Descriptor {
        let socket = try open()
        do throws(KernelError) {
            try withAddress(path) { (address, length) throws(KernelError) in
                try kernelCall("connect", path) { Glibc.connect(socket.rawValue, address, length) }
            }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    private static func open() throws(KernelError) -> Descriptor {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return Descriptor(rawValue: try kernelCall("socket") { socket(AF_UNIX, type, 0) })
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(KernelError) -> Void
    ) throws(KernelError) {
        var bytes = Array(path.utf8)
        var address = sockaddr_un()
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < capacity else { throw KernelError("address", path, .nameTooLong) }
        address.sun_family = sa_family_t(AF_UNIX)
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // The name of an abstract socket is as long as said; that of a file ends at its zero.
        let length = MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1)
        let raw = UnsafeMutablePointer<sockaddr_un>.allocate(capacity: 1)
        defer { raw.deallocate() }
        raw.initialize(to: address)
        try raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(KernelError) in
            try body(pointer, socklen_t(length))
        }
    }
}

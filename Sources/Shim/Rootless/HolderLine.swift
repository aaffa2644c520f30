import CLinux
import Glibc
import Linux

/// A connection between a `gantry` and the holder of its namespaces; `HolderMessage` says what is spoken.
///
/// It is also a lease: the holder lives while any is open. So an engine lets its containers' shims inherit its own, and
/// the kernel closes each with the last process that has it, however that ends.
package struct HolderLine: Hashable, Sendable {
    package let socket: Descriptor

    package init(_ socket: Descriptor) { self.socket = socket }

    func send(_ message: HolderMessage) throws(KernelError) {
        let bytes = Array(message.text.utf8)
        var sent = 0
        while sent < bytes.count { sent += try UnixSocket.send(socket, bytes, from: sent) }
    }

    func send(_ message: HolderMessage, with descriptor: Descriptor) throws(KernelError) {
        try UnixSocket.send(socket, descriptor: descriptor, with: message.text)
    }

    /// The next message, and the descriptor that it brought.
    ///
    /// - Throws: ETIMEDOUT; ECONNRESET at the end of the connection.
    func receive(timeoutMilliseconds: Int32) throws(KernelError) -> (HolderMessage, Descriptor?) {
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        let ready = try kernelCall("poll") { poll(&entry, 1, timeoutMilliseconds) }
        guard ready > 0 else { throw KernelError("wait for an answer", "", Errno(rawValue: ETIMEDOUT)) }
        var bytes = [UInt8](repeating: 0, count: HolderMessage.limitBytes)
        var number: Int32 = -1
        let count = try kernelCall("receive") {
            gantry_receive_message(socket.rawValue, &bytes, HolderMessage.limitBytes, &number)
        }
        let brought = number < 0 ? nil : Descriptor(rawValue: number)
        guard count > 0 else { throw KernelError("receive", "", Errno(rawValue: ECONNRESET)) }
        guard let message = HolderMessage(String(decoding: bytes[..<count], as: UTF8.self)) else {
            brought?.close()
            throw KernelError("understand the other side", "", .invalidArgument)
        }
        return (message, brought)
    }

    package func close() { socket.close() }
}

/// What `gantry` and the holder of its namespaces say to each other.
///
/// ```
///   gantry (the first)                        gantry-shim -namespaces
///     ├── starts, with its end of a line ───────►│ unshare(user, mount)
///     │◄──────────────────────────── unshared ───┤
///     │  newuidmap, newgidmap for its pid        │
///     ├── mapped ───────────────────────────────►│
///     │◄──────────── user + descriptor ──────────┤
///     │◄──────────── mount + descriptor ─────────┤
///     │  setns, setns                            │
///
///   gantry (the first after a holder was killed: what lives on is found by what it wrote down)
///     ├── starts, with its end of a line and ───►│ setns(user, mount)
///     │   the namespaces of who lives on         │
///     │◄──────────── user, mount, as above ──────┤
///
///   gantry (any other)
///     ├── connects ─────────────────────────────►│
///     │◄──────────── user, mount, as above ──────┤
///
///     ├── network ──────────────────────────────►│ a network namespace with an uplink, made once
///     │◄──────────── network + descriptor ───────┤
///   or│◄──────────── failed: why ────────────────┤
/// ```
enum HolderMessage: Hashable {
    case unshared
    case mapped
    /// With the user namespace.
    case user
    /// With the mount namespace.
    case mount
    /// A question without a descriptor, the answer with one and what the uplink is.
    case network(String)
    case failed(String)

    static let limitBytes = 1024

    var text: String {
        switch self {
        case .unshared: "unshared"
        case .mapped: "mapped"
        case .user: "user"
        case .mount: "mount"
        case .network(let uplink): "network " + uplink
        case .failed(let why): String(decoding: Array("failed \(why)".utf8.prefix(Self.limitBytes)), as: UTF8.self)
        }
    }

    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch words.first {
        case "unshared": self = .unshared
        case "mapped": self = .mapped
        case "user": self = .user
        case "mount": self = .mount
        case "network": self = .network(words.count > 1 ? words[1] : "")
        case "failed": self = .failed(words.count > 1 ? words[1] : "")
        default: return nil
        }
    }
}

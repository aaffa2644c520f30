import CLinux
import Glibc
import Linux

/// A netlink(7) socket: requests one after another, each with its answer. It belongs for ever to the network namespace
/// in which it was made, on whatever thread it is used; one thread at a time.
package struct NetlinkSocket: ~Copyable, Sendable {
    /// Whom it speaks to.
    package enum Subsystem: Int32, Sendable {
        /// NETLINK_ROUTE: links, addresses, routes.
        case routing = 0
        /// NETLINK_NETFILTER: what the packet filter remembers.
        case filter = 12
    }

    private let socket: OwnedDescriptor
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 32 << 10)

    /// In this thread's network namespace.
    package init(_ subsystem: Subsystem = .routing) throws(KernelError) {
        socket = OwnedDescriptor(try Self.open(subsystem))
    }

    /// In another network namespace: made on a thread that enters it and ends there.
    ///
    /// - Parameter body: what is to be done on that thread before, in the namespace as well.
    package init(
        in namespace: Descriptor, after body: @escaping @Sendable () throws(KernelError) -> Void = {}
    ) throws(KernelError) {
        let descriptor = try NetworkNamespace.run(in: namespace) { () throws(KernelError) -> Descriptor in
            try body()
            return try Self.open(.routing)
        }
        socket = OwnedDescriptor(descriptor)
    }

    static func open(_ subsystem: Subsystem) throws(KernelError) -> Descriptor {
        Descriptor(
            rawValue: try kernelCall("open netlink socket") { gantry_netlink_open(subsystem.rawValue) })
    }

    /// Makes a request and waits for its acknowledgement.
    package mutating func perform(
        _ message: NetlinkMessage, _ operation: String, _ object: String
    ) throws(NetlinkError) {
        _ = try exchange(message, operation, object) { _ in false }
    }

    /// Makes a request that is answered by messages: their bytes after the common header.
    ///
    /// A dump that was interrupted by a change is made again; after a few such the last is given, as iproute2 does.
    ///
    /// - Parameter isWanted: those to be kept, of dumps that may be long.
    package mutating func messages(
        _ message: NetlinkMessage, _ operation: String, _ object: String,
        where isWanted: (ArraySlice<UInt8>) -> Bool = { _ in true }
    ) throws(NetlinkError) -> [ArraySlice<UInt8>] {
        for _ in 0..<8 {
            let answer = try exchange(message, operation, object, isWanted)
            if !answer.isInterrupted { return answer.messages }
        }
        return try exchange(message, operation, object, isWanted).messages
    }

    private struct Answer {
        var messages: [ArraySlice<UInt8>] = []
        var isInterrupted = false
        var isComplete = false
        var refusal: Errno?
        var words = ""
    }

    private mutating func exchange(
        _ message: NetlinkMessage, _ operation: String, _ object: String, _ isWanted: (ArraySlice<UInt8>) -> Bool
    ) throws(NetlinkError) -> Answer {
        sequence &+= 1
        let request = message.encoded(sequence: sequence)
        var answer = Answer()
        do throws(KernelError) {
            try kernelCall("send") { send(socket.descriptor.rawValue, request, request.count, 0) }
            while !answer.isComplete { take(try receive(), into: &answer, isWanted) }
        } catch { throw NetlinkError(error, operation, object) }
        if let refusal = answer.refusal { throw NetlinkError(operation, object, refusal, detail: answer.words) }
        return answer
    }

    /// One datagram, whole: a longer one than the buffer is told of before it is taken.
    private mutating func receive() throws(KernelError) -> ArraySlice<UInt8> {
        let capacity = buffer.count
        let descriptor = socket.descriptor.rawValue
        let count = try kernelCall("receive") {
            buffer.withUnsafeMutableBytes { gantry_netlink_receive(descriptor, $0.baseAddress, capacity) }
        }
        guard count <= capacity else { throw KernelError("receive", "", Errno(rawValue: ENOBUFS)) }
        return buffer[..<count]
    }

    /// Takes the messages of a datagram that answer the present request.
    private func take(
        _ datagram: ArraySlice<UInt8>, into answer: inout Answer, _ isWanted: (ArraySlice<UInt8>) -> Bool
    ) {
        var rest = datagram
        while rest.count >= NetlinkMessage.headerByteCount {
            let length = Int(rest.number(at: 0) as UInt32)
            guard length >= NetlinkMessage.headerByteCount, length <= rest.count else { return }
            let message = rest.prefix(length)
            rest = rest.dropFirst((length + 3) & ~3)
            // An answer to an earlier request that failed half way.
            guard message.number(at: 8) as UInt32 == sequence else { continue }
            let flags: UInt16 = message.number(at: 6)
            if flags & 0x10 != 0 { answer.isInterrupted = true }
            let body = message.dropFirst(NetlinkMessage.headerByteCount)
            switch message.number(at: 4) as UInt16 {
            case 2, 3:
                // NLMSG_ERROR, an acknowledgement where its number is 0, and NLMSG_DONE, the end of a dump.
                answer.isComplete = true
                guard body.count >= 4, case let number = -(body.number(at: 0) as Int32), number > 0 else { break }
                answer.refusal = Errno(rawValue: number)
                answer.words = Self.text(ofError: body, flags: flags)
            default:
                if isWanted(body) { answer.messages.append(ArraySlice(Array(body))) }
            }
        }
    }

    /// NLMSGERR_ATTR_MSG: behind the request's header, and its body where the kernel gives that back.
    private static func text(ofError body: ArraySlice<UInt8>, flags: UInt16) -> String {
        guard flags & 0x200 != 0, body.count >= 20 else { return "" }
        let isCapped = flags & 0x100 != 0
        let echoed = isCapped ? NetlinkMessage.headerByteCount : Int(body.number(at: 4) as UInt32)
        guard 4 + echoed <= body.count else { return "" }
        return NetlinkAttributes(body.dropFirst(4 + ((echoed + 3) & ~3))).text(1) ?? ""
    }
}

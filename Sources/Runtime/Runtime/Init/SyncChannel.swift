import Glibc
import Linux

/// How the runtime and the process that becomes the container's init talk, over a pair of packet sockets:
///
/// ```
///   runtime                                init (in the new namespaces)
///      │  ids mapped, cgroups entered          │  propagation, root file system, first mounts
///      ├──────────── placed ──────────────────►│  (waits where it needs it)
///      │                                       │  mounts, devices, console
///      │◄─────────── mounted ──────────────────┤
///      │  hooks: prestart, createRuntime       │
///      ├──────────── proceed ─────────────────►│
///      │                                       │  hooks: createContainer
///      │◄─────────── hooked ───────────────────┤
///      │  resource limits, else before `placed`│
///      ├──────────── proceed ─────────────────►│
///      │                                       │  pivot_root, masks, user, lookup
///      │◄─────────── listener <number> ────────┤  a seccomp filter that asks an agent
///      │  its descriptor given to the agent    │
///      ├──────────── proceed ─────────────────►│
///      │◄─────────── ready ────────────────────┤
///      │  record written                       │
///      ├──────────── recorded ────────────────►│  waits for `start`, at the gate or, of a `run`, here
///      ├──────────── proceed ─────────────────►│  `run` alone, as what follows; hooks: startContainer
///      │◄─────────── ready ────────────────────┤  the program is executed next, which closes the channel
///      ╵                                       │
///      │◄─────────── failed <message> ─────────┤  at any point; init then ends
/// ```
///
/// Where the runtime is killed before `recorded`, init sees the end of the channel and ends: no process waits that nobody
/// knows of. `mounted`, `hooked` and `listener` are left out, each with its `proceed`, where there is nothing to be done. What an
/// `exec` sends is drawn at `ContainerEntry`.
enum SyncMessage: Equatable {
    case placed
    case mounted
    case hooked
    case proceed
    case ready
    case recorded
    /// The process of an `exec`, by its number in the runtime's pid namespace.
    case made(Int32)
    /// The descriptor's number in the process that has installed the filter.
    case listener(Int32)
    case failed(String)

    var bytes: [UInt8] {
        switch self {
        case .placed: [1]
        case .mounted: [2]
        case .hooked: [9]
        case .proceed: [3]
        case .ready: [4]
        case .recorded: [6]
        case .made(let pid): [7] + (0..<4).map { UInt8(truncatingIfNeeded: pid >> ($0 * 8)) }
        case .listener(let number): [8] + Array(String(number).utf8)
        case .failed(let text): [5] + text.utf8.prefix(16000)
        }
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        switch bytes.first {
        case 1: self = .placed
        case 2: self = .mounted
        case 9: self = .hooked
        case 3: self = .proceed
        case 4: self = .ready
        case 6: self = .recorded
        case 7 where bytes.count == 5:
            self = .made(bytes.dropFirst().reversed().reduce(0) { $0 << 8 | Int32($1) })
        case 8:
            guard let number = Int32(String(decoding: bytes.dropFirst(), as: UTF8.self)) else { return nil }
            self = .listener(number)
        case 5: self = .failed(String(decoding: bytes.dropFirst(), as: UTF8.self))
        default: return nil
        }
    }
}

/// One end of the pair.
struct SyncChannel {
    let socket: Descriptor
    /// Whose filter may already be in force: it speaks by read(2), write(2) and sigaction(2), which every program needs.
    let isContainers: Bool

    static func pair() throws(KernelError) -> (runtime: SyncChannel, initial: SyncChannel) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try kernelCall("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        return (
            SyncChannel(socket: Descriptor(rawValue: ends[0]), isContainers: false),
            SyncChannel(socket: Descriptor(rawValue: ends[1]), isContainers: true)
        )
    }

    func send(_ message: SyncMessage) throws(KernelError) {
        let bytes = message.bytes
        try kernelCall("send to the other process") {
            bytes.withUnsafeBytes {
                isContainers
                    ? Self.write($0, to: socket)
                    : Glibc.send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// write(2) of a process whose filter may refuse send(2): its end is not to be that nobody listens.
    ///
    /// - Returns: as write(2).
    static func write(_ bytes: UnsafeRawBufferPointer, to socket: Descriptor) -> Int {
        let former = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, former) }
        return Glibc.write(socket.rawValue, bytes.baseAddress, bytes.count)
    }

    /// The next message; nil where the other end is closed.
    func receive() throws(KernelError) -> SyncMessage? {
        do throws(KernelError) {
            return try next()
        } catch  where error.errno == Errno(rawValue: ECONNRESET) {
            // The other end was closed with a message of ours unread. The kernel says so once, before all that it has sent,
            // which may be why it ended.
            return try next()
        }
    }

    private func next() throws(KernelError) -> SyncMessage? {
        // MSG_PEEK and MSG_TRUNC: how long the next one is. Nearly all are of one byte, in pages that two processes share,
        // and all that the runtime sends.
        let size =
            isContainers
            ? 1
            : try kernelCall("read") { recv(socket.rawValue, nil, 0, Int32(MSG_PEEK) | Int32(MSG_TRUNC)) }
        var buffer = [UInt8](zeros: max(size, 1))
        let count = try socket.read(into: &buffer)
        return count == 0 ? nil : SyncMessage(buffer[..<count])
    }
}

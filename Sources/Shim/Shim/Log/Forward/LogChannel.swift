import Glibc
import Linux
import ShimAPI

/// The socket over which messages leave for another program. Nothing here waits.
///
/// A datagram is taken whole or not at all. A stream takes a message in pieces, so that each waits in a queue here until
/// all of it is gone; where the connection ends in the midst of one, the next connection gets it from its beginning.
final class LogChannel {
    enum Delivery { case done, full, tooLarge, gone }

    private let target: LogForward.Target
    private let queueBytes: Int
    private(set) var socket: Descriptor?
    private var isOpening = false
    private var queue: [[UInt8]] = []
    /// The first message of the queue that is not gone, and how much of it is.
    private var first = (index: 0, sent: 0)
    private var queuedBytes = 0

    /// - Parameter queueBytes: how much may wait for a stream; one message may at any time.
    init(to target: LogForward.Target, queueBytes: Int) {
        self.target = target
        self.queueBytes = queueBytes
    }

    /// For people.
    var name: String {
        switch target {
        case .unixDatagrams(let path), .unixStream(let path): path
        case .datagrams(let peer), .stream(let peer): "\(peer)"
        }
    }

    var isOfDatagrams: Bool {
        switch target {
        case .unixDatagrams, .datagrams: true
        case .unixStream, .stream: false
        }
    }

    /// Whether messages wait here.
    var isBehind: Bool { first.index < queue.count }

    /// The socket of a connection that does not stand yet.
    var unopened: Descriptor? { isOpening ? socket : nil }

    /// Begins to connect, anew where there was a connection.
    func open() throws(KernelError) {
        close()
        first.sent = 0
        switch target {
        case .unixDatagrams(let path): socket = try UnixDatagram.connect(path)
        case .unixStream(let path):
            let (parent, name) = PathName.split(path)
            let directory = try Descriptor.open(parent, O_PATH | O_DIRECTORY)
            defer { directory.close() }
            socket = try UnixSocket.connect(in: directory, name: name)
        case .datagrams(let peer): isOpening = !(try connect(.datagram, peer))
        case .stream(let peer): isOpening = !(try connect(.stream, peer))
        }
    }

    private func connect(_ kind: InternetSocket.Kind, _ peer: SocketEndpoint) throws(KernelError) -> Bool {
        let socket = try InternetSocket.open(kind, peer.address.family)
        do throws(KernelError) {
            let stands = try InternetSocket.connect(socket, to: peer)
            self.socket = socket
            return stands
        } catch {
            socket.close()
            throw error
        }
    }

    /// Finds out what became of a connection that was being made.
    ///
    /// - Throws: why there is none.
    func settleOpening() throws(KernelError) {
        guard let socket = unopened, isReady(socket, Int16(POLLOUT)) else { return }
        isOpening = false
        guard let reason = try InternetSocket.pendingError(socket) else { return }
        close()
        throw KernelError("connect to", name, reason)
    }

    /// Sends it, or takes it into the queue.
    func deliver(_ message: [UInt8]) -> Delivery {
        isOfDatagrams ? send(datagram: message) : enqueue(message)
    }

    private func send(datagram: [UInt8]) -> Delivery {
        guard let socket else { return .gone }
        do throws(KernelError) {
            _ = try UnixSocket.send(socket, datagram, from: 0)
            return .done
        } catch {
            switch error.errno.rawValue {
            case EAGAIN, ENOBUFS: return .full
            case EMSGSIZE: return .tooLarge
            default: return .gone
            }
        }
    }

    private func enqueue(_ message: [UInt8]) -> Delivery {
        if isBehind, queuedBytes + message.count > queueBytes {
            let delivery = flush()
            if isBehind, queuedBytes + message.count > queueBytes { return delivery }
        }
        queue.append(message)
        queuedBytes += message.count
        _ = flush()
        return .done
    }

    /// Sends what the stream takes of the queue.
    func flush() -> Delivery {
        guard isBehind else { return .done }
        guard let socket else { return .gone }
        do throws(KernelError) {
            try settleOpening()
            if isOpening { return .full }
            while isBehind {
                let message = queue[first.index]
                first.sent += try UnixSocket.send(socket, message, from: first.sent)
                if first.sent == message.count { dropFirst() }
            }
            return .done
        } catch {
            if error.errno.rawValue == EAGAIN { return .full }
            close()
            return .gone
        }
    }

    private func dropFirst() {
        queuedBytes -= queue[first.index].count
        queue[first.index] = []
        first = (first.index + 1, 0)
        guard !isBehind || first.index >= 1024 else { return }
        queue.removeFirst(first.index)
        first.index = 0
    }

    /// A stream whose other side has ended takes one more message, and loses it: that is looked for before.
    func noticeEnd() {
        guard !isOfDatagrams, !isOpening, let socket, isReady(socket, Int16(POLLIN)) else { return }
        var byte: UInt8 = 0
        let said = try? kernelCall("recv", name) {
            recv(socket.rawValue, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        }
        // A reset is an end, too.
        if (said ?? 0) == 0 { close() }
    }

    func close() {
        socket?.close()
        socket = nil
        isOpening = false
    }

    private func isReady(_ socket: Descriptor, _ events: Int16) -> Bool {
        var entry = pollfd(fd: socket.rawValue, events: events, revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}

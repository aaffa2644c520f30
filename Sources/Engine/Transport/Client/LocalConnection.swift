import AsyncIO
import Glibc
import Linux
import Synchronization

/// A connection to a server on a Unix socket, for one exchange after another: a request that fits into one write, and its
/// answer as it is asked for. A command has few of them: an event loop of NIO's costs it more than they do.
///
/// One task at a time uses it. A task that is cancelled while it waits closes it.
final class LocalConnection: Sendable {
    private let socket: AsyncSocket
    private let reader = Mutex(ResponseReader(answerTo: ""))

    /// Takes the socket over.
    init(_ descriptor: Descriptor) throws(KernelError) {
        do throws(KernelError) { socket = try AsyncSocket(descriptor) } catch {
            descriptor.close()
            throw error
        }
    }

    /// Sends the request and waits for the head of its answer.
    ///
    /// - Parameter silenceLimit: how long the server may send nothing meanwhile; nil for ever.
    func exchange(
        _ call: HTTPCall, host: String, silenceLimit: Duration?
    ) async throws(TransportError) -> ResponseReader.Head {
        let bytes = try RequestText.bytes(of: call, host: host)
        reader.withLock { $0 = ResponseReader(answerTo: call.method) }
        do throws(KernelError) { try await socket.write(bytes) } catch {
            // A server that refuses a body may answer and close before it has read all: the answer says why.
            guard error.errno == .brokenPipe || error.errno == Errno(rawValue: ECONNRESET) else { throw closed() }
        }
        guard case .head(let head) = try await next(silenceLimit: silenceLimit) else { throw closed() }
        return head
    }

    /// The next part of the answer.
    func next(silenceLimit: Duration?) async throws(TransportError) -> ResponseReader.Item {
        while true {
            do throws(TransportError) {
                let item = try reader.withLock { reader throws(TransportError) in try reader.next() }
                if let item { return item }
                let bytes = try await read(silenceLimit)
                try reader.withLock { reader throws(TransportError) in
                    if bytes.isEmpty { try reader.finish() } else { reader.append(bytes) }
                }
            } catch {
                close()
                throw error
            }
        }
    }

    /// Gives the socket up to bytes, after the head of an answer that says so; this is of no use from then on.
    func takeOver() -> SocketWire { SocketWire(socket, early: reader.withLock { $0.takeUnread() }) }

    /// Whether the answer was read whole, the server has not hung up, and nothing has come that nobody asked for.
    var isReusable: Bool {
        guard reader.withLock({ $0.isClean }) else { return false }
        // POLLRDHUP
        var entry = pollfd(fd: -1, events: Int16(POLLIN) | 0x2000, revents: 0)
        do throws(KernelError) {
            return try socket.withDescriptor { descriptor throws(KernelError) in
                entry.fd = descriptor.rawValue
                return try kernelCall("poll") { poll(&entry, 1, 0) } == 0
            }
        } catch { return false }
    }

    func close() { socket.close() }

    private func read(_ silenceLimit: Duration?) async throws(TransportError) -> [UInt8] {
        let limit = silenceLimit.map { SocketDeadlines.shared.close(socket, in: $0) }
        do throws(KernelError) {
            let bytes = try await socket.read()
            if let limit { SocketDeadlines.shared.lift(limit) }
            return bytes
        } catch {
            if let limit, !SocketDeadlines.shared.lift(limit) { throw .timedOut("wait for the server") }
            throw .closed
        }
    }

    private func closed() -> TransportError {
        close()
        return .closed
    }
}

/// A request as it goes over the connection.
private enum RequestText {
    /// Refuses what would end a line before its end.
    static func bytes(of call: HTTPCall, host: String) throws(TransportError) -> [UInt8] {
        var fields = call.fields
        if fields["Host"] == nil { fields["Host"] = host }
        var body: [UInt8] = []
        switch call.body {
        case .bytes(let bytes):
            body = bytes
            fields["Content-Length"] = String(bytes.count)
        case .none: if !call.isRepeatable { fields["Content-Length"] = "0" }
        case .stream, .sized: throw .malformed("a body that is streamed")
        }
        var text = "\(call.method) \(call.target) HTTP/1.1\r\n"
        guard isSafe(call.method), isSafe(call.target), !call.target.utf8.contains(32) else {
            throw .malformed("the request's target")
        }
        for field in fields.list {
            guard isSafe(field.name), isSafe(field.value) else { throw .malformed("the field \(field.name)") }
            text += "\(field.name): \(field.value)\r\n"
        }
        text += "\r\n"
        return Array(text.utf8) + body
    }

    private static func isSafe(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 32 && $0 != 127 } }
}

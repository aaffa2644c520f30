import Foundation
import Linux

/// A blocking client of HTTP/1.1 on a Unix socket that costs next to nothing itself.
final class PlainClient {
    private let socket: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private let request: [UInt8]

    /// Connects and sends the request.
    init(_ path: String, _ target: String, method: String = "GET", sends: Bool = true) throws {
        let parts = PathName.split(path)
        let folder = OwnedDescriptor(try Descriptor.open(parts.parent, O_DIRECTORY))
        socket = try UnixSocket.connect(in: folder.descriptor, name: parts.name)
        request = Array("\(method) \(target) HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n".utf8)
        if sends { try socket.writeAll(request) }
    }

    func close() { socket.close() }

    /// Takes what is there.
    func drain() {
        while let count = try? socket.read(into: &buffer), count > 0 {}
    }

    func awaitHead() {
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 5000)
        drain()
    }

    /// Waits in reads from now on, ten seconds at most: a poll before each would cost as much again.
    private func waitInReads() {
        _ = fcntl(socket.rawValue, F_SETFL, fcntl(socket.rawValue, F_GETFL) & ~O_NONBLOCK)
        // A list of a thousand containers has room in it.
        buffer = [UInt8](repeating: 0, count: 1 << 22)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket.rawValue, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends the request again and reads the whole answer.
    private func ask() throws {
        try socket.writeAll(request)
        var length = 0
        repeat {
            let count = try buffer.withUnsafeMutableBytes { bytes in
                // One byte of room is left for the zero that ends a C string.
                try socket.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[length..<bytes.count - 1]))
            }
            guard count > 0 else { throw BenchmarkError("the server closed the connection") }
            length += count
        } while !isWhole(length)
    }

    /// Whether so many bytes are a whole answer. Nothing is made of them: the client's own time is in every figure.
    private func isWhole(_ length: Int) -> Bool {
        buffer[length] = 0
        return buffer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                let end = strstr(start, "\r\n\r\n")
            else { return false }
            let headLength = start.distance(to: UnsafePointer(end)) + 4
            guard let field = strstr(start, "Content-Length: "), field < end else {
                return length >= 5 && memcmp(start + length - 5, "0\r\n\r\n", 5) == 0
            }
            return length - headLength == atol(field + 16)
        }
    }

    static func requestsPerSecond(_ path: String, _ target: String, _ count: Int, clients: Int) throws -> Double {
        let begin = DispatchTime.now()
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<clients {
            let client = try PlainClient(path, target, sends: false)
            client.waitInReads()
            // Each thread has its client to itself.
            nonisolated(unsafe) let own = client
            Thread.detachNewThread {
                for _ in 0..<count / clients { try? own.ask() }
                own.close()
                done.signal()
            }
        }
        for _ in 0..<clients { done.wait() }
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e9
        return Double(count / clients * clients) / seconds
    }
}

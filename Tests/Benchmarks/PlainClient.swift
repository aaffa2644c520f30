import Foundation
import Linux

/// A blocking client of HTTP/1.1 on a Unix socket that costs next to nothing itself.
final class PlainClient {
    private let socket: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private let request: [UInt8]
    /// How much of an answer is here.
    private var length = 0

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

    private func send() throws { try socket.writeAll(request) }

    /// Reads on, and waits for what is not here yet; the answer's length once it is whole.
    private func read() throws -> Int? {
        let count = try buffer.withUnsafeMutableBytes { [length] bytes in
            // One byte of room is left for the zero that ends a C string.
            try socket.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[length..<bytes.count - 1]))
        }
        guard count > 0 else { throw BenchmarkError("the server closed the connection") }
        length += count
        guard isWhole(length) else { return nil }
        defer { length = 0 }
        return length
    }

    /// The whole answer to a request, as it came.
    static func answer(_ path: String, _ target: String) throws -> [UInt8] {
        let client = try PlainClient(path, target)
        defer { client.close() }
        client.waitInReads()
        while true {
            if let length = try client.read() { return Array(client.buffer[..<length]) }
        }
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

    /// So many requests on connections that are kept, each with one under way: by one thread, which leaves the other
    /// processors to the server.
    static func requestsPerSecond(_ path: String, _ target: String, _ count: Int, clients: Int) throws -> Double {
        let all = try (0..<clients).map { _ in try PlainClient(path, target, sends: false) }
        defer { for client in all { client.close() } }
        for client in all { client.waitInReads() }
        let begin = DispatchTime.now()
        if clients == 1 {
            for _ in 0..<count {
                try all[0].send()
                while try all[0].read() == nil {}
            }
        } else {
            try ask(all, count)
        }
        return Double(count) / (Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e9)
    }

    private static func ask(_ clients: [PlainClient], _ count: Int) throws {
        var entries = clients.map { pollfd(fd: $0.socket.rawValue, events: Int16(POLLIN), revents: 0) }
        for client in clients { try client.send() }
        var (sent, done) = (clients.count, 0)
        while done < count {
            guard poll(&entries, nfds_t(entries.count), 10_000) > 0 else {
                throw BenchmarkError("the server does not answer")
            }
            for index in entries.indices where entries[index].revents != 0 {
                guard try clients[index].read() != nil else { continue }
                done += 1
                if sent < count {
                    try clients[index].send()
                    sent += 1
                }
            }
        }
    }
}

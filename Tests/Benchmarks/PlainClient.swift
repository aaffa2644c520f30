import Foundation
import Linux

/// A blocking client of HTTP/1.1 on a Unix socket that costs next to nothing itself.
final class PlainClient {
    private let socket: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
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

    /// Sends the request again and reads the whole answer.
    private func ask() throws {
        try socket.writeAll(request)
        var all: [UInt8] = []
        while !Self.isWhole(all) {
            var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 10_000) > 0 else { throw BenchmarkError("no answer within ten seconds") }
            let count = try socket.read(into: &buffer)
            guard count > 0 else { throw BenchmarkError("the server closed the connection") }
            all += buffer[..<count]
        }
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let end = bytes.firstRange(of: [13, 10, 13, 10]) else { return false }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let field = head.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }) else {
            return bytes.suffix(5) == [48, 13, 10, 13, 10]
        }
        return bytes.count - end.upperBound == Int(field.dropFirst(15).filter(\.isNumber)) ?? 0
    }

    static func requestsPerSecond(_ path: String, _ target: String, _ count: Int, clients: Int) throws -> Double {
        let begin = DispatchTime.now()
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<clients {
            let client = try PlainClient(path, target, sends: false)
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

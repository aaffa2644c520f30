import Foundation
import Linux

/// The least that an engine can do for docker's client: it answers what `docker exec` asks, and then gives a gibibyte of
/// frames as fast as one thread can, or takes what comes. What a client reaches here is what it can reach at all.
enum FloorStreams {
    static let command = "floor-streams"
    /// As much as docker's client reads at once, or a little more.
    private static let pieceBytes = 64 << 10

    /// Serves until it is ended.
    static func run(_ path: String) throws -> Never {
        let parts = PathName.split(path)
        let folder = OwnedDescriptor(try Descriptor.open(parts.parent, O_DIRECTORY))
        let listener = try UnixSocket.listen(in: folder.descriptor, name: parts.name)
        var entries = [pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)]
        var takes = false
        while true {
            poll(&entries, nfds_t(entries.count), -1)
            for entry in entries.dropFirst() where entry.revents != 0 {
                if try serve(Descriptor(rawValue: entry.fd), &takes) { continue }
                close(entry.fd)
                entries.removeAll { $0.fd == entry.fd }
            }
            guard entries[0].revents != 0, let client = try? UnixSocket.accept(listener) else { continue }
            try client.setNonBlocking(false)
            entries.append(pollfd(fd: client.rawValue, events: Int16(POLLIN), revents: 0))
        }
    }

    /// One request; false where the connection is over.
    ///
    /// - Parameter takes: which way the bytes of the exec go that was made last, which its start does not say.
    private static func serve(_ client: Descriptor, _ takes: inout Bool) throws -> Bool {
        guard let request = try request(client) else { return false }
        let line = request.prefix { $0 != "\r\n" }
        if line.contains("/start ") {
            try client.writeAll(
                Array(
                    """
                    HTTP/1.1 101 UPGRADED\r
                    Content-Type: application/vnd.docker.multiplexed-stream\r
                    Connection: Upgrade\r
                    Upgrade: tcp\r
                    \r\n
                    """.utf8))
            if takes { try take(client) } else { try give(client) }
            return false
        }
        if line.contains("/exec ") { takes = request.contains("\"AttachStdin\":true") }
        let body =
            line.contains("/_ping")
            ? "OK" : #"{"Id":"x","ID":"x","State":{"Running":true},"Running":false,"ExitCode":0}"#
        let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Type: application/json\r\n"
        let length = "Content-Length: \(body.utf8.count)\r\n\r\n"
        try client.writeAll(Array((head + length + (line.hasPrefix("HEAD") ? "" : body)).utf8))
        return true
    }

    /// A whole request; nil at the connection's end.
    private static func request(_ client: Descriptor) throws -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = try client.read(into: &buffer)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let field = text.range(of: "Content-Length: ").map { text[$0.upperBound...].prefix { $0.isNumber } }
            if text[end.upperBound...].utf8.count >= field.flatMap({ Int($0) }) ?? 0 { return text }
        }
    }

    private static func give(_ client: Descriptor) throws {
        let size = UInt32(pieceBytes).bigEndian
        var piece = [UInt8](repeating: 0, count: 8 + pieceBytes)
        piece[0] = 1
        withUnsafeBytes(of: size) { piece.replaceSubrange(4..<8, with: $0) }
        for _ in 0..<(1 << 30) / pieceBytes { try client.writeAll(piece) }
    }

    private static func take(_ client: Descriptor) throws {
        var buffer = [UInt8](repeating: 0, count: pieceBytes)
        while try client.read(into: &buffer) > 0 {}
    }
}

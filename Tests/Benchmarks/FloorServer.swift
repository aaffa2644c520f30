import Foundation
import Linux

/// The least that a server of this kind can do: one thread that waits, reads, and writes the same bytes each time.
///
/// What it reaches beside the others in the same run is what the machine and the client allow.
enum FloorServer {
    static let command = "floor-server"

    /// Serves until it is ended.
    static func run(_ path: String, answer: [UInt8]) throws -> Never {
        let parts = PathName.split(path)
        let folder = OwnedDescriptor(try Descriptor.open(parts.parent, O_DIRECTORY))
        let listener = try UnixSocket.listen(in: folder.descriptor, name: parts.name)
        var entries = [pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)]
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            poll(&entries, nfds_t(entries.count), -1)
            for entry in entries.dropFirst() where entry.revents != 0 {
                if read(entry.fd, &buffer, buffer.count) > 0, write(answer, to: entry.fd) { continue }
                close(entry.fd)
                entries.removeAll { $0.fd == entry.fd }
            }
            guard entries[0].revents != 0, let client = try? UnixSocket.accept(listener) else { continue }
            entries.append(pollfd(fd: client.rawValue, events: Int16(POLLIN), revents: 0))
        }
    }

    private static func write(_ answer: [UInt8], to socket: Int32) -> Bool {
        answer.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(socket, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                if count < 0, errno == EAGAIN {
                    var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
                    poll(&entry, 1, -1)
                    continue
                }
                if count <= 0 { return false }
                written += count
            }
            return true
        }
    }
}

import Glibc
import Linux

/// Sends lines to systemd's journal, each as a datagram in its native form (systemd: "Native Journal Protocol"), with
/// docker's fields.
///
/// A journal that is gone, or does not keep up for a second, costs lines, never the container.
final class JournalSocket {
    private let path: String
    private var socket: Descriptor?
    /// The fields that every message has, a line each.
    private let fields: [UInt8]

    /// - Parameter fields: `NAME=value`, parted by line ends.
    init(path: String = "/run/systemd/journal/socket", fields: String) throws(KernelError) {
        self.path = path
        self.fields = Array(fields.utf8) + (fields.isEmpty ? [] : [10])
        socket = try UnixDatagram.connect(path)
    }

    /// - Parameter content: one line, with its `\n` or, where more of it comes, without.
    func send(_ content: UnsafeRawBufferPointer, _ kind: OutputKind) {
        let isWhole = content.last == 10
        let text = isWhole ? content.dropLast() : content[...]
        // Docker's levels: information, error.
        var message = Array("PRIORITY=\(kind == .stdout ? 6 : 3)\n".utf8) + fields
        if !isWhole { message += Array("CONTAINER_PARTIAL_MESSAGE=true\n".utf8) }
        // The form for values that may hold anything: name, length in eight bytes, value.
        message += Array("MESSAGE\n".utf8)
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { message.append(contentsOf: $0) }
        message.append(contentsOf: text)
        message.append(10)
        if deliver(message) { return }
        reconnect()
        _ = deliver(message)
    }

    func close() {
        socket?.close()
        socket = nil
    }

    /// False where the journal's end of the socket is gone.
    private func deliver(_ message: [UInt8]) -> Bool {
        guard let socket else { return false }
        var wait = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        poll(&wait, 1, 1000)
        let count = Glibc.send(socket.rawValue, message, message.count, Int32(MSG_NOSIGNAL))
        return count >= 0 || errno == EAGAIN || errno == EMSGSIZE
    }

    /// After the journal was started anew.
    private func reconnect() {
        close()
        // Not there now: the next line tries again.
        socket = try? UnixDatagram.connect(path)
    }
}

import Glibc
import Linux

/// Sends lines to systemd's journal, each as a datagram in its native form (systemd: "Native Journal Protocol"), with
/// docker's fields.
///
/// A journal that is gone or does not keep up costs lines, never the container, and the shim no more than a second: they
/// are counted, and the journal is told how many once it takes lines again.
final class JournalSocket {
    private static let patienceMilliseconds: Int32 = 1000

    private let path: String
    private let waitForRoom: (Descriptor, Int32) -> Int32
    private var socket: Descriptor?
    /// The fields that every message has, a line each.
    private let fields: [UInt8]
    private var lostLines = 0
    /// A wait was in vain, and nothing was taken since.
    private var isStalled = false
    /// What the lines of the present output may still wait.
    private var patienceLeft = JournalSocket.patienceMilliseconds

    private enum Delivery { case done, full, tooLarge, gone }

    /// - Parameters:
    ///   - fields: `NAME=value`, parted by line ends.
    ///   - waitForRoom: waits until the socket takes more, so many milliseconds at most; returns those that are left.
    init(
        path: String = "/run/systemd/journal/socket", fields: String,
        waitForRoom: @escaping (Descriptor, Int32) -> Int32 = JournalSocket.pollForRoom
    ) throws(KernelError) {
        self.path = path
        self.fields = Array(fields.utf8) + (fields.isEmpty ? [] : [10])
        self.waitForRoom = waitForRoom
        socket = try UnixDatagram.connect(path)
    }

    /// Before the lines of one piece of output, which together may wait a second: unless that was in vain before.
    func beginOutput() { patienceLeft = isStalled ? 0 : Self.patienceMilliseconds }

    /// - Parameter content: one line with its `\n` or, where more of it comes, without.
    func send(_ content: UnsafeRawBufferPointer, _ kind: OutputKind) {
        let isWhole = content.last == 10
        // Docker's levels: information, error.
        let line = message(
            isWhole ? content.dropLast() : content[...], level: kind == .stdout ? 6 : 3, isWhole: isWhole)
        guard tellOfLoss(), post(line) else {
            lostLines += 1
            return
        }
    }

    func close() {
        socket?.close()
        socket = nil
    }

    /// False where lines were lost, and that cannot be said yet.
    private func tellOfLoss() -> Bool {
        guard lostLines > 0 else { return true }
        let text = Array("gantry: \(lostLines) lines of log were lost here: the journal did not take them".utf8)
        guard text.withUnsafeBytes({ post(message($0[...], level: 4, isWhole: true)) }) else { return false }
        lostLines = 0
        return true
    }

    private func message(_ text: Slice<UnsafeRawBufferPointer>, level: Int, isWhole: Bool) -> [UInt8] {
        var message = Array("PRIORITY=\(level)\n".utf8) + fields
        if !isWhole { message += Array("CONTAINER_PARTIAL_MESSAGE=true\n".utf8) }
        // The form for values that may hold anything: name, length in eight bytes, value.
        message += Array("MESSAGE\n".utf8)
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { message.append(contentsOf: $0) }
        message.append(contentsOf: text)
        message.append(10)
        return message
    }

    /// Whether the journal has the message.
    private func post(_ message: [UInt8]) -> Bool {
        var delivery = deliver(message)
        if delivery == .gone {
            reconnect()
            delivery = deliver(message)
        }
        while delivery == .full, let socket, patienceLeft > 0 {
            patienceLeft = waitForRoom(socket, patienceLeft)
            delivery = deliver(message)
        }
        switch delivery {
        case .done: isStalled = false
        case .full: isStalled = true
        case .tooLarge, .gone: break
        }
        return delivery == .done
    }

    private func deliver(_ message: [UInt8]) -> Delivery {
        guard let socket else { return .gone }
        // The socket does not block.
        do throws(KernelError) {
            try kernelCall("send to the journal") {
                Glibc.send(socket.rawValue, message, message.count, Int32(MSG_NOSIGNAL))
            }
            return .done
        } catch {
            switch error.errno.rawValue {
            case EAGAIN: return .full
            case EMSGSIZE: return .tooLarge
            default: return .gone
            }
        }
    }

    /// After the journal was started anew.
    private func reconnect() {
        close()
        // Not there now: the next line tries again.
        socket = try? UnixDatagram.connect(path)
    }

    private static func pollForRoom(_ socket: Descriptor, _ milliseconds: Int32) -> Int32 {
        let start = Timestamp.now()
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return 0 }
        let spent = (Timestamp.now().nanosecondsSinceEpoch - start.nanosecondsSinceEpoch) / 1_000_000
        // A clock that was set back has no say.
        return milliseconds - max(1, Int32(clamping: spent))
    }
}

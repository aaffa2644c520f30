import Glibc
import Linux

/// A connection to a message bus, or to systemd's own socket: one call after the other, each with its answer.
///
/// A client of our own, because systemd's library is none for a static program of one thread: it would bring more code than
/// the runtime has, for the half dozen messages that a container needs.
final class BusConnection {
    private let socket: Descriptor
    private var serial: UInt32 = 0
    private var signals: [BusMessage] = []

    /// - Parameter path: the socket; whether `hello` is needed depends on who listens.
    init(path: String, isBus: Bool) throws(BusError) {
        do throws(KernelError) {
            let (parent, name) = PathName.split(path)
            let directory = OwnedDescriptor(try Descriptor.open(parent, O_PATH | O_DIRECTORY))
            socket = try UnixSocket.connect(in: directory.descriptor, name: name)
            try socket.setNonBlocking(false)
            // The bus's own limit for an answer: systemd waits for nothing longer.
            var limit = timeval(tv_sec: 25, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            let number = socket.rawValue
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                try kernelCall("set the time limit of the bus") {
                    setsockopt(number, SOL_SOCKET, option, &limit, size)
                }
            }
        } catch {
            throw .kernel(error)
        }
        try authenticate()
        if isBus {
            _ = try call(
                .call("Hello", of: "org.freedesktop.DBus", at: "/org/freedesktop/DBus", on: "org.freedesktop.DBus"))
        }
    }

    deinit { socket.close() }

    /// SASL's EXTERNAL: the kernel tells the other side who this is; the number is only compared.
    private func authenticate() throws(BusError) {
        let uid = String(geteuid()).utf8.map { ["3", String($0 - 48)].joined() }.joined()
        try send(Array("\0AUTH EXTERNAL \(uid)\r\n".utf8))
        var line: [UInt8] = []
        while line.last != 10 {
            line += try receive(1)
            if line.count > 1000 { throw .malformed }
        }
        guard line.starts(with: Array("OK ".utf8)) else {
            throw .refused(String(decoding: line.dropLast(2), as: UTF8.self))
        }
        try send(Array("BEGIN\r\n".utf8))
    }

    /// Sends a call and returns the body of its answer; signals that come before it are kept.
    func call(_ message: BusMessage) throws(BusError) -> [BusValue] {
        var message = message
        serial += 1
        message.serial = serial
        try send(message.bytes)
        while true {
            let answer = try next()
            switch answer.kind {
            case .reply where answer.replySerial == serial: return answer.body
            case .error where answer.replySerial == serial:
                var text = ""
                if case .string(let words)? = answer.body.first { text = words }
                throw .answer(name: answer.errorName ?? "", text: text)
            case .signal: signals.append(answer)
            case .call, .reply, .error: continue
            }
        }
    }

    /// Waits for a signal of that name that `isWanted`, among those that came already and those to come.
    func awaitSignal(_ member: String, where isWanted: ([BusValue]) -> Bool) throws(BusError) -> [BusValue] {
        while true {
            while !signals.isEmpty {
                let signal = signals.removeFirst()
                if signal.member == member, isWanted(signal.body) { return signal.body }
            }
            let message = try next()
            if message.kind == .signal { signals.append(message) }
        }
    }

    private func next() throws(BusError) -> BusMessage {
        let head = try receive(BusMessage.headCount)
        return try BusMessage(head + (try receive(try BusMessage.length(head) - head.count)))
    }

    private func send(_ bytes: [UInt8]) throws(BusError) {
        var offset = 0
        do throws(KernelError) {
            while offset < bytes.count { offset += try UnixSocket.send(socket, bytes, from: offset) }
        } catch {
            throw .kernel(error)
        }
    }

    private func receive(_ count: Int) throws(BusError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var chunk = [UInt8](repeating: 0, count: count - bytes.count)
            do throws(KernelError) {
                let got = try socket.read(into: &chunk)
                if got == 0 { throw KernelError("read from the bus", "", Errno(rawValue: ECONNRESET)) }
                bytes += chunk[..<got]
            } catch {
                // What the kernel calls this is not what happened.
                let isLate = error.errno == .wouldBlock
                throw .kernel(isLate ? KernelError("wait for the bus", "", Errno(rawValue: ETIMEDOUT)) : error)
            }
        }
        return bytes
    }
}

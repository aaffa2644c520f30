import Glibc
import Linux
import Synchronization

/// A server that misbehaves as a test wants: what it gets is read as HTTP, what it sends is whatever the script says.
package final class FaultyServer: Sendable {
    package enum Act: Sendable {
        case send(String)
        case bytes([UInt8])
        /// That many bytes of nothing, as fast as they are taken.
        case flood(Int)
        /// Reads that many bytes of the request's body.
        case take(Int)
        /// Takes what comes, and neither sends nor closes until the client goes away.
        case stall
        /// Closes with a reset, as a killed server does.
        case reset
    }

    package let port: Int
    private let listener: Int32
    private let served = Mutex<[String]>([])
    private let script: @Sendable (_ request: String, _ number: Int) -> [Act]

    /// The first line of each request, in the order of arrival.
    package var requests: [String] { served.withLock { $0 } }

    /// - Parameter script: gets a request's head and how many came before. The connection closes after the last act.
    package init(_ script: @escaping @Sendable (String, Int) -> [Act]) throws {
        self.script = script
        listener = try kernelCall("socket") {
            Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        var address = LoopbackPort.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                try kernelCall("bind") { bind(socket, generic, length) }
                try kernelCall("getsockname") { getsockname(socket, generic, &length) }
            }
        }
        try kernelCall("listen") { listen(socket, 64) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Self.inThread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0, let self else { return }
                Self.inThread { self.serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        guard let head = readHead(connection) else { return }
        let number = served.withLock { served in
            served.append(String(head.prefix { $0 != "\r\n" }))
            return served.count - 1
        }
        for act in script(head, number) where !perform(act, connection) { return }
    }

    private func readHead(_ connection: Int32) -> String? {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard recv(connection, &byte, 1, 0) == 1 else { return nil }
            head.append(byte)
            // A greeting of TLS, which has no end of this kind: who tries that first goes on without.
            guard head[0] != 0x16 else { return nil }
        }
        return String(decoding: head, as: UTF8.self)
    }

    private func perform(_ act: Act, _ connection: Int32) -> Bool {
        switch act {
        case .send(let text): return write(Array(text.utf8), connection)
        case .bytes(let bytes): return write(bytes, connection)
        case .flood(let count):
            let piece = [UInt8](repeating: 32, count: 1 << 16)
            for _ in 0..<(count >> 16) where !write(piece, connection) { return false }
            return true
        case .take(let count): return take(count, connection)
        case .stall: return take(.max, connection)
        case .reset:
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            return false
        }
    }

    /// False where the client goes away before.
    private func take(_ count: Int, _ connection: Int32) -> Bool {
        var (rest, piece) = (count, [UInt8](repeating: 0, count: 1 << 16))
        while rest > 0 {
            let taken = recv(connection, &piece, min(rest, piece.count), 0)
            guard taken > 0 else { return false }
            rest -= taken
        }
        return true
    }

    private func write(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func inThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box)
        pthread_detach(thread)
    }
}

extension FaultyServer.Act {
    /// A whole answer with its length.
    package static func answer(_ status: String, _ fields: [String] = [], _ body: [UInt8] = []) -> Self {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)", "Connection: close"] + fields
        return .bytes(Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8) + body)
    }
}

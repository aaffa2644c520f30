import Foundation
import Glibc
import Linux

/// A client that sends the bytes it is given, right or wrong, and says what came back.
package final class RawClient: Sendable {
    private let socket: Descriptor

    package init(_ path: String) throws {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = OwnedDescriptor(try Descriptor.open(String(path[..<slash]), O_DIRECTORY))
        socket = try Self.connected(directory.descriptor, String(path[path.index(after: slash)...]))
    }

    /// Waits while the server's queue is full, ten seconds at most.
    private static func connected(_ directory: Descriptor, _ name: String) throws -> Descriptor {
        for _ in 0..<1000 {
            do { return try UnixSocket.connect(in: directory, name: name) } catch {
                guard error.errno == .wouldBlock else { throw error }
                poll(nil, 0, 10)
            }
        }
        return try UnixSocket.connect(in: directory, name: name)
    }

    deinit { socket.close() }

    package func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) async throws {
        let socket = socket
        try await Self.blocking {
            var rest = bytes[...]
            while !rest.isEmpty {
                do {
                    let count = try kernelCall("send") {
                        rest.withUnsafeBytes {
                            Glibc.send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                    }
                    rest = rest.dropFirst(count)
                } catch let error as KernelError where error.errno == .wouldBlock {
                    guard Self.wait(socket, Int16(POLLOUT)) else { throw error }
                }
            }
        }
    }

    /// Returns once the other end has read all that was sent: the kernel holds none of it any more.
    package func waitUntilTaken() async throws {
        let socket = socket
        try await Self.blocking {
            for _ in 0..<500 {
                var held: Int32 = 0
                try kernelCall("ioctl") { ioctl(socket.rawValue, UInt(TIOCOUTQ), &held) }
                if held == 0 { return }
                poll(nil, 0, 10)
            }
        }
    }

    package func shutdownOutput() { _ = Glibc.shutdown(socket.rawValue, Int32(SHUT_WR)) }

    package func closeBoth() { _ = Glibc.shutdown(socket.rawValue, Int32(SHUT_RDWR)) }

    /// Nothing came, and no end: no answer at all, or half of one.
    package struct Silence: Error {
        package let received: String
    }

    /// Reads until `isEnough` or the end.
    ///
    /// - Parameter isOrderly: a reset is no end.
    /// - Throws: `Silence` after ten seconds without a byte.
    package func receive(
        isOrderly: Bool = false, until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws -> String {
        let bytes = try await receiveBytes(isOrderly: isOrderly) { isEnough(String(decoding: $0, as: UTF8.self)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    package func receiveBytes(
        isOrderly: Bool = false, until isEnough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }
    ) async throws -> [UInt8] {
        let socket = socket
        return try await Self.blocking {
            var all: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while !isEnough(all) {
                guard Self.wait(socket, Int16(POLLIN)) else {
                    throw Silence(received: String(decoding: all, as: UTF8.self))
                }
                let count: Int
                do {
                    count = try socket.read(into: &chunk)
                } catch let error as KernelError where !isOrderly && error.errno.rawValue == ECONNRESET {
                    return all
                }
                if count == 0 { return all }
                all.append(contentsOf: chunk[..<count])
            }
            return all
        }
    }

    private static func wait(_ socket: Descriptor, _ events: Int16) -> Bool {
        var entry = pollfd(fd: socket.rawValue, events: events, revents: 0)
        return poll(&entry, 1, 10_000) > 0
    }

    private static func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// A directory for a socket, removed at the end of the test.
package final class SocketDirectory: Sendable {
    package let path: String

    package init(nameLength: Int = 8) throws {
        let unique = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        path = "/tmp/gantry-transport-" + unique + String(repeating: "d", count: nameLength)
        try kernelCall("mkdir", path) { mkdir(path, 0o700) }
    }

    package var socketPath: String { "\(path)/api.sock" }

    deinit {
        _ = unlink(socketPath)
        _ = rmdir(path)
    }
}

import Glibc
import Linux

/// A stream socket for tasks: one reads, one writes, anybody closes.
///
/// Reading pulls: bytes stay in the kernel until asked for, so a slow reader holds its peer back. A cancelled task gets
/// ECANCELED, a closed socket EBADF.
package final class AsyncSocket: Sendable {
    private let watched: WatchedDescriptor

    /// Takes over a descriptor and makes it non-blocking. On failure the caller still owns it.
    package init(_ descriptor: Descriptor) throws(KernelError) {
        try descriptor.setNonBlocking()
        watched = try WatchedDescriptor(descriptor)
    }

    /// Connects to the Unix socket `name` in `directory`, which may lie deeper than a socket address can say.
    package static func connect(in directory: Descriptor, name: String) throws(KernelError) -> AsyncSocket {
        let descriptor = try UnixSocket.connect(in: directory, name: name)
        do {
            return try AsyncSocket(descriptor)
        } catch {
            descriptor.close()
            throw error
        }
    }

    /// The next bytes, at most `limit`; empty at the end.
    package func read(upTo limit: Int = 65536) async throws(KernelError) -> [UInt8] {
        while true {
            if let bytes = try attempt({ descriptor throws(KernelError) in try descriptor.readBytes(upTo: limit) }) {
                return bytes
            }
            try await watched.readable()
        }
    }

    /// Writes all of `head` and `bytes`, as one. Where it throws, some of them may have gone out.
    package func write(_ bytes: [UInt8], after head: [UInt8] = []) async throws(KernelError) {
        var offset = 0
        while offset < head.count + bytes.count {
            let count = try sent(head, bytes, from: offset)
            if let count { offset += count } else { try await watched.writable() }
        }
    }

    /// Writes what lies in a pipe without a copy, splice(2): as much of it as there is room for, once there is any.
    ///
    /// - Returns: how many bytes have gone, 0 at the pipe's end; nil where nothing lies in it.
    package func write(from pipe: Descriptor, upTo limit: Int) async throws(KernelError) -> Int? {
        while true {
            let count = try attempt { socket throws(KernelError) in try pipe.splice(to: socket, upTo: limit) }
            if let count { return count }
            var entry = pollfd(fd: pipe.rawValue, events: Int16(POLLIN), revents: 0)
            let isReadable = try kernelCall("poll") { poll(&entry, 1, 0) } > 0
            guard isReadable else { return nil }
            try await watched.writable()
        }
    }

    /// Writes a few bytes with a descriptor beside them, which the other side then has as well as the caller.
    package func write(_ bytes: [UInt8], with descriptor: Descriptor) async throws(KernelError) {
        while true {
            let sent: Void? = try attempt { socket throws(KernelError) in
                try UnixSocket.send(socket, descriptor: descriptor, with: bytes)
            }
            if sent != nil { return }
            try await watched.writable()
        }
    }

    /// A duplicate of the descriptor, which the caller closes: the connection is open until both are closed.
    package func duplicate() throws(KernelError) -> Descriptor {
        try watched.withDescriptor { descriptor throws(KernelError) in
            Descriptor(
                rawValue: try kernelCall("duplicate descriptor") { fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0) })
        }
    }

    /// shutdown(2) of both directions, for all who have a duplicate.
    package func cut() {
        // The other side has cut it already.
        try? watched.withDescriptor { descriptor throws(KernelError) in
            _ = try kernelCall("shutdown") { shutdown(descriptor.rawValue, Int32(SHUT_RDWR)) }
        }
    }

    /// shutdown(2) of what this side sends: the other side reads an end, once it has read all.
    package func closeOutput() throws(KernelError) {
        try watched.withDescriptor { descriptor throws(KernelError) in
            _ = try kernelCall("shutdown") { shutdown(descriptor.rawValue, Int32(SHUT_WR)) }
        }
    }

    /// As `WatchedDescriptor.whenHungUp`. What the other side has sent before can still be read.
    package func whenHungUp(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
        try watched.whenHungUp(body)
    }

    /// Whether the other side is gone, and does not only send no more.
    package var isHungUp: Bool {
        var entry = pollfd(fd: -1, events: 0, revents: 0)
        let count: Int32? = try? watched.withDescriptor { descriptor throws(KernelError) in
            entry.fd = descriptor.rawValue
            return try kernelCall("poll") { poll(&entry, 1, 0) }
        }
        // One that is closed here has no other side.
        return count != 0
    }

    /// Returns when there is something to read, or the end.
    func readable() async throws(KernelError) { try await watched.readable() }

    /// Calls `body` with the descriptor, which cannot be closed meanwhile; `body` must not block. EBADF once closed.
    package func withDescriptor<Value>(
        _ body: (Descriptor) throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        try watched.withDescriptor(body)
    }

    /// Wakes who reads or writes, and closes. Calling it again does nothing.
    package func close() { watched.close() }

    private func sent(_ head: [UInt8], _ bytes: [UInt8], from offset: Int) throws(KernelError) -> Int? {
        try attempt { descriptor throws(KernelError) in
            var outcome = Result<Int, KernelError>.success(0)
            bytes.withUnsafeBytes { bytes in
                do throws(KernelError) {
                    outcome = .success(try UnixSocket.send(descriptor, head, bytes, from: offset))
                } catch { outcome = .failure(error) }
            }
            return try outcome.get()
        }
    }

    /// Nil where the call would block.
    func attempt<Value>(
        _ call: (Descriptor) throws(KernelError) -> Value
    ) throws(KernelError) -> Value? {
        do {
            return try watched.withDescriptor(call)
        } catch {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
    }
}

extension Descriptor {
    fileprivate func readBytes(upTo limit: Int) throws(KernelError) -> [UInt8] {
        var failure: KernelError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(KernelError) {
                count = try read(into: UnsafeMutableRawBufferPointer(buffer))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension AsyncSocket {
    /// Runs `body` on the thread that waits for sockets: between a socket's readiness and what is done about it there is no
    /// change of threads. `body` passes bytes on and nothing else: it never blocks, and lets others have their turn.
    package static func onWaitingThread(_ body: () async -> Void) async {
        guard case .success(let reactor) = Reactor.shared else { return await body() }
        await withTaskExecutorPreference(reactor) { await body() }
    }

    /// A task of its own for `body`, which is as there.
    package static func taskOnWaitingThread<Value: Sendable>(
        _ body: @escaping @Sendable () async -> Value
    ) -> Task<Value, Never> {
        guard case .success(let reactor) = Reactor.shared else { return Task(operation: body) }
        return Task(executorPreference: reactor, operation: body)
    }
}

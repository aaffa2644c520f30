import AsyncIO
import Glibc
import Linux
import Testing

@Suite(.timeLimit(.minutes(1))) struct AsyncSocketTests {
    private func socketPair() throws -> (AsyncSocket, AsyncSocket) {
        var ends: [Int32] = [-1, -1]
        try kernelCall("socketpair") { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) }
        return (
            try AsyncSocket(Descriptor(rawValue: ends[0])), try AsyncSocket(Descriptor(rawValue: ends[1]))
        )
    }

    @Test("More bytes than the kernel holds arrive complete and in order, and the end is seen")
    func largeTransfer() async throws {
        let (sender, receiver) = try socketPair()
        let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        async let writing: Void = {
            try await sender.write(sent)
            sender.close()
        }()
        var received: [UInt8] = []
        while case let bytes = try await receiver.read(), !bytes.isEmpty { received += bytes }
        try await writing
        #expect(received == sent)
        receiver.close()
    }

    /// A task on a thread of its own, which it keeps while it waits.
    private func inPlace<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) -> Task<Value, any Error> {
        Task(executorPreference: BlockingPool(maximumThreads: 1)) {
            try await WatchedDescriptor.$waitsInPlace.withValue(true) { try await body() }
        }
    }

    @Test("Who waits with a thread of its own misses nothing, in both directions")
    func waitingInPlace() async throws {
        let (near, far) = try socketPair()
        let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let writing = inPlace {
            try await near.write(sent)
            try near.closeOutput()
        }
        let reading = inPlace {
            var received: [UInt8] = []
            while case let bytes = try await far.read(), !bytes.isEmpty { received += bytes }
            return received
        }
        try await writing.value
        #expect(try await reading.value == sent)
        for socket in [near, far] { socket.close() }
    }

    @Test("Who waits with a thread of its own is woken by its task's cancel, and by the closing")
    func wokenInPlace() async throws {
        let (near, far) = try socketPair()
        let cancelled = inPlace { try await near.read() }
        cancelled.cancel()
        await #expect(throws: KernelError.self) { try await cancelled.value }
        let closed = inPlace { try await near.read() }
        near.close()
        await #expect(throws: KernelError.self) { try await closed.value }
        far.close()
    }

    @Test("A socket is closed when its time is over, but for one whose deadline was lifted; then nothing waits")
    func deadlines() async throws {
        let deadlines = SocketDeadlines()
        let (late, latePeer) = try socketPair()
        let (early, peer) = try socketPair()
        let lifted = deadlines.close(early, in: .seconds(3600))
        _ = deadlines.close(late, in: .zero)
        await #expect(throws: KernelError.self) { try await late.read() }
        deadlines.lift(lifted)
        while !deadlines.isIdle { await Task.yield() }
        try await peer.write([1])
        #expect(try await early.read() == [1])
        latePeer.close()
    }

    @Test("A consumer's failure is told, not what the source says when it is ended for that; the source's own is, too")
    func bridgedFailures() async throws {
        struct Ended: Error {}
        struct Full: Error {}
        await #expect(throws: Full.self) {
            try await ByteBridge.consumed {
                do { try await Task.sleep(for: .seconds(600)) } catch { throw Ended() }
                return nil
            } by: { _ in
                throw Full()
            }
        }
        await #expect(throws: Ended.self) {
            try await ByteBridge.consumed {
                throw Ended()
            } by: { source in
                var chunk: [UInt8] = [0]
                if try source.read(into: &chunk) == 0 { throw Full() }
            }
        }
    }

    @Test("Cancelling the task ends its wait with ECANCELED and leaves the socket usable")
    func cancellation() async throws {
        let (one, other) = try socketPair()
        let waiting = Task { try await one.read() }
        waiting.cancel()
        await #expect(throws: KernelError.self) { try await waiting.value }
        try await other.write([7])
        #expect(try await one.read() == [7])
        one.close()
        other.close()
    }

    @Test("Closing wakes the reader with EBADF")
    func closeWakes() async throws {
        let (one, other) = try socketPair()
        async let reading = one.read()
        one.close()
        do {
            _ = try await reading
            Issue.record("the read returned")
        } catch let error as KernelError {
            #expect(error.errno.rawValue == EBADF)
        }
        other.close()
    }

    @Test("That the other side is gone is told to who does not wait, once, and not that it only sends no more")
    func hangUp() async throws {
        let (one, other) = try socketPair()
        let (calls, call) = AsyncStream<Int>.makeStream()
        try one.whenHungUp { call.yield(1) }
        try await other.write([1])
        try other.closeOutput()
        #expect(try await one.read() == [1])
        #expect(try await one.read() == [])
        #expect(!one.isHungUp)
        call.yield(0)
        other.close()
        var iterator = calls.makeAsyncIterator()
        #expect(await iterator.next() == 0)
        #expect(await iterator.next() == 1)
        #expect(one.isHungUp)
        // Also to who asks afterwards.
        try one.whenHungUp { call.yield(2) }
        #expect(await iterator.next() == 2)
        one.close()
        #expect(throws: KernelError.self) { try one.whenHungUp { call.yield(3) } }
        #expect(one.isHungUp)
    }

    @Test("Who waits to write is woken, and who asked is told, when the other side goes")
    func hangUpOfStalled() async throws {
        let (one, other) = try socketPair()
        let (calls, call) = AsyncStream<Void>.makeStream()
        try one.whenHungUp { call.finish() }
        let writing = Task { try await one.write([UInt8](repeating: 0, count: 10_000_000)) }
        #expect(try await !other.read().isEmpty)
        other.close()
        await #expect(throws: KernelError.self) { try await writing.value }
        for await _ in calls {}
        one.close()
    }

    @Test("What lies in a pipe is written as it lies, as soon as there is room for it, and its end is seen")
    func pipe() async throws {
        let (one, other) = try socketPair()
        let (reading, writing) = try Descriptor.pipe()
        #expect(try await one.write(from: reading, upTo: 10) == nil)
        try writing.writeAll([1, 2, 3])
        #expect(try await one.write(from: reading, upTo: 2) == 2)
        #expect(try await one.write(from: reading, upTo: 2) == 1)
        #expect(try await other.read() == [1, 2, 3])
        let whole = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let feeding = BlockingPool(maximumThreads: 1)
        async let fed: Void = feeding.run { () throws(KernelError) in
            try writing.writeAll(whole)
            writing.close()
        }
        async let written: Int = {
            var sum = 0
            while true {
                // Nothing lies there while who feeds it is slower.
                guard let count = try await one.write(from: reading, upTo: 1 << 20) else {
                    await Task.yield()
                    continue
                }
                if count == 0 { break }
                sum += count
            }
            one.close()
            return sum
        }()
        var received: [UInt8] = []
        while case let bytes = try await other.read(), !bytes.isEmpty { received += bytes }
        #expect(received == whole)
        let count = try await written
        #expect(count == whole.count)
        try await fed
        reading.close()
        other.close()
    }

    @Test("A socket is reached through its directory, however long the path is")
    func longPath() async throws {
        var template = Array("/tmp/gantry-socket-XXXXXX".utf8CString)
        let top = String(cString: try #require(mkdtemp(&template)))
        let names = [String(repeating: "a", count: 100), String(repeating: "b", count: 100)]
        let directoryPath = top + "/" + names[0] + "/" + names[1]
        mkdir(top + "/" + names[0], 0o700)
        mkdir(directoryPath, 0o700)
        let directory = try Descriptor.open(directoryPath, O_RDONLY | O_DIRECTORY)
        let listener = try UnixSocket.listen(in: directory, name: "s")
        let client = try AsyncSocket.connect(in: directory, name: "s")
        let server = try AsyncSocket(try UnixSocket.accept(listener))
        try await client.write([1, 2])
        #expect(try await server.read() == [1, 2])
        for socket in [client, server] { socket.close() }
        listener.close()
        directory.close()
        unlink(directoryPath + "/s")
        rmdir(directoryPath)
        rmdir(top + "/" + names[0])
        rmdir(top)
    }

    @Test("A descriptor that stays open can be waited for again and again")
    func repeatedWaits() async throws {
        let (reading, writing) = try Descriptor.pipe()
        for number: UInt8 in 0..<3 {
            try writing.writeAll([number])
            try await waitUntilReadable(reading)
            var chunk = [UInt8](repeating: 255, count: 8)
            #expect(try reading.read(into: &chunk) == 1)
            #expect(chunk[0] == number)
        }
        reading.close()
        writing.close()
    }
}

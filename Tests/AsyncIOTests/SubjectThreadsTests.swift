import Glibc
import Linux
import Synchronization
import Testing

@testable import AsyncIO

@Suite(.timeLimit(.minutes(1))) struct SubjectThreadsTests {
    /// Work that lasts until the gate is opened, as a look at files whose server is silent.
    private final class Gate: Sendable {
        private let ends: (near: Descriptor, far: Descriptor)
        let begun = Atomic(0)

        init() throws { ends = try UnixSocket.pair() }

        func pass() {
            begun.add(1, ordering: .relaxed)
            var byte: [UInt8] = [0]
            _ = try? ends.far.read(into: &byte)  // The end is as good as a byte.
        }

        func open() { shutdown(ends.near.rawValue, Int32(SHUT_RDWR)) }

        func awaitBegun(_ count: Int) async throws {
            while begun.load(ordering: .relaxed) < count { try await Task.sleep(for: .milliseconds(1)) }
        }

        deinit {
            ends.near.close()
            ends.far.close()
        }
    }

    @Test("Work on one subject that does not end leaves another subject's, and the shared pool's, alone")
    func apart() async throws {
        let (threads, gate) = (SubjectThreads(limit: 8, waitingLimit: 100), try Gate())
        let stuck = (0..<20).map { number in
            Task {
                await threads.run(for: "stuck") {
                    gate.pass()
                    return number
                }
            }
        }
        try await gate.awaitBegun(8)
        #expect(await threads.run(for: "other") { 1 } == 1)
        #expect(await BlockingPool.shared.run { 2 } == 2)
        #expect(gate.begun.load(ordering: .relaxed) == 8, "the others of that subject wait")
        gate.open()
        for (number, task) in stuck.enumerated() { #expect(await task.value == number) }
        #expect(await threads.run(for: "stuck") { 3 } == 3)
    }

    @Test("Who waits leaves when the task is cancelled")
    func cancellation() async throws {
        let (threads, gate) = (SubjectThreads(limit: 1, waitingLimit: 10), try Gate())
        let first = Task { await threads.run(for: "stuck") { gate.pass() } != nil }
        try await gate.awaitBegun(1)
        let waiting = Task { await threads.run(for: "stuck") { gate.pass() } != nil }
        while threads.waitingCount(for: "stuck") == 0 { try await Task.sleep(for: .milliseconds(1)) }
        waiting.cancel()
        #expect(await waiting.value == false)
        gate.open()
        #expect(await first.value)
        #expect(gate.begun.load(ordering: .relaxed) == 1)
        #expect(await threads.run(for: "stuck") { 1 } == 1)
    }

    @Test("More than may wait is refused at once")
    func refusal() async throws {
        let (threads, gate) = (SubjectThreads(limit: 1, waitingLimit: 0), try Gate())
        let first = Task { await threads.run(for: "stuck") { gate.pass() } != nil }
        try await gate.awaitBegun(1)
        #expect(await threads.run(for: "stuck") { 1 } == nil)
        gate.open()
        #expect(await first.value)
        #expect(await threads.run(for: "stuck") { 1 } == 1)
    }
}

import Glibc
import Linux
import Testing

@testable import Runtime

/// What `run` takes for the answer of the process that it starts.
struct StartAnswerTests {
    private static func start(after answers: [SyncMessage]) throws {
        let (near, far) = try SyncChannel.pair()
        defer { far.socket.close() }
        for answer in answers { try far.send(answer) }
        // The end of the channel, as by the execution of the program; what was said can still be read.
        try kernelCall("shutdown") { shutdown(far.socket.rawValue, Int32(SHUT_WR)) }
        try StartGate.start(over: near) { false }
    }

    @Test("What is said after the first word, when the container's code may speak, is not believed")
    func firstWord() throws {
        try Self.start(after: [.ready])
        try Self.start(after: [.ready, .failed("forged")])
        let refusal = RuntimeError("the hook's own words")
        #expect(throws: refusal) { try Self.start(after: [.failed("the hook's own words"), .ready]) }
        #expect(throws: refusal) { try Self.start(after: [.failed("the hook's own words"), .failed("forged")]) }
    }

    @Test("A process that ends without a word has not started")
    func silence() {
        #expect(throws: RuntimeError("cannot start a container that has stopped")) { try Self.start(after: []) }
    }
}

import Glibc
import Linux
import Testing

@testable import Shim

/// The word of a start, at a gate whose other end does not close: a process inside may hold a copy of it.
@Suite(.timeLimit(.minutes(1)))
struct HeldStartTests {
    /// Says start at a gate where `answer` is said and the connection is held open; what became of the start.
    private func outcome(answer: [UInt8]) throws -> StartGate.End? {
        var template = Array("/tmp/gantry-gate-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? Directory.removeTree(path) }  // LeftoverTests tells of what stays.
        let directory = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        let listener = try UnixSocket.listen(in: directory.descriptor, name: StartGateWords.socketName)
        defer { listener.close() }
        let loop = try EventLoop()
        var held: [Descriptor] = []
        defer { for connection in held { connection.close() } }
        let watch = try loop.watch(listener, .readable) { _ in
            guard let connection = try? UnixSocket.accept(listener) else { return }
            held.append(connection)
            _ = try? UnixSocket.send(connection, answer, from: 0)
        }
        var end: StartGate.End?
        let gate = StartGate(in: path, loop: loop, timeoutMilliseconds: 200) {
            end = $0
            loop.end()
        }
        try #require(gate != nil)
        try loop.run()
        loop.forget(watch)
        #expect(held.count == 1)
        return end
    }

    @Test("A start whose word was obeyed is one, also where the connection stays open")
    func obeyed() throws { #expect(try outcome(answer: [StartGateWords.running]) == .running) }

    @Test("A start that nothing is said to is none")
    func silent() throws {
        #expect(try outcome(answer: []) == .failed("the container's process does not start its program"))
    }
}

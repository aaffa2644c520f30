import Glibc
import Linux
import ShimAPI
import Testing

@testable import Shim

/// Lines on real sockets.
@Suite(.timeLimit(.minutes(1))) struct LogForwarderTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/gantry-forward-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        try #require(made != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A program that takes datagrams at `socket` in the folder.
    private func datagrams() throws -> OwnedDescriptor { OwnedDescriptor(try bind()) }

    private func bind() throws -> Descriptor {
        let directory = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
        defer { directory.close() }
        return try UnixDatagram.bind(in: directory, name: "socket", mode: 0o600)
    }

    private func remove() { try? Directory.removeTree(folder) }  // LeftoverTests tells of what stays.

    private var journal: LogForward { LogForward(to: .unixDatagrams("\(folder)/socket"), .journal(fields: "")) }

    @Test("Of a journal a line is a datagram with its level, the given fields and its bytes, whatever they are")
    func journalMessage() throws {
        defer { remove() }
        let journal = try datagrams()
        let target = LogForward(to: .unixDatagrams("\(folder)/socket"), .journal(fields: "CONTAINER_NAME=web\nA=b"))
        let forwarder = try LogForwarder(target)
        defer { forwarder.close() }
        forwarder.say(Array("hé\0llo\n".utf8))
        forwarder.say(Array("half".utf8), .stderr)
        let head = Array("PRIORITY=6\nCONTAINER_NAME=web\nA=b\nMESSAGE\n".utf8)
        let received = journal.waiting()
        try #require(received.count == 2)
        #expect(received[0] == head + [7, 0, 0, 0, 0, 0, 0, 0] + Array("hé\0llo\n".utf8))
        let text = String(decoding: received[1], as: UTF8.self)
        #expect(text.hasPrefix("PRIORITY=3\n") && text.contains("CONTAINER_PARTIAL_MESSAGE=true\n"))
    }

    @Test("Who takes nothing is waited for once, and is told later how many lines it missed", arguments: [true, false])
    func stuck(mayWait: Bool) throws {
        defer { remove() }
        let journal = try datagrams()
        var target = self.journal
        target.mayWait = mayWait
        var waits = 0
        let forwarder = try LogForwarder(target) { _, _ in
            waits += 1
            return 0
        }
        defer { forwarder.close() }
        let sent = 3000
        for index in 0..<sent { forwarder.say("\(index)\n", begins: index % 100 == 0) }
        #expect(waits == (mayWait ? 1 : 0))
        let kept = journal.waiting().count
        try #require(kept < sent)
        forwarder.say("again\n", begins: false)
        let after = journal.waiting().map { String(decoding: $0, as: UTF8.self) }
        #expect(after.count == 2)
        #expect(after.first?.contains("gantry: \(sent - kept) lines of log were lost here") == true)
        #expect(after.last?.hasSuffix("again\n") == true)
        // It is waited for again, once it has taken something.
        for index in 0..<sent { forwarder.say("\(index)\n") }
        #expect(waits == (mayWait ? 2 : 0))
    }

    @Test("Who has begun anew is found again")
    func begunAnew() throws {
        defer { remove() }
        let first = try bind()
        let forwarder = try LogForwarder(journal)
        defer { forwarder.close() }
        forwarder.say("one\n")
        #expect(first.waiting().count == 1)
        unlink("\(folder)/socket")
        first.close()
        forwarder.say("lost\n")
        let second = try datagrams()
        forwarder.say("two\n")
        let texts = second.waiting().map { String(decoding: $0, as: UTF8.self) }
        #expect(texts.count == 2 && texts.first?.contains("gantry: 1 lines of log were lost here") == true)
        #expect(texts.last?.hasSuffix("two\n") == true)
    }

    @Test("A stream gets each line whole, in order, however slowly it reads, and what nobody reads is lost and told of")
    func slowStream() throws {
        defer { remove() }
        let listener = OwnedDescriptor(try InternetSocket.bound(.stream, .loopback(0)))
        var room: Int32 = 1 << 16
        setsockopt(
            listener.descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var target = LogForward(to: .stream(.loopback(try InternetSocket.port(listener.descriptor))), .plainSyslog)
        target.queueBytes = 4096
        var reader: Descriptor?
        defer { reader?.close() }
        var received: [UInt8] = []
        var isReading = true
        let forwarder = try LogForwarder(target) { socket, left in
            // While its lines wait for room, the other side reads some.
            guard isReading else { return 0 }
            if reader == nil { reader = try? UnixSocket.accept(listener.descriptor) }
            received += reader?.waiting().flatMap(\.self) ?? []
            var entry = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
            return poll(&entry, 1, left) > 0 ? left : 0
        }
        let line = String(repeating: "x", count: 1000)
        for index in 0..<20_000 { forwarder.say("\(index) \(line)\n", begins: index % 10 == 0) }
        isReading = false
        var lost = 0
        for index in 20_000..<40_000 { forwarder.say("\(index) \(line)\n") }
        isReading = true
        if reader == nil { reader = try UnixSocket.accept(listener.descriptor) }
        received += reader?.waiting().flatMap(\.self) ?? []
        forwarder.say("last\n")
        forwarder.close()
        received += reader?.waiting().flatMap(\.self) ?? []
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n").map { entry in
            entry.drop { $0 != "]" }.dropFirst(3)
        }
        var numbers: [Int] = []
        for entry in lines {
            if entry.hasPrefix("gantry: "), let count = Int(entry.dropFirst(8).prefix { $0.isNumber }) { lost += count }
            if entry.hasSuffix(line), let number = Int(entry.prefix { $0.isNumber }) { numbers.append(number) }
        }
        #expect(lines.last == "last" && lost > 0 && numbers.count + lost == 40_000)
        #expect(Array(numbers.prefix(20_000)) == Array(0..<20_000) && numbers == numbers.sorted())
    }

    @Test("A line that a stream had taken half of is sent whole to the next one")
    func brokenStream() throws {
        defer { remove() }
        let listener = OwnedDescriptor(try InternetSocket.bound(.stream, .loopback(0)))
        let port = try InternetSocket.port(listener.descriptor)
        let forwarder = try LogForwarder(LogForward(to: .stream(.loopback(port)), .plainSyslog)) { _, _ in 0 }
        let first = try UnixSocket.accept(listener.descriptor)
        let line = String(repeating: "y", count: 16_000) + "\n"
        // More than the kernel keeps for a reader that does not read.
        for _ in 0..<2500 { forwarder.say(line) }
        first.close()
        forwarder.say("end\n")
        let second = OwnedDescriptor(try UnixSocket.accept(listener.descriptor))
        forwarder.close()
        let texts = String(decoding: second.waiting().flatMap(\.self), as: UTF8.self).split(separator: "\n")
        #expect(texts.count > 10 && texts.allSatisfy { $0.hasPrefix("<") } && texts.last?.hasSuffix(": end") == true)
        #expect(texts.dropLast(2).allSatisfy { $0.hasSuffix(line.dropLast()) })
        #expect(texts.dropLast().last?.contains("lines of log were lost here") == true)
    }

    @Test("A log does not begin where nobody listens, unless that was asked for")
    func nobody() throws {
        defer { remove() }
        let listener = try InternetSocket.bound(.stream, .loopback(0))
        let port = try InternetSocket.port(listener)
        listener.close()
        var target = LogForward(to: .stream(.loopback(port)), .plainSyslog)
        let refusal = #expect(throws: KernelError.self) { try LogForwarder(target) }
        #expect(refusal?.description == "connect to `127.0.0.1:\(port)`: connection refused")
        target.beginsWithoutTarget = true
        let forwarder = try LogForwarder(target)
        forwarder.say("kept\n")
        let late = OwnedDescriptor(try InternetSocket.bound(.stream, .loopback(port)))
        forwarder.close()
        let reader = OwnedDescriptor(try UnixSocket.accept(late.descriptor))
        #expect(String(decoding: reader.waiting().flatMap(\.self), as: UTF8.self).hasSuffix("kept\n"))
    }
}

extension LogForward.Form {
    fileprivate static var plainSyslog: Self { .syslog(.init(dialect: "", facility: 3, tag: "t", host: "h")) }
}

extension SocketEndpoint {
    fileprivate static func loopback(_ port: UInt16) -> SocketEndpoint {
        SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
    }
}

extension LogForwarder {
    fileprivate func say(_ text: String, begins: Bool = true) { say(Array(text.utf8), begins: begins) }

    fileprivate func say(_ bytes: [UInt8], _ kind: OutputKind = .stdout, begins: Bool = true) {
        if begins { beginOutput() }
        bytes.withUnsafeBytes { send($0, kind) }
    }
}

extension OwnedDescriptor {
    fileprivate func waiting() -> [[UInt8]] { descriptor.waiting() }
}

extension Descriptor {
    /// What has come: datagrams, or a stream in pieces, until nothing more is there.
    fileprivate func waiting() -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 0) > 0, let count = try? read(into: &buffer), count > 0 {
            pieces.append(Array(buffer[..<count]))
        }
        return pieces
    }
}

import Glibc
import Linux
import Testing

@testable import Shim

@Suite struct JournalSocketTests {
    @Test("A line is a datagram with its level, the given fields and its bytes, whatever they are")
    func message() throws {
        var template = Array("/tmp/gantry-journal-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        try #require(made != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? Directory.removeTree(path) }  // LeftoverTests tells of what stays.
        let directory = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        let journal = OwnedDescriptor(
            try UnixDatagram.bind(in: directory.descriptor, name: "socket", mode: 0o600))
        let socket = try JournalSocket(path: path + "/socket", fields: "CONTAINER_NAME=web\nA=b")
        defer { socket.close() }
        Array("hé\0llo\n".utf8).withUnsafeBytes { socket.send($0, .stdout) }
        Array("half".utf8).withUnsafeBytes { socket.send($0, .stderr) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let first = try journal.descriptor.read(into: &buffer)
        let head = Array("PRIORITY=6\nCONTAINER_NAME=web\nA=b\nMESSAGE\n".utf8)
        #expect(Array(buffer[..<first]) == head + [7, 0, 0, 0, 0, 0, 0, 0] + Array("hé\0llo\n".utf8))
        let second = try journal.descriptor.read(into: &buffer)
        let text = String(decoding: buffer[..<second], as: UTF8.self)
        #expect(text.hasPrefix("PRIORITY=3\n") && text.contains("CONTAINER_PARTIAL_MESSAGE=true\n"))
    }

    @Test("A journal that takes nothing is waited for once, and is told later how many lines it missed")
    func stuck() throws {
        var template = Array("/tmp/gantry-journal-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? Directory.removeTree(path) }  // LeftoverTests tells of what stays.
        let directory = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        let journal = OwnedDescriptor(
            try UnixDatagram.bind(in: directory.descriptor, name: "socket", mode: 0o600))
        var waits = 0
        let socket = try JournalSocket(path: path + "/socket", fields: "") { _, _ in
            waits += 1
            return 0
        }
        defer { socket.close() }
        var buffer = [UInt8](repeating: 0, count: 4096)
        func received() -> [String] {
            var texts: [String] = []
            while let count = try? journal.descriptor.read(into: &buffer) {  // EAGAIN: all are taken.
                texts.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
            return texts
        }
        let sent = 3000
        for index in 0..<sent {
            if index % 100 == 0 { socket.beginOutput() }
            Array("\(index)\n".utf8).withUnsafeBytes { socket.send($0, .stdout) }
        }
        #expect(waits == 1)
        let kept = received().count
        try #require(kept < sent)
        Array("again\n".utf8).withUnsafeBytes { socket.send($0, .stdout) }
        let after = received()
        #expect(after.count == 2)
        #expect(after.first?.contains("gantry: \(sent - kept) lines of log were lost here") == true)
        #expect(after.last?.hasSuffix("again\n") == true)
        // It is waited for again, once it has taken something.
        for index in 0..<sent {
            socket.beginOutput()
            Array("\(index)\n".utf8).withUnsafeBytes { socket.send($0, .stdout) }
        }
        #expect(waits == 2)
    }
}

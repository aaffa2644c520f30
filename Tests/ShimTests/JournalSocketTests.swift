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
}

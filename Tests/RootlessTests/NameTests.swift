import Glibc
import Linux
import Testing

/// Names of the world, asked for from an ordinary user's networks: the uplink carries the questions to the machine's
/// resolver, here one of the test's own.
@Suite(
    .serialized, .enabled(if: OrdinaryUser.isPossible, "needs root, to become another user"),
    .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"), .timeLimit(.minutes(3)))
struct NameTests {
    private static let uplinks = ["/usr/bin/pasta", "/usr/bin/slirp4netns"]
    private static let resolver = IPAddress(.v4, 0x7F00_0035)  // 127.0.0.53

    /// Answers each question for an address with 192.0.2.77, and others with nothing, until the process ends.
    ///
    /// - Returns: the process's exit code.
    private static func answer(_ socket: Descriptor, whileRunning pid: Int32) throws -> Int32 {
        var status: Int32 = 0
        var buffer = [UInt8](repeating: 0, count: 2048)
        while waitpid(pid, &status, WNOHANG) == 0 {
            var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 100) == 1 else { continue }
            let (count, peer) = try InternetSocket.receive(socket, into: &buffer)
            try InternetSocket.send(socket, Self.reply(Array(buffer[..<count])), to: peer)
        }
        return status >> 8 & 0xFF
    }

    /// RFC 1035, section 4: the question goes back with an answer that points to its name.
    private static func reply(_ question: [UInt8]) -> [UInt8] {
        var end = 12
        while end < question.count, question[end] != 0 { end += Int(question[end]) + 1 }
        end += 5
        guard end <= question.count else { return [] }
        let isAddress = question[end - 4] == 0 && question[end - 3] == 1
        let head = question[..<2] + [0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]
        let answer: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]
        return head + question[12..<end] + (isAddress ? answer : [])
    }

    @Test(
        "A container that leaves `none` for a network resolves outside names at once, and after a restart",
        arguments: Self.uplinks.filter { (path: String) in access(path, X_OK) == 0 })
    func leavesNone(uplink: String) throws {
        let user = try OrdinaryUser()
        defer { user.remove() }
        user.hidden = Self.uplinks.filter { $0 != uplink }
        try user.use(resolver: Self.resolver.description)
        let socket = OwnedDescriptor(try InternetSocket.bound(.datagram, SocketEndpoint(Self.resolver, 53)))
        for words in [
            ["network", "create", "front"],
            ["run", "-d", "--name", "mover", "--network", "none", "gantry/starter", "sleep", "1000"],
            ["network", "disconnect", "none", "mover"], ["network", "connect", "front", "mover"],
        ] {
            let result = try user.shell(#"exec gantry "$@""#, words)
            #expect(result.code == 0, "\(words): \(result.errors)")
        }
        for moment in ["at once", "after a restart"] {
            let asking = try user.begin(
                "exec gantry exec mover nslookup far.example 127.0.0.11 >\(user.folder)/home/answer 2>&1")
            let code = try Self.answer(socket.descriptor, whileRunning: asking)
            let text = String(decoding: try FileContents.read("\(user.folder)/home/answer"), as: UTF8.self)
            #expect(code == 0 && text.contains("192.0.2.77"), "\(moment): \(text)")
            #expect(try user.gantry("restart", "-t", "0", "mover").code == 0)
        }
        #expect(try user.gantry("rm", "-f", "mover").code == 0)
        #expect(try user.gantry("network", "rm", "front").code == 0)
        #expect(try user.remains() == [])
    }
}

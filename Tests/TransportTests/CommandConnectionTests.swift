import Glibc
import Linux
import Testing

@testable import Transport

@Suite struct CommandConnectionTests {
    @Test("A program that takes no notice of being asked to end is killed, and none is left", .timeLimit(.minutes(1)))
    func deafProgram() async throws {
        for words in [["sh", "-c", "trap '' TERM; exec sleep 1000"], ["sleep", "1000"]] {
            let connection = try CommandConnection(words)
            // What ignores a signal is ignored still after execve(2).
            while try FileContents.read("/proc/\(connection.pid)/comm") != Array("sleep\n".utf8) { await Task.yield() }
            if words.count == 2 { kill(connection.pid, SIGSTOP) }
            connection.end()
            while kill(connection.pid, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(errno == ESRCH)
            connection.socket.close()
        }
    }
}

import Emulator
import Glibc
import Terminal
import Testing

/// Programs that people run in containers, on a pseudo-terminal whose other end is our emulator.
@Suite(.serialized) struct RealProgramTests {
    private static let environment = ["TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "prompt> "]

    private func session(_ script: String, needs program: String) throws -> ProbeSession {
        let isThere = ["/bin", "/usr/bin"].contains { access("\($0)/\(program)", X_OK) == 0 }
        try #require(isThere, "\(program) is not installed")
        return try ProbeSession(environment: Self.environment, script: script)
    }

    @Test("vi shows a file, takes text with cursor keys, and leaves the screen as it was")
    func vi() throws {
        let path = "/tmp/gantry-vi-\(getpid())"
        defer { unlink(path) }
        let session = try session(
            "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done > \(path); echo before; exec busybox vi \(path)",
            needs: "busybox")
        #expect(session.wait { session.rows[22] == "line 22" && session.rows[0] == "line 0" })
        session.send(KeyBytesForTest.keys("down down", on: session) + Array("ihello \u{1B}".utf8))
        #expect(session.wait { session.rows[2] == "hello line 2" })
        session.send(Array("G".utf8))
        #expect(
            session.wait { session.rows.contains("line 49") && !session.rows.contains("line 20") }, "\(session.rows)")
        session.send(Array("/line 30\r".utf8))
        #expect(session.wait { session.emulator.cursor?.row == session.rows.firstIndex(of: "line 30") })
        session.send(Array(":q!\r".utf8))
        #expect(session.hasEnded())
        #expect(!session.emulator.modes.isAlternateScreen)
    }

    @Test("A shell edits its line: cursor keys, wide characters, erasing")
    func shell() throws {
        let session = try session("exec bash --norc --noprofile -i", needs: "bash")
        #expect(session.wait { session.shows("prompt>") })
        session.send(Array("echo 日本x".utf8))
        #expect(session.wait { session.shows("prompt> echo 日本x") }, "\(session.rows)")
        session.send([0x7F] + KeyBytesForTest.keys("home", on: session) + Array("\u{05} ok\r".utf8))
        #expect(session.wait { session.rows.contains("日本 ok") })
        session.send(Array("printf '\\033[31mred\\033[0m\\n'\r".utf8))
        #expect(session.wait { session.rows.contains("red") })
        let row = session.rows.firstIndex(of: "red") ?? 0
        #expect(session.emulator.line(session.emulator.liveStart + row)[0].style.foreground == .palette(1))
        session.send(Array("exit\r".utf8))
        #expect(session.hasEnded())
    }

    @Test("top draws its table again and again on the same screen")
    func top() throws {
        let session = try session("exec busybox top -d 1", needs: "busybox")
        #expect(session.wait { session.rows[0].hasPrefix("Mem:") && session.shows("PID") })
        let lines = session.emulator.lines.count
        let written = session.output.count
        #expect(session.wait { session.output.count > written + 200 && session.rows[0].hasPrefix("Mem:") })
        #expect(session.emulator.lines.count == lines)
        session.send("q")
        #expect(session.hasEnded())
    }

    @Test("tmux draws its status line, splits, scrolls within margins")
    func tmux() throws {
        let socket = "/tmp/gantry-test-tmux-\(getpid())"
        let session = try session("exec tmux -S \(socket) -f /dev/null new-session 'exec sh'", needs: "tmux")
        defer {
            // The server outlives its client.
            let end = try? ProbeSession(environment: Self.environment, script: "exec tmux -S \(socket) kill-server")
            _ = end?.hasEnded()
            unlink(socket)
        }
        #expect(session.wait { session.rows[23].contains("[0]") || session.rows[23].contains("0:sh") })
        session.send("\u{02}\"")
        #expect(session.wait { session.rows.contains { $0.hasPrefix("──────") } })
        session.send("i=0; while [ $i -lt 40 ]; do echo row $i; i=$((i+1)); done\r")
        #expect(session.wait { session.rows.contains("row 39") })
        let middle = try #require(session.rows.firstIndex { $0.hasPrefix("──────") })
        #expect(!session.rows[..<middle].contains { $0.hasPrefix("row ") })
        session.send("exit\r")
        #expect(session.wait { !session.rows.contains { $0.hasPrefix("──────") } })
        session.send("exit\r")
        #expect(session.hasEnded(), "\(session.rows)")
    }
}

/// Keys as the emulator encodes them for the modes that the program has set.
private enum KeyBytesForTest {
    static func keys(_ notation: String, on session: ProbeSession) -> [UInt8] {
        for name in notation.split(separator: " ") {
            if let key = Key(name) { session.emulator.send(key) }
        }
        return session.emulator.takeOutput()
    }
}

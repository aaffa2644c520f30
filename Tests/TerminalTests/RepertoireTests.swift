import Foundation
import Testing

@testable import Terminal

/// Characters of terminals that have few of them.
@Suite struct RepertoireTests {
    private func shown(_ text: String, _ repertoire: Repertoire) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(repertoire.standIn(for: scalar.value).flatMap { Unicode.Scalar($0) } ?? scalar)
        }
        return String(result)
    }

    @Test("What the screen is drawn with has a form in ASCII, and one of the PC's characters on the Linux console")
    func forms() {
        let cases: [(drawn: String, ascii: String, console: String)] = [
            ("╭─ name ─╮", "+- name -+", "┌─ name ─┐"), ("│ ├ └ ┘", "| + + +", "│ ├ └ ┘"),
            ("● running", "* running", "• running"), ("◫ paused", "= paused", "= paused"),
            ("■ exit 3", "# exit 3", "■ exit 3"), ("○ created", "o created", "○ created"),
            ("✓ done ✗ not", "+ done x not", "√ done x not"), ("long na…", "long na~", "long na~"),
            ("AGE▾", "AGEv", "AGE▼"), ("cpu · 80×24", "cpu - 80x24", "cpu · 80x24"), ("日本", "??", "日本"),
        ]
        for (drawn, ascii, console) in cases {
            #expect(shown(drawn, .ascii) == ascii)
            #expect(shown(drawn, .console) == console)
            #expect(shown(drawn, .unicode) == drawn)
        }
    }

    @Test(
        "A graph of braille grows with what it shows, and what turns goes on turning",
        arguments: [Repertoire.ascii, .console])
    func braille(repertoire: Repertoire) {
        #expect(shown("⠀⣀⣤⣶⣿", repertoire) == (repertoire == .ascii ? " .:+#" : " _▄▄█"))
        #expect(shown("⠋⠙⠹⠸⠼⠴", repertoire) == "|/-\\|/")
    }

    @Test("Every character that the sources draw with has a stand-in of its own")
    func sources() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Interface/Interface")
        let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        var count = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for scalar in text.unicodeScalars where scalar.value > 0x7E {
                count += 1
                #expect(Repertoire.ascii.standIn(for: scalar.value) != 0x3F, "\(scalar) of \(file.lastPathComponent)")
            }
        }
        #expect(count > 50)
    }

    @Test("The terminal's answer tells whether it reads UTF-8, and keys around it are kept")
    func question() {
        let cases: [(pieces: [String], readsUTF8: Bool?, rest: String)] = [
            (["\u{1B}[1;2R"], true, ""), (["\u{1B}[1;3R"], false, ""), (["a\u{1B}[1;", "2Rb"], true, "ab"),
            (["\u{1B}[A\u{1B}[1;2R\u{1B}[B"], true, "\u{1B}[A\u{1B}[B"), (["\u{1B}", "x"], nil, "\u{1B}x"),
            ([], nil, ""), (["\u{1B}[1;2R\u{1B}[1;2R"], true, "\u{1B}[1;2R"), (["\u{1B}[R"], nil, "\u{1B}[R"),
        ]
        for (pieces, readsUTF8, rest) in cases {
            var question = CharacterQuestion()
            for piece in pieces { question.take(piece.utf8) }
            #expect(question.readsUTF8 == readsUTF8, "\(pieces)")
            #expect(String(decoding: question.received, as: UTF8.self) == rest, "\(pieces)")
        }
    }
}

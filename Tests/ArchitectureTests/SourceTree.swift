import Foundation

/// The package's own Swift files, read from the checkout that this test was compiled in.
struct SourceTree {
    struct File {
        /// Relative to the package: `Sources/Kernel/Linux/Errno.swift`.
        let path: String
        let text: String
        let lines: [String]
        /// The lines that are not wholly comment, with their numbers from 1.
        let code: [(number: Int, text: String)]
        let imports: [String]

        init(path: String, text: String) {
            self.path = path
            self.text = text
            lines = text.components(separatedBy: "\n")
            code = lines.enumerated().compactMap { index, line in
                let rest = line.utf8.drop { $0 == UInt8(ascii: " ") }
                return rest.isEmpty || rest.starts(with: "//".utf8) ? nil : (index + 1, line)
            }
            imports = code.compactMap { Self.library(importedBy: $0.text) }
        }

        var folder: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
        var target: String { path.split(separator: "/").dropFirst(2).first.map(String.init) ?? "" }
        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let sources = files(below: "Sources")
    static let tests = files(below: "Tests")

    private static func files(below top: String) -> [File] {
        let root = package.appendingPathComponent(top).resolvingSymlinksInPath()
        let paths =
            FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            guard let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
            else {
                return nil  // Gone since it was listed: an editor's temporary file.
            }
            return File(path: "\(top)/\(path)", text: text)
        }
    }
}

extension SourceTree.File {
    /// Whether the file has the word anywhere, as bytes: for most files and words that is all there is to ask.
    func mentions(_ word: String) -> Bool { strstr(text, word) != nil }

    /// The lines of code that have the word.
    func code(with word: String) -> [(number: Int, text: String)] {
        mentions(word) ? code.filter { $0.text.contains(word) } : []
    }

    private static func library(importedBy line: String) -> String? {
        guard line.hasPrefix("import ") || line.contains(" import ") else { return nil }
        var words = line.split(separator: " ").map(String.init)
        words.removeAll {
            $0.hasPrefix("@") || ["package", "public", "internal", "private"].contains($0)
        }
        guard words.first == "import", words.count > 1 else { return nil }
        let isScoped = ["struct", "class", "enum", "func", "protocol", "var", "let", "typealias"]
            .contains(words[1])
        return words[isScoped && words.count > 2 ? 2 : 1].split(separator: ".").first.map(String.init)
    }

    /// Whether a comment stands on the line, or right above it.
    func isExplained(_ number: Int, by word: String = "//", linesAbove: Int = 4) -> Bool {
        (max(1, number - linesAbove)...number).contains { lines[$0 - 1].contains(word) }
    }

    /// Functions with their length in lines, found by indentation, which the formatter keeps.
    var functions: [(name: String, line: Int, length: Int)] {
        var found: [(String, Int, Int)] = []
        for (index, line) in lines.enumerated() {
            let body = line.drop { $0 == " " }
            let indent = line.count - body.count
            guard body.contains("func ") || body.hasPrefix("init") || body.contains(" init(") else {
                continue
            }
            guard !body.hasPrefix("//"), let name = functionName(body) else { continue }
            let closing = String(repeating: " ", count: indent) + "}"
            guard let opening = lines[index...].prefix(12).firstIndex(where: { $0.hasSuffix("{") }),
                let end = lines[opening...].firstIndex(of: closing)
            else { continue }
            found.append((name, index + 1, end - index + 1))
        }
        return found
    }

    private func functionName(_ body: Substring) -> String? {
        if let range = body.range(of: "func ") {
            return String(
                body[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" })
        }
        return "init"
    }
}

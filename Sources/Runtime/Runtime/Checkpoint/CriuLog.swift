import Glibc
import Linux

/// CRIU's own log of a dump or restore that failed.
struct CriuLog {
    let folder: String
    let name: String

    /// Repeats its errors, each with the lines before it, as warnings: the failure itself says little more than that.
    func quote(in log: LogOutput) {
        let path = PathName.joined(folder, name)
        // CRIU may not have come so far as to make it.
        guard let directory = try? Descriptor.open(folder, O_PATH | O_DIRECTORY) else { return }
        defer { directory.close() }
        // As above; what is no file of CRIU's is none of its errors either.
        guard let bytes = try? FileContents.readRegular(name, in: directory, limitBytes: 4 << 20) else { return }
        let quoted = Self.excerpts(bytes)
        guard !quoted.isEmpty else { return }
        log.warning("--- Quoting \"\(path)\"")
        for line in quoted { log.warning(line) }
        log.warning("---")
    }

    /// Lines with an error and the five before each, numbered; gaps between them are marked.
    static func excerpts(_ bytes: [UInt8]) -> [String] {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        var quoted: [String] = []
        var next = 0
        for (index, line) in lines.enumerated() where line.contains("Error") {
            let first = max(next, index - 5)
            if next > 0, first > next { quoted.append("...") }
            quoted += (first...index).map { "\($0 + 1):\(lines[$0])" }
            next = index + 1
        }
        return quoted
    }
}

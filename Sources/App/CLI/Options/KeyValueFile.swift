import Glibc
import Linux

/// The files of `--env-file` and `--label-file`: a `NAME=VALUE` a line, comments after `#`, in docker's rules.
enum KeyValueFile {
    /// The lines that say something, in their order; one without a value is its name alone.
    ///
    /// - Throws: `UsageError` in docker's words for a file that cannot be read, and for a line without a name or with
    ///   white space in it.
    static func lines(of path: String) throws(UsageError) -> [String] {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(path) } catch {
            throw UsageError(message: "open \(path): \(error.errno)")
        }
        return try lines(bytes, of: path)
    }

    static func lines(_ bytes: [UInt8], of path: String) throws(UsageError) -> [String] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        var lines: [String] = []
        for (number, line) in TextLines.split(text).enumerated() {
            guard let whole = String(validating: line, as: UTF8.self) else {
                throw refusal(path, "invalid utf8 bytes at line \(number + 1)")
            }
            let said = whole.drop { $0.isWhitespace }
            if said.isEmpty || said.hasPrefix("#") { continue }
            let name = said.prefix { $0 != "=" }
            guard !name.isEmpty else { throw refusal(path, "no variable name on line '\(said)'") }
            guard !name.contains(where: \.isWhitespace) else {
                throw refusal(path, "variable '\(name)' contains whitespaces")
            }
            lines.append(String(said))
        }
        return lines
    }

    private static func refusal(_ path: String, _ reason: String) -> UsageError {
        UsageError(message: "invalid env file (\(path)): \(reason)")
    }
}

/// `-e` and `--env-file`.
enum EnvironmentOption {
    /// What the engine is asked to set. Files come before words, which overrule them. A name alone passes a variable of
    /// ours on; where we have none, a word takes the image's away and a line of a file says nothing, as docker has it.
    static func variables(files: [String], words: [String]) throws(UsageError) -> [String] {
        var variables: [String] = []
        for path in files {
            for line in try KeyValueFile.lines(of: path) {
                if line.contains("=") { variables.append(line) } else if let own = own(line) { variables.append(own) }
            }
        }
        for word in words {
            guard !word.isEmpty, !word.hasPrefix("=") else {
                throw UsageError(value: word, of: "-e, --env", "invalid environment variable: \(word)")
            }
            variables.append(word.contains("=") ? word : own(word) ?? word)
        }
        return variables
    }

    private static func own(_ name: String) -> String? { getenv(name).map { "\(name)=\(String(cString: $0))" } }
}

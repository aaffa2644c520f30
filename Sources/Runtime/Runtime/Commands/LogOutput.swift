import Glibc
import JSON
import Linux

/// Where the runtime's own messages go: standard error, or the file of `--log`, whose last line callers show.
struct LogOutput: Sendable {
    private(set) var path: String?
    var isJSON = false
    var isDebugging = false

    /// Makes a file the place of all messages, if there is one; a path that cannot be written is refused before anything
    /// is done.
    mutating func open(_ path: String?) throws(RuntimeError) {
        guard let path, !path.isEmpty else { return }
        try attempt("unable to open the log") { () throws(KernelError) in try Self.appending(to: path).close() }
        self.path = path
    }

    private static func appending(to path: String) throws(KernelError) -> Descriptor {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    }

    /// What runc says of them.
    func ignored(capabilities names: [String]) {
        guard !names.isEmpty else { return }
        warning("ignoring unknown or unavailable capabilities: [\(names.joined(separator: " "))]")
    }

    func warning(_ message: String) { write("warning", message) }

    func debug(_ message: String) { if isDebugging { write("debug", message) } }

    /// The message that ends the program; on standard error too, where that is not the log.
    func failure(_ message: String) {
        write("error", message)
        if path != nil { toStandardError(Self.beginning(of: message) + "\n") }
    }

    /// As much as the smallest pipe takes at once: standard error may be the container's own, which nobody reads before
    /// there is a container.
    private static func beginning(of message: String) -> String {
        let limitBytes = 4000
        if message.utf8.count <= limitBytes { return message }
        return String(decoding: message.utf8.prefix(limitBytes), as: UTF8.self) + "…"
    }

    private func write(_ level: String, _ message: String) {
        let line = isJSON ? jsonLine(level, message) : textLine(level, message)
        guard let path else { return toStandardError(line) }
        do throws(KernelError) {
            let file = OwnedDescriptor(try Self.appending(to: path))
            try file.descriptor.writeAll(Array(line.utf8))
        } catch {
            toStandardError("\(error)\n\(line)")
        }
    }

    private func jsonLine(_ level: String, _ message: String) -> String {
        let line: JSONValue = ["level": .string(level), "msg": .string(message), "time": .string(time)]
        return line.compactText + "\n"
    }

    private func textLine(_ level: String, _ message: String) -> String {
        "time=\"\(time)\" level=\(level) msg=\(JSONValue.string(message).compactText)\n"
    }

    /// RFC 3339 without a fraction.
    private var time: String { Timestamp.now().rfc3339Nano.prefix(19) + "Z" }

    private func toStandardError(_ text: String) {
        // There is nowhere left to complain to.
        try? Descriptor.standardError.writeAll(Array(text.utf8))
    }
}

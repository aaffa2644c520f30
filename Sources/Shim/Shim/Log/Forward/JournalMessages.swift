/// Lines for systemd's journal, in its native form (systemd: "Native Journal Protocol"), with docker's fields.
final class JournalMessages: LogMessageForm {
    /// The fields that every message has, a line each.
    private let fields: [UInt8]

    /// - Parameter fields: `NAME=value`, parted by line ends.
    init(fields: String) { self.fields = Array(fields.utf8) + (fields.isEmpty ? [] : [10]) }

    func messages(_ line: LoggedLine) -> [[UInt8]] {
        var message = Array("PRIORITY=\(line.level.rawValue)\n".utf8) + fields
        if !line.isWhole { message += Array("CONTAINER_PARTIAL_MESSAGE=true\n".utf8) }
        // The form for values that may hold anything: name, length in eight bytes, value.
        message += Array("MESSAGE\n".utf8)
        withUnsafeBytes(of: UInt64(line.text.count).littleEndian) { message.append(contentsOf: $0) }
        message.append(contentsOf: line.text)
        message.append(10)
        return [message]
    }
}

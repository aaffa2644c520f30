/// How grave a line of a log is, as its writer says: `ERROR`, `level=warn`, `"level":"info"`, `[debug]`.
enum LogLevel: Hashable, Sendable {
    case error, warning, info, debug

    private static let names: [String: LogLevel] = [
        "error": .error, "err": .error, "fatal": .error, "panic": .error, "critical": .error, "crit": .error,
        "emerg": .error, "alert": .error, "severe": .error, "warning": .warning, "warn": .warning, "info": .info,
        "notice": .info, "debug": .debug, "trace": .debug,
    ]

    var role: Role {
        switch self {
        case .error: .error
        case .warning: .warning
        case .info: .success
        case .debug: .muted
        }
    }

    /// The first word of a line that names a level, and where it stands. Words in small letters count only where a sign
    /// before them says that a level comes: prose speaks of errors, too.
    static func find(in bytes: some RandomAccessCollection<UInt8>) -> (level: LogLevel, range: Range<Int>)? {
        let bytes = Array(bytes.prefix(200))
        var index = 0
        while index < bytes.count {
            guard isLetter(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, isLetter(bytes[index]) { index += 1 }
            guard (3...8).contains(index - start) else { continue }
            let word = String(decoding: bytes[start..<index], as: UTF8.self)
            guard let level = names[word.lowercased()] else { continue }
            let isLoud = bytes[start..<index].allSatisfy { $0 & 0x20 == 0 }
            let isNamed = start > 0 && Array("=\":[<(".utf8).contains(bytes[start - 1])
            let isLabel = start == 0 && index < bytes.count && bytes[index] == 0x3A
            if isLoud || isNamed || isLabel { return (level, start..<index) }
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}

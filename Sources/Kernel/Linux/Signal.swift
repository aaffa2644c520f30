import Glibc

/// Signals by name, as kill(1) and docker take them.
package enum Signal {
    private static let names: [(String, Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8),
        ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
        ("STKFLT", 16), ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21),
        ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28),
        ("IO", 29), ("POLL", 29), ("PWR", 30), ("SYS", 31), ("RTMIN", 34), ("RTMAX", 64),
    ]

    /// `KILL`, `SIGKILL`, `sigkill`, `9`, `RTMIN+3`, `RTMAX-2`; nil for anything else.
    package static func number(_ text: String) -> Int32? {
        if let number = Int32(text) { return (0...64).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let found = names.first(where: { $0.0 == name }) { return found.1 }
        for (base, sign) in [("RTMIN+", Int32(1)), ("RTMAX-", -1)] where name.hasPrefix(base) {
            guard let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) else { return nil }
            return (sign > 0 ? 34 : 64) + sign * offset
        }
        return nil
    }

    /// As Go's programs tell it, in whose words runc's callers read: `killed`, `segmentation fault`, `signal 40`. They are
    /// strsignal(3)'s, begun small.
    package static func words(_ number: Int32) -> String {
        guard (1...31).contains(number), let text = strsignal(number) else { return "signal \(number)" }
        let words = String(cString: text)
        // `CPU time limit exceeded` and `I/O possible` begin with no word.
        let second = words.utf8.dropFirst().first ?? 0
        return (97...122).contains(second) ? words.prefix(1).lowercased() + words.dropFirst() : words
    }

    /// `SIGKILL`; the number's digits where it has no name.
    package static func name(_ number: Int32) -> String {
        names.first { $0.1 == number }.map { "SIG\($0.0)" } ?? String(number)
    }
}

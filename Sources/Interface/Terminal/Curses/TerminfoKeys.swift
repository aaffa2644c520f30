import CCurses

/// The key sequences of the open terminal's entry, for terminals whose keys have forms of their own.
@MainActor
enum TerminfoKeys {
    static func read() -> [[UInt8]: Key] {
        var keys: [[UInt8]: Key] = [:]
        for (name, code) in capabilities {
            guard let text = gantry_terminfo_string(name) else { continue }
            let bytes = Array(String(cString: text).utf8)
            if bytes.first == 0x1B, bytes.count > 1 { keys[bytes] = Key(code) }
        }
        return keys
    }

    private static let capabilities: [(String, Key.Code)] =
        [
            ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("khome", .home), ("kend", .end),
            ("kpp", .pageUp), ("knp", .pageDown), ("kich1", .insert), ("kdch1", .delete), ("kent", .enter),
        ] + (1...12).map { ("kf\($0)", .function($0)) }
}

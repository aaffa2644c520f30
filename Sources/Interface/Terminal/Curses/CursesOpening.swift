import CCurses
import Glibc

/// The steps that open curses on a terminal, from the environment to the first mode.
@MainActor
struct CursesOpening {
    let curses: OpaquePointer
    /// The read end of the pipe that signals arrive by.
    let signals: Int32
    let colorDepth: ColorDepth
    let notice: String?
    /// The locale's characters are UTF-8's.
    let isUTF8: Bool

    init(input: Int32, output: Int32, environment: [String: String]) throws(TerminalError) {
        isUTF8 = Self.chooseLocale()
        let term = environment["TERM"] ?? ""
        guard term != "dumb" else { throw .dumb }
        guard let type = TerminalType.choose(term: term, probe: { TerminalType.probe($0, output: output) }) else {
            throw .noEntry(term: term)
        }
        var depth = ColorDepth.detect(environment: environment, terminfoColors: type.colors)
        gantry_guard_arm(output)
        // Before curses, which takes only signals that nobody has.
        signals = gantry_signals_take()
        var screen: OpaquePointer?
        if depth == .trueColor {
            screen = Self.openDirect(type.name, input, output, environment)
            if screen == nil { depth = .of(type.colors) }
        }
        screen = screen ?? gantry_curses_open(type.name, input, output)
        guard signals >= 0, let screen else {
            let reason = signals < 0 ? String(cString: strerror(errno)) : "curses refuses it"
            gantry_signals_release()
            gantry_guard_disarm()
            throw .notOpened(term: type.name, reason: reason)
        }
        curses = screen
        colorDepth = depth
        notice = type.notice
    }

    /// The user's locale; where that is not UTF-8, the one that is always there, since frames are Unicode. Whether the
    /// user's was.
    private static func chooseLocale() -> Bool {
        setlocale(LC_ALL, "")
        let isUTF8 = nl_langinfo(Int32(CODESET)).map { String(cString: $0) } == "UTF-8"
        guard !isUTF8, setlocale(LC_CTYPE, "C.UTF-8") == nil else { return isUTF8 }
        setlocale(LC_CTYPE, "en_US.UTF-8")
        return false
    }

    /// Opens `type` with its colours replaced by 24-bit ones. The entry goes to curses in `TERMINFO`, which takes an entry
    /// itself in place of a directory (terminfo(5)), and is only set for the call.
    private static func openDirect(
        _ type: String, _ input: Int32, _ output: Int32, _ environment: [String: String]
    ) -> OpaquePointer? {
        guard let entry = TerminfoDirectory(environment: environment).entry(for: type) else { return nil }
        let compiled = entry.withDirectColor().compiledWithDirectColorFlags()
        let before = getenv("TERMINFO").map { String(cString: $0) }
        setenv("TERMINFO", "hex:" + hexadecimal(compiled), 1)
        defer {
            if let before { setenv("TERMINFO", before, 1) } else { unsetenv("TERMINFO") }
        }
        guard let screen = gantry_curses_open(type, input, output) else { return nil }
        // A curses without this form of TERMINFO has taken the entry from its directory.
        if gantry_curses_color_count() == 1 << 24 { return screen }
        endwin()
        gantry_curses_close(screen)
        return nil
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

import CCurses
import Glibc

/// The terminal that the process was started on, by curses. One at a time.
///
/// Curses has the entry, the modes and the writing; the cells, the diff and the reading of keys are ours. From `init` to
/// `close` signals that would end or stop the process arrive as events, standard error is kept in memory (a line written
/// there would stand in the middle of the picture), and a crash restores the terminal before the process dies.
@MainActor
package final class CursesScreen: Screen {
    package private(set) var size: Size
    package let colorDepth: ColorDepth
    package let notice: String?

    private let input: Int32
    private let output: Int32
    private let signals: Int32
    private let curses: OpaquePointer
    private let modes: TerminalModes
    private let isInTmux: Bool
    private let clipboard: ClipboardPath
    private var painter: CellPainter
    private var decoder: InputDecoder
    /// What was typed before the first picture.
    private var early: [InputEvent]
    private var pacing = FramePacing()
    private var shown: Frame?
    private var shownShape = Frame.CursorShape.block
    private var isHungUp = false
    private var isHangupTold = false
    private var isClosed = false
    /// The size that its owner knows.
    private var toldSize: Size

    /// Opens the terminal. Changes nothing where it fails.
    ///
    /// - Throws: `TerminalError` where a descriptor is no terminal or no entry fits.
    package init(
        input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO, environment: [String: String]? = nil
    ) throws(TerminalError) {
        let environment = environment ?? ProcessEnvironment.all
        guard isatty(input) == 1 else { throw .notATerminal(stream: "standard input") }
        guard isatty(output) == 1 else { throw .notATerminal(stream: "standard output") }
        try Self.awaitForeground(input: input)
        let opening = try CursesOpening(input: input, output: output, environment: environment)
        self.input = input
        self.output = output
        curses = opening.curses
        signals = opening.signals
        colorDepth = opening.colorDepth
        modes = TerminalModes(environment: environment, output: output)
        isInTmux = environment["TMUX"] ?? "" != ""
        clipboard = ClipboardPath(environment: environment)
        decoder = InputDecoder(
            backspaceByte: UInt8(truncatingIfNeeded: gantry_terminal_erase_byte(input)),
            terminfoKeys: TerminfoKeys.read())
        size = Self.size(of: output)
        toldSize = size
        gantry_curses_resize(Int32(size.rows), Int32(size.columns))
        modes.enter()
        gantry_stderr_hold()
        var question = CharacterQuestion()
        if !opening.isUTF8, modes.canAsk { Self.ask(&question, input, modes) }
        if clipboard.mustAsk { modes.write(ClipboardPath.question) }
        if modes.canAsk, modes.write(TerminalModes.statusQuestion) { pacing.begin(at: .now) }
        early = decoder.feed(question.received)
        let readsUTF8 = opening.isUTF8 || question.readsUTF8 == true
        let isConsole = environment["TERM"]?.hasPrefix("linux") == true
        painter = CellPainter(
            colorDepth: opening.colorDepth, repertoire: !readsUTF8 ? .ascii : isConsole ? .console : .unicode)
        notice = opening.notice ?? (readsUTF8 ? nil : Self.asciiNotice)
    }

    /// Stops this process, as a shell has it, while it is in the background of its terminal; there is nothing to draw on
    /// then, nor anybody who types.
    ///
    /// - Parameter tell: called before.
    /// - Throws: `TerminalError.inBackground` where no shell would ever bring it to the foreground.
    package static func awaitForeground(input: Int32 = STDIN_FILENO, tell: () -> Void = {}) throws(TerminalError) {
        guard gantry_terminal_is_ours(input) == 0 else { return }
        tell()
        guard gantry_terminal_await(input) == 0 else { throw .inBackground }
    }

    private static let asciiNotice = "drawn in ASCII: neither locale nor terminal says UTF-8 (LC_ALL=C.UTF-8 does)"

    /// Waits for the answer, or as long as one may take.
    private static func ask(_ question: inout CharacterQuestion, _ input: Int32, _ modes: TerminalModes) {
        // On curses' own screen, and not on what the shell left, and drawn over by all of the first picture.
        gantry_curses_flush(0, 0, 0)
        gantry_curses_forget()
        modes.write(String(decoding: CharacterQuestion.bytes, as: UTF8.self))
        let end = ContinuousClock.now + CharacterQuestion.patience
        var bytes = [UInt8](repeating: 0, count: 4096)
        while question.readsUTF8 == nil, .now < end {
            guard isReadable(input, withinMilliseconds: 20) else { continue }
            let count = read(input, &bytes, bytes.count)
            // Its end is found by who reads next.
            guard count > 0 || (count < 0 && errno == EINTR) else { return }
            question.take(bytes.prefix(max(0, count)))
        }
    }

    package var inputDescriptors: [Int32] { isClosed ? [] : isHangupTold ? [signals] : [input, signals] }

    package var isReady: Bool {
        guard !isClosed, !isHungUp else { return true }
        // A terminal that is held (ctrl-s) takes nothing, and writing would wait for it.
        return pacing.isReady(at: .now) && isWritable(output)
    }

    package func present(_ frame: Frame) {
        guard !isClosed, !isHungUp else { return }
        let frame = frame.fitted(to: size)
        let runs = RowDiff.runs(from: shown, to: frame)
        let isSameCursor = shown?.cursor == frame.cursor
        if !runs.isEmpty || !isSameCursor || shown == nil { write(runs, of: frame) }
        if frame.cursor != nil, frame.cursorShape != shownShape {
            modes.set(frame.cursorShape)
            shownShape = frame.cursorShape
        }
        shown = frame
    }

    private func write(_ runs: [RowDiff.Run], of frame: Frame) {
        let bytes = painter.paint(runs, of: frame)
        let isAsked = modes.canAsk && pacing.write(bytes: bytes, at: .now)
        let place = frame.cursor ?? Position(column: 0, row: 0)
        modes.paint(isWhole: runs.count > 1, isAsked: isAsked) {
            gantry_curses_flush(Int32(place.row), Int32(place.column), frame.cursor == nil ? 0 : 1)
        }
    }

    package func drainEvents() -> [InputEvent] {
        guard !isClosed else { return [] }
        var events = drainSignals() + early
        early = []
        events += drainInput()
        if decoder.isWaiting, !isHungUp {
            // An escape alone: the key, or the beginning of one whose rest is on its way.
            if isReadable(input, withinMilliseconds: 25) { events += drainInput() }
            if decoder.isWaiting { events += decoder.flush() }
        }
        if isHungUp, !isHangupTold {
            isHangupTold = true
            events.append(.hangup)
        }
        guard size != toldSize else { return events }
        // Also where it changed while the terminal was another's, of which no signal is told once it is known.
        toldSize = size
        return [.resize(size)] + events
    }

    package func invalidate() {
        shown = nil
        shownShape = .block
        gantry_curses_forget()
    }

    package func suspend() {
        lend { gantry_signals_stop_here() }
    }

    package func lend(mayStop: Bool, _ body: () -> Void) {
        lend {
            gantry_signals_lend(mayStop ? 1 : 0)
            body()
            gantry_signals_take_back()
            gantry_terminal_reclaim(input)
        }
    }

    private func lend(_ body: () -> Void) {
        guard !isClosed, !isHungUp else { return }
        leave()
        body()
        takeBack()
    }

    /// Makes the terminal ours again, in the background once it is given back.
    private func takeBack() {
        guard gantry_terminal_await(input) == 0 else { return isHungUp = true }
        reset_prog_mode()
        modes.enter()
        gantry_stderr_hold()
        takeSize()
        invalidate()
    }

    package func bell() {
        guard !isClosed, !isHungUp else { return }
        beep()
    }

    package func copyToClipboard(_ text: String) -> Bool {
        guard !isClosed, !isHungUp, isWritable(output) else { return false }
        // Also as for others: a terminal that was opened from a window of tmux has its environment, too.
        let isInBuffer = isInTmux && TmuxBuffer.take(text)
        let sequences = clipboard.sequences(for: text, answer: decoder.multiplexer)
        return modes.canAsk && modes.write(sequences) || isInBuffer
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if isHungUp {
            // Perhaps only its other end has gone. Curses would wait for it.
            gantry_guard_restore()
            gantry_stderr_release()
        } else {
            leave()
        }
        gantry_guard_disarm()
        gantry_curses_close(curses)
        gantry_signals_release()
    }

    /// Back to how the terminal was, with curses still open.
    private func leave() {
        modes.leave()
        awaitAnswers()
        endwin()
        gantry_stderr_release()
    }

    /// What the terminal still answers would be typed to the shell.
    private func awaitAnswers() {
        let end = ContinuousClock.now + pacing.lastPatience
        while pacing.hasOpenQuestion, !isHungUp, .now < end {
            if isReadable(input, withinMilliseconds: 20) { _ = drainInput() }
        }
    }

    private func drainInput() -> [InputEvent] {
        var events: [InputEvent] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !isHungUp, isReadable(input, withinMilliseconds: 0) {
            let count = read(input, &bytes, bytes.count)
            if count > 0 {
                events += decoder.feed(bytes.prefix(count))
                for _ in 0..<decoder.takeStatusReports() { pacing.takeAnswer(at: .now) }
            } else if count < 0, errno == EIO, gantry_terminal_is_ours(input) == 0 {
                // Another job of the shell's has it.
                takeBack()
                events.append(.resumed)
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                isHungUp = true
            }
        }
        return events
    }

    private func drainSignals() -> [InputEvent] {
        var events: [InputEvent] = []
        var bytes = [UInt8](repeating: 0, count: 64)
        var arrived: [Int32] = []
        while case let count = read(signals, &bytes, bytes.count), count > 0 {
            arrived += bytes.prefix(count).map(Int32.init)
        }
        if arrived.contains(SIGWINCH) { takeSize() }
        if arrived.contains(SIGTSTP) {
            suspend()
            events.append(.resumed)
        } else if arrived.contains(SIGCONT) {
            // Stopped by a signal that cannot be caught; the shell has set the terminal its own way meanwhile.
            lend {}
            events.append(.resumed)
        }
        for signal in [SIGTERM, SIGINT, SIGHUP] where arrived.contains(signal) {
            events.append(.terminate(signal: signal))
        }
        return events
    }

    /// Asks the kernel for the size.
    private func takeSize() {
        let now = Self.size(of: output)
        guard now != size else { return }
        size = now
        gantry_curses_resize(Int32(now.rows), Int32(now.columns))
        invalidate()
    }

    private static func size(of descriptor: Int32) -> Size {
        var rows: Int32 = 0
        var columns: Int32 = 0
        let isKnown = gantry_terminal_size(descriptor, &rows, &columns) == 0 && rows > 0 && columns > 0
        // A serial line knows no size; 80×24 is what every terminal has had.
        return isKnown ? Size(columns: Int(columns), rows: Int(rows)) : Size(columns: 80, rows: 24)
    }
}

/// poll(2) for room on one descriptor, without waiting. Also true at its end.
private func isWritable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&entry, 1, 0) > 0
}

/// poll(2) for input on one descriptor. Also true at its end.
private func isReadable(_ descriptor: Int32, withinMilliseconds timeout: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, timeout) > 0
}

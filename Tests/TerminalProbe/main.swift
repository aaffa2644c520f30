import Glibc
import Terminal

private func complain(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Shows on a real terminal what a test asks for by keys, and which events came: the other end of `ProbeSession`.
@MainActor
struct Probe {
    let screen: CursesScreen
    var events: [InputEvent] = []
    var picture = 0

    mutating func run() {
        while true {
            let isReady = screen.isReady
            if isReady { screen.present(frame()) }
            var entries = screen.inputDescriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&entries, nfds_t(entries.count), isReady ? -1 : 50) >= 0 || errno == EINTR else { return }
            for event in screen.drainEvents() {
                events.append(event)
                if obey(event) { return }
            }
        }
    }

    /// Whether to end.
    private mutating func obey(_ event: InputEvent) -> Bool {
        switch event {
        case .hangup, .terminate: return true
        case .key(Key(.function(1))): return true
        case .key(Key(.function(2))): fatalError("the probe was told to crash")
        case .key(Key(.function(3))): screen.suspend()
        case .key(Key(.function(4))): picture += 1
        case .key(Key(.function(5))): complain("a line on standard error")
        case .key(Key(.function(6))): _ = screen.copyToClipboard("clip")
        case .key(Key(.function(8))): _ = screen.copyToClipboard(String(repeating: "clip", count: 300))
        case .key(Key(.function(7))):
            // Hangs: only a second signal ends it.
            while true { pause() }
        default: break
        }
        return false
    }

    private func frame() -> Frame {
        var frame = Frame(size: screen.size)
        let size = "\(screen.size.columns)x\(screen.size.rows)"
        frame.put("size \(size) depth \(screen.colorDepth)", in: frame.bounds)
        frame.put(screen.notice ?? "", row: frame.size.rows - 1, in: frame.bounds)
        var area = frame.bounds
        _ = area.takeTop(1)
        _ = area.takeBottom(1)
        let samples = area.takeTop(8)
        if picture == 0 { drawSamples(&frame, samples) } else { frame.put("picture \(picture)", in: samples) }
        for (row, event) in events.suffix(area.rows).enumerated() {
            frame.put(describe(event), row: row, in: area)
        }
        frame.cursor = Position(column: 3, row: 2)
        return frame
    }

    private func drawSamples(_ frame: inout Frame, _ region: Region) {
        let inside = frame.box(region, title: " box ", style: Style(foreground: .palette(4)))
        frame.put("日本 🚀 e\u{301} ⣿ é", in: inside)
        frame.put("red", row: 1, in: inside, style: Style(foreground: .rgb(200, 30, 40), attributes: .bold))
        frame.put(
            "idx", column: 4, row: 1, in: inside, style: Style(foreground: .palette(200), background: .palette(17)))
        frame.put("dark", column: 8, row: 1, in: inside, style: Style(background: .rgb(0, 0, 9)))
        frame.put("it", column: 13, row: 1, in: inside, style: Style(attributes: [.italic, .underline, .reverse]))
    }

    private func describe(_ event: InputEvent) -> String {
        switch event {
        case .key(let key): return "key \(key)"
        case .paste(let text): return "paste \(text.count) \(text.prefix(30))"
        case .mouse(let mouse): return "mouse \(mouse.action) \(mouse.position.column),\(mouse.position.row)"
        case .resize(let size): return "resize \(size.columns)x\(size.rows)"
        case .focus(let isFocused): return "focus \(isFocused)"
        case .resumed: return "resumed"
        case .terminate(let signal): return "terminate \(signal)"
        case .hangup: return "hangup"
        }
    }
}

do throws(TerminalError) {
    let screen = try CursesScreen()
    var probe = Probe(screen: screen)
    probe.run()
    screen.close()
    print("ended after \(probe.events.count) events")
} catch {
    complain("\(error)")
    exit(3)
}

import Glibc
import Terminal
import Testing

@MainActor
@Suite struct MemoryScreenTests {
    @Test("The golden text of a frame is its rows")
    func golden() {
        let screen = MemoryScreen(size: Size(columns: 16, rows: 4))
        defer { screen.close() }
        var frame = Frame(size: screen.size)
        let inside = frame.box(frame.bounds, title: "名前", footer: "1/2")
        frame.put("日本 e\u{301}!", in: inside)
        frame.put("cut off at the edge", row: 1, in: inside, truncation: .ellipsis)
        screen.present(frame)
        #expect(
            screen.text == """
                ╭─名前─────────╮
                │日本 e\u{301}!       │
                │cut off at th…│
                ╰──────────1/2─╯
                """)
    }

    @Test("A frame like the one before is not written; one of another size is fitted")
    func economy() {
        let screen = MemoryScreen(size: Size(columns: 5, rows: 2))
        defer { screen.close() }
        var frame = Frame(size: screen.size)
        screen.present(frame)
        screen.present(frame)
        #expect(screen.writtenFrames == 1)
        frame.put("x", in: frame.bounds)
        screen.present(frame)
        #expect(screen.writtenFrames == 2)
        screen.present(Frame(size: Size(columns: 50, rows: 20)))
        #expect(screen.frame?.size == Size(columns: 5, rows: 2))
    }

    @Test("Events wake a poll and come once, in order; a resize changes the size")
    func events() {
        let screen = MemoryScreen(size: Size(columns: 5, rows: 2))
        defer { screen.close() }
        func isReadable() -> Bool {
            var entries = screen.inputDescriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            return poll(&entries, nfds_t(entries.count), 0) > 0
        }
        #expect(!isReadable())
        screen.send(keys: "j ctrl-d enter")
        screen.send(.resize(Size(columns: 7, rows: 3)))
        #expect(isReadable())
        #expect(
            screen.drainEvents() == [
                .key(.character("j")), .key(Key(.character("d"), .control)), .key(Key(.enter)),
                .resize(Size(columns: 7, rows: 3)),
            ])
        #expect(screen.size == Size(columns: 7, rows: 3))
        #expect(!isReadable() && screen.drainEvents().isEmpty)
    }
}

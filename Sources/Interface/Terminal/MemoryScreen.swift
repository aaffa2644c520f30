import Glibc

/// A screen without a terminal: keeps the frames, plays the events. For golden frames and whole sessions of the model.
@MainActor
package final class MemoryScreen: Screen {
    package private(set) var size: Size
    package let colorDepth: ColorDepth
    package var notice: String?
    /// Whether the terminal that it stands for keeps up.
    package var isReady = true
    /// The last frame presented.
    package private(set) var frame: Frame?
    /// How many frames were presented that differed from the one before.
    package private(set) var writtenFrames = 0
    package private(set) var bells = 0
    package private(set) var clipboard: String?
    /// What `copyToClipboard` says, for tests of a terminal that takes nothing.
    package var takesCopies = true
    /// Called after each frame that is another than the one before: for tests that answer what they see.
    package var onFrame: () -> Void = {}
    package private(set) var isClosed = false

    private var queue: [InputEvent] = []
    private let readEnd: Int32
    private let writeEnd: Int32

    package init(size: Size, colorDepth: ColorDepth = .trueColor) {
        self.size = size
        self.colorDepth = colorDepth
        var ends: [Int32] = [-1, -1]
        // Without a pipe (no descriptor left) events still drain; only a poll would not wake.
        _ = pipe(&ends)
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    package var inputDescriptors: [Int32] { isClosed ? [] : [readEnd] }

    /// Queues what the user does next.
    package func send(_ events: InputEvent...) {
        for event in events {
            if case .resize(let size) = event { self.size = size }
            queue.append(event)
        }
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Queues keys by their notation, parted by spaces: `"j j enter ctrl-d"`. What is no key is left out.
    package func send(keys notation: String) {
        for name in notation.split(separator: " ") {
            if let key = Key(name) { send(.key(key)) }
        }
    }

    /// Queues each character of `text` as a key.
    package func send(typing text: String) {
        for character in text { send(.key(.character(character))) }
    }

    package func present(_ frame: Frame) {
        let fitted = frame.fitted(to: size)
        let isNew = fitted != self.frame
        self.frame = fitted
        guard isNew else { return }
        writtenFrames += 1
        onFrame()
    }

    package func drainEvents() -> [InputEvent] {
        var wake = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 64)
        while poll(&wake, 1, 0) > 0, read(readEnd, &bytes, bytes.count) > 0 {}
        defer { queue = [] }
        return queue
    }

    package func invalidate() { frame = nil }
    package func suspend() { send(.resumed) }
    package func lend(mayStop: Bool, _ body: () -> Void) { body() }
    package func bell() { bells += 1 }

    package func copyToClipboard(_ text: String) -> Bool {
        if takesCopies { clipboard = text }
        return takesCopies
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        _ = Glibc.close(readEnd)
        _ = Glibc.close(writeEnd)
    }

    /// The rows of the last frame as text, without the spaces at their ends: what a golden file holds.
    package var text: String {
        guard let frame else { return "" }
        return (0..<frame.size.rows).map { frame.text(ofRow: $0) }.joined(separator: "\n")
    }
}

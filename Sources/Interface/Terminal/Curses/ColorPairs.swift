/// The colour pairs of curses, given out as they are needed. Pair 0 is the terminal's own two colours.
///
/// A terminal may have fewer pairs than a long session uses. Then a pair that the current frame does not use is taken
/// over, the one longest unused first; a frame that needs more than there are shows the rest in pair 0.
struct ColorPairs {
    /// Numbers as curses has them; -1 for the terminal's own.
    struct Colors: Hashable {
        var foreground: Int32
        var background: Int32
    }

    private struct Entry {
        var colors: Colors
        var lastFrame: Int
    }

    private let capacity: Int
    private var numbers: [Colors: Int] = [:]
    /// By pair number less one.
    private var entries: [Entry] = []
    private var frame = 0

    /// - Parameter capacity: how many pairs may be set beside pair 0.
    init(capacity: Int) { self.capacity = max(0, capacity) }

    /// Begins a frame that uses `all`: none of these is taken over until the next frame.
    mutating func beginFrame(using all: some Sequence<Colors>) {
        frame += 1
        for colors in all {
            if let number = numbers[colors] { entries[number - 1].lastFrame = frame }
        }
    }

    /// Whether a frame may need more pairs than are free, so that `beginFrame` must know them all.
    var isNearlyFull: Bool { entries.count + 64 > capacity }

    /// The pair for `colors`, and whether curses must be told of it first.
    mutating func pair(for colors: Colors) -> (number: Int, isNew: Bool) {
        if colors.foreground < 0, colors.background < 0 { return (0, false) }
        if let number = numbers[colors] {
            entries[number - 1].lastFrame = frame
            return (number, false)
        }
        if entries.count < capacity {
            entries.append(Entry(colors: colors, lastFrame: frame))
            numbers[colors] = entries.count
            return (entries.count, true)
        }
        guard let oldest = entries.indices.min(by: { entries[$0].lastFrame < entries[$1].lastFrame }),
            entries[oldest].lastFrame < frame
        else { return (0, false) }
        numbers[entries[oldest].colors] = nil
        entries[oldest] = Entry(colors: colors, lastFrame: frame)
        numbers[colors] = oldest + 1
        return (oldest + 1, true)
    }
}

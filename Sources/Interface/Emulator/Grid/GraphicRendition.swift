import Terminal

extension Style {
    /// Applies SGR (ECMA-48 8.3.117, with xterm's colours): its numbers one after another.
    package mutating func apply(_ sequence: ControlSequence) {
        if sequence.numbers.isEmpty { return self = .plain }
        var index = 0
        while index < sequence.numbers.count {
            let number = sequence.number(index, or: 0)
            if number == 38 || number == 48 {
                let (color, next) = Self.color(in: sequence, at: index)
                if let color, number == 38 { foreground = color }
                if let color, number == 48 { background = color }
                index = next
                continue
            }
            let next = Self.end(of: index, in: sequence)
            // 4:0 is no underline, 4:3 a curly one.
            let isOff = number == 4 && next > index + 1 && sequence.number(index + 1, or: 1) == 0
            apply(isOff ? 24 : number)
            index = next
        }
    }

    /// One number. A table.
    private mutating func apply(_ number: Int) {
        switch number {
        case 0: self = .plain
        case 1: attributes.insert(.bold)
        case 2: attributes.insert(.dim)
        case 3: attributes.insert(.italic)
        case 4, 21: attributes.insert(.underline)
        case 5, 6: attributes.insert(.blink)
        case 7: attributes.insert(.reverse)
        case 9: attributes.insert(.strike)
        case 22: attributes.subtract([.bold, .dim])
        case 23: attributes.remove(.italic)
        case 24: attributes.remove(.underline)
        case 25: attributes.remove(.blink)
        case 27: attributes.remove(.reverse)
        case 29: attributes.remove(.strike)
        case 30...37: foreground = .palette(UInt8(number - 30))
        case 39: foreground = .default
        case 40...47: background = .palette(UInt8(number - 40))
        case 49: background = .default
        case 90...97: foreground = .palette(UInt8(number - 90 + 8))
        case 100...107: background = .palette(UInt8(number - 100 + 8))
        default: break
        }
    }

    /// The index behind the numbers that belong to the one at `index` by colons.
    private static func end(of index: Int, in sequence: ControlSequence) -> Int {
        var end = index + 1
        while end < sequence.numbers.count, sequence.isSubordinate[end] { end += 1 }
        return end
    }

    /// `38;5;n`, `38;2;r;g;b`, and both with colons, where the second may name a colour space before the channels.
    private static func color(in sequence: ControlSequence, at index: Int) -> (Color?, next: Int) {
        let colonEnd = end(of: index, in: sequence)
        let isColon = colonEnd > index + 1
        let kind = sequence.number(index + 1, or: -1)
        if kind == 5 {
            let next = isColon ? colonEnd : index + 3
            return (UInt8(exactly: sequence.number(index + 2, or: 0)).map(Color.palette), next)
        }
        guard kind == 2 else { return (nil, isColon ? colonEnd : index + 2) }
        let first = isColon && colonEnd - index >= 6 ? index + 3 : index + 2
        let channels = (0..<3).compactMap { UInt8(exactly: sequence.number(first + $0, or: 0)) }
        let next = isColon ? colonEnd : index + 5
        return (channels.count == 3 ? .rgb(channels[0], channels[1], channels[2]) : nil, next)
    }
}

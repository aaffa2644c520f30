/// A set of Unicode scalars, as a regular expression names them: `[a-z]`, `\w`, a letter.
package struct ScalarSet: Hashable, Sendable {
    /// In rising order, neither overlapping nor touching each other.
    private(set) var ranges: [ClosedRange<UInt32>] = []

    static let lastScalar: UInt32 = 0x10FFFF
    static let everything = ScalarSet([0...lastScalar])
    static let digits = ScalarSet([0x30...0x39])
    static let spaces = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ])
    /// Letters, digits and `_`; of other scripts what Unicode calls alphabetic.
    static let wordScalars: ScalarSet = {
        var ranges: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
        for value in 0xAA...lastAlphabetic {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isAlphabetic else { continue }
            if let last = ranges.last, last.upperBound + 1 == value {
                ranges[ranges.count - 1] = last.lowerBound...value
            } else {
                ranges.append(value...value)
            }
        }
        return ScalarSet(ranges)
    }()

    /// The end of the third ideographic plane: nothing alphabetic lies beyond.
    private static let lastAlphabetic: UInt32 = 0x3FFFF
    /// The last scalar that has a counterpart in the other case.
    private static let lastCased: UInt32 = 0x1E943

    init() {}

    init(_ ranges: [ClosedRange<UInt32>]) { self.ranges = Self.joined(ranges) }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    /// Its scalar where it has only one.
    var only: Unicode.Scalar? {
        ranges.count == 1 && ranges[0].count == 1 ? Unicode.Scalar(ranges[0].lowerBound) : nil
    }

    var inverted: ScalarSet {
        var set = ScalarSet()
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { set.ranges.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= Self.lastScalar { set.ranges.append(next...Self.lastScalar) }
        return set
    }

    /// With each letter's counterpart in the other case.
    var ignoringCase: ScalarSet {
        var more = ranges
        for range in ranges where range.lowerBound <= Self.lastCased {
            var place = Self.counterparts.firstIndex { $0.scalar >= range.lowerBound } ?? Self.counterparts.endIndex
            while place < Self.counterparts.endIndex, Self.counterparts[place].scalar <= range.upperBound {
                let other = Self.counterparts[place].other
                // Most of a large range's are in it.
                if !range.contains(other) { more.append(other...other) }
                place += 1
            }
        }
        return ScalarSet(more)
    }

    /// Each scalar that has a counterpart in the other case, in rising order: once for all, since a large bracket would
    /// have to look at every scalar in it.
    private static let counterparts: [(scalar: UInt32, other: UInt32)] = (0...lastCased).flatMap { value in
        guard let scalar = Unicode.Scalar(value) else { return [(scalar: UInt32, other: UInt32)]() }
        let properties = scalar.properties
        return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { mapping in
            // Mappings to several scalars (ß) are no counterparts of one.
            guard let other = mapping.unicodeScalars.first, mapping.unicodeScalars.count == 1, other != scalar
            else { return nil }
            return (value, other.value)
        }
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    func contains(_ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(value)
    }

    private static func joined(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var joined: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, range.lowerBound <= last.upperBound + 1 {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}

import EngineAPI

/// Numbers in the words docker prints them in.
enum Units {
    /// Powers of 1000 with three digits, as docker prints sizes of images: `4.26MB`, `0B`.
    static func decimal(_ bytes: Int64, digits: Int = 3) -> String {
        scaled(Double(bytes), base: 1000, ["B", "kB", "MB", "GB", "TB", "PB"], digits: digits)
    }

    /// Powers of 1024 with four digits, as docker prints memory: `1.012MiB`.
    static func binary(_ bytes: UInt64) -> String {
        scaled(Double(bytes), base: 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], digits: 4)
    }

    private static func scaled(_ value: Double, base: Double, _ units: [String], digits: Int) -> String {
        var value = value
        var index = 0
        while value >= base, index < units.count - 1 {
            value /= base
            index += 1
        }
        return significant(value, digits) + units[index]
    }

    /// So many significant digits, without zeros at the end of the fraction: C's `%.4g` for the numbers that come here.
    static func significant(_ value: Double, _ digits: Int) -> String {
        var whole = 1
        while pow10(whole) <= value { whole += 1 }
        let decimals = max(0, digits - whole)
        var text = fixed(value, decimals)
        if text.contains(".") {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text
    }

    /// A number with so many digits after the point.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        let scale = pow10(decimals)
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 1e18 else { return "\(value)" }
        let number = Int64(scaled)
        guard decimals > 0 else { return String(number) }
        let digits = String(number.magnitude)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return (number < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    private static func pow10(_ exponent: Int) -> Double {
        (0..<max(0, exponent)).reduce(1.0) { value, _ in value * 10 }
    }

    static func percent(_ value: Double?) -> String { value.map { fixed($0, 2) + "%" } ?? "--" }
}

extension String {
    /// At most so many characters, the last of them an ellipsis where something was cut.
    func shortened(to length: Int) -> String { count <= length ? self : prefix(length - 1) + "…" }

    /// The first 12 digits of an id, without `sha256:` or another algorithm's name.
    var shortID: String { String((firstIndex(of: ":").map { self[index(after: $0)...] } ?? self[...]).prefix(12)) }
}

import EngineAPI

/// Figures as people read them.
enum Quantity {
    /// Binary units, as docker's CLI writes memory: `12.5MiB`.
    static func bytes(_ count: UInt64) -> String { bytes(Double(count)) }

    static func bytes(_ count: Double) -> String { scaled(count, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]) }

    /// As `bytes` in at most five columns, for lists: `12.5M`.
    static func shortBytes(_ count: UInt64) -> String { scaled(Double(count), 1024, ["B", "K", "M", "G", "T", "P"]) }

    /// Decimal units, as docker's CLI writes sizes of images: `4.3MB`.
    static func decimalBytes(_ count: Int64) -> String {
        scaled(Double(max(0, count)), 1000, ["B", "kB", "MB", "GB", "TB", "PB"])
    }

    static func rate(_ bytesPerSecond: Double?) -> String {
        guard let bytesPerSecond else { return "-" }
        return scaled(bytesPerSecond, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]) + "/s"
    }

    static func percent(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value >= 100 ? "\(whole(value))%" : oneDigit(value) + "%"
    }

    /// `12ms`, `3.4s`, `2m5s`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = whole(duration / .milliseconds(1))
        switch milliseconds {
        case ..<1000: return "\(milliseconds)ms"
        case ..<60_000: return oneDigit(Double(milliseconds) / 1000) + "s"
        case ..<3_600_000: return "\(milliseconds / 60_000)m\(milliseconds / 1000 % 60)s"
        default: return "\(milliseconds / 3_600_000)h\(milliseconds / 60_000 % 60)m"
        }
    }

    /// The time since `moment`, in one unit: `5s`, `12m`, `3h`, `2d`.
    static func age(since moment: Timestamp, at now: Timestamp) -> String {
        let seconds = max(0, now.secondsSinceEpoch - moment.secondsSinceEpoch)
        return switch seconds {
        case ..<120: "\(seconds)s"
        case ..<7200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        case ..<63_072_000: "\(seconds / 86400)d"
        default: "\(seconds / 31_536_000)y"
        }
    }

    /// Rounded; the largest number where there is none so large, as figures of another engine may be.
    static func whole(_ value: Double) -> Int { Int(exactly: value.rounded()) ?? (value < 0 ? .min : .max) }

    /// `text` cut or filled to `width` columns of ASCII figures.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func scaled(_ value: Double, _ step: Double, _ units: [String]) -> String {
        var value = value
        var unit = 0
        // 999.5 would be written as 1000.
        while value >= (unit == 0 ? step : 999.5), unit < units.count - 1 {
            value /= step
            unit += 1
        }
        return (unit == 0 || value >= 99.95 ? "\(whole(value))" : oneDigit(value)) + units[unit]
    }

    private static func oneDigit(_ value: Double) -> String {
        let tenths = whole(value * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Properties of a container's unit that annotations give, `org.systemd.property.TimeoutStopUSec`: `uint64 5000000`. Where
/// the cgroup is not systemd's they mean nothing, as to other runtimes.
enum SystemdAnnotations {
    static let prefix = "org.systemd.property."

    /// In the order of their names, so that the same document always gives the same unit.
    static func properties(
        _ annotations: [String: String]
    ) throws(RuntimeError) -> [(name: String, value: BusValue)] {
        var found: [(name: String, value: BusValue)] = []
        for (key, text) in annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            if let reason = refusal(ofName: name) {
                throw RuntimeError("annotations.\(key): annotation \(key) name incorrect: \(reason)")
            }
            do throws(BusText.Malformed) {
                found.append(try inMicroseconds(name, try BusText.value(text)))
            } catch {
                throw RuntimeError("annotations.\(key): annotation \(key)=\(text) value parse error: \(error.reason)")
            }
        }
        return found
    }

    private static func refusal(ofName name: String) -> String? {
        if name.utf8.count < 3 { return "too short" }
        let isWord = name.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
        return isWord ? nil : "contains non-alphabetic character"
    }

    /// Units' files have `TimeoutStopSec`, in seconds; on the bus it is `TimeoutStopUSec`.
    private static func inMicroseconds(
        _ name: String, _ value: BusValue
    ) throws(BusText.Malformed) -> (name: String, value: BusValue) {
        let stem = name.dropLast(3)
        guard name.hasSuffix("Sec"), let last = stem.utf8.last, (97...122).contains(last) else { return (name, value) }
        guard let seconds = value.seconds, seconds >= 0, seconds < 18_446_744_073_709 else {
            throw BusText.Malformed(reason: "not a number of seconds")
        }
        return (stem + "USec", .uint64(UInt64(seconds * 1_000_000)))
    }
}

extension BusValue {
    /// A number of any type; nil for what is none.
    fileprivate var seconds: Double? {
        switch self {
        case .byte(let number): Double(number)
        case .int16(let number): Double(number)
        case .uint16(let number): Double(number)
        case .int32(let number): Double(number)
        case .uint32(let number): Double(number)
        case .int64(let number): Double(number)
        case .uint64(let number): Double(number)
        case .double(let number): number
        case .bool, .string, .path, .signature, .array, .structure, .variant: nil
        }
    }
}

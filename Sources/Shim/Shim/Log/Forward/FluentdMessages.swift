import Glibc
import Linux
import ShimAPI

/// Lines for Fluentd and Fluent Bit: the message mode of Fluentd's "Forward Protocol Specification v1", `[tag, time,
/// record]` in MessagePack, with docker's members.
final class FluentdMessages: LogMessageForm {
    private let fluentd: LogForward.Fluentd
    /// Of each output, the long line that is being sent in parts.
    private var parted: [OutputKind: (id: String, parts: Int)] = [:]

    init(_ fluentd: LogForward.Fluentd) { self.fluentd = fluentd }

    func messages(_ line: LoggedLine) -> [[UInt8]] {
        let part = part(line)
        var packed = MessagePack()
        packed.beginArray(3)
        packed.add(fluentd.tag)
        if fluentd.isExact { packed.add(eventTime: line.time) } else { packed.add(line.time.secondsSinceEpoch) }
        packed.beginMap(fluentd.fields.count + part.count + 2)
        for field in fluentd.fields + part {
            packed.add(field.name)
            packed.add(field.value)
        }
        packed.add("source")
        packed.add(line.kind.name)
        packed.add("log")
        packed.add(line.text)
        return [packed.bytes]
    }

    private func part(_ line: LoggedLine) -> [LogForward.Fluentd.Field] {
        var (id, parts) = parted[line.kind] ?? ("", 0)
        guard !line.isWhole || parts > 0 else { return [] }
        if parts == 0 { id = Self.randomID() }
        parts += 1
        parted[line.kind] = line.isWhole ? nil : (id, parts)
        return [
            .init("partial_message", "true"), .init("partial_id", id), .init("partial_ordinal", String(parts)),
            .init("partial_last", String(line.isWhole)),
        ]
    }

    private static func randomID() -> String {
        (0..<4).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// Values in MessagePack ("MessagePack specification"), as far as a log has them.
struct MessagePack {
    private(set) var bytes: [UInt8] = []

    mutating func beginArray(_ count: Int) { bytes.append(0x90 | UInt8(count)) }

    mutating func beginMap(_ count: Int) {
        if count < 16 { return bytes.append(0x80 | UInt8(count)) }
        bytes.append(0xDE)
        number(UInt16(truncatingIfNeeded: count))
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    mutating func add(_ text: UnsafeRawBufferPointer) {
        switch text.count {
        case ..<32: bytes.append(0xA0 | UInt8(text.count))
        case ..<0x100:
            bytes.append(0xD9)
            number(UInt8(text.count))
        case ..<0x10000:
            bytes.append(0xDA)
            number(UInt16(text.count))
        default:
            bytes.append(0xDB)
            number(UInt32(text.count))
        }
        bytes.append(contentsOf: text)
    }

    mutating func add(_ value: Int64) {
        bytes.append(0xD3)
        number(UInt64(bitPattern: value))
    }

    /// Fluentd's own kind of value: seconds and nanoseconds, 32 bits each.
    mutating func add(eventTime time: Timestamp) {
        bytes += [0xD7, 0]
        number(UInt32(truncatingIfNeeded: time.secondsSinceEpoch))
        number(UInt32(time.nanoseconds))
    }

    private mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// Reads what `WireWriter` wrote; throws where the bytes end too early or say what cannot be.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func takeUInt8() throws(ShimFrameError) -> UInt8 { try take(UInt8.self) }
    mutating func takeUInt16() throws(ShimFrameError) -> UInt16 { try take(UInt16.self) }
    mutating func takeUInt32() throws(ShimFrameError) -> UInt32 { try take(UInt32.self) }
    mutating func takeUInt64() throws(ShimFrameError) -> UInt64 { try take(UInt64.self) }
    mutating func takeInt32() throws(ShimFrameError) -> Int32 { try take(Int32.self) }
    mutating func takeInt64() throws(ShimFrameError) -> Int64 { try take(Int64.self) }

    mutating func takeBool() throws(ShimFrameError) -> Bool {
        switch try takeUInt8() {
        case 0: false
        case 1: true
        case let value: throw ShimFrameError("\(value) is no truth value")
        }
    }

    mutating func takeBytes() throws(ShimFrameError) -> [UInt8] {
        let size = Int(try takeUInt32())
        guard size <= rest.count else { throw ShimFrameError("\(size) bytes announced, \(rest.count) left") }
        defer { rest = rest.dropFirst(size) }
        return Array(rest.prefix(size))
    }

    mutating func takeString() throws(ShimFrameError) -> String {
        guard let text = String(validating: try takeBytes(), as: UTF8.self) else {
            throw ShimFrameError("text that is not UTF-8")
        }
        return text
    }

    mutating func takeOptional<Value>(
        _ read: (inout WireReader) throws(ShimFrameError) -> Value
    ) throws(ShimFrameError) -> Value? {
        guard try takeBool() else { return nil }
        return try read(&self)
    }

    /// A body must be read to its end: what is left over was meant by somebody.
    func finish() throws(ShimFrameError) {
        guard rest.isEmpty else { throw ShimFrameError("\(rest.count) bytes too many") }
    }

    private mutating func take<Number: FixedWidthInteger>(_ type: Number.Type) throws(ShimFrameError) -> Number {
        let size = Number.bitWidth / 8
        guard rest.count >= size else { throw ShimFrameError("the frame ends inside a number") }
        var value: Number = 0
        for byte in rest.prefix(size).reversed() { value = value << 8 | Number(truncatingIfNeeded: byte) }
        rest = rest.dropFirst(size)
        return value
    }
}

/// Asks a terminal whether it reads UTF-8, where the locale says that it does not: over ssh, in `su -` and in scripts the
/// locale is often none at all, and the terminal a modern one.
///
/// Two bytes that are one character are written, and the place of the cursor is asked for (DSR 6 of ECMA-48, 8.3.35):
///
/// ```
///    CSI H, 0xC3 0xA9, CSI 6 n ───►  terminal
///                              ◄───  CSI 1 ; 2 R   it read one character
///                              ◄───  CSI 1 ; 3 R   it read two
/// ```
struct CharacterQuestion {
    /// From the first column; the picture is drawn over it.
    static let bytes: [UInt8] = Array("\u{1B}[H\u{E9}\u{1B}[6n".utf8)
    /// How long the answer is waited for.
    static let patience = Duration.seconds(1)

    /// What has come so far. Keys that were typed meanwhile are among it.
    private(set) var received: [UInt8] = []
    /// Nil until the answer has come.
    private(set) var readsUTF8: Bool?

    mutating func take(_ bytes: some Sequence<UInt8>) {
        received += bytes
        guard readsUTF8 == nil, let (range, column) = Self.report(in: received) else { return }
        readsUTF8 = column == 2
        received.removeSubrange(range)
    }

    /// The first `CSI row ; column R`. A key that looks like it (F3 with shift) has row 1 as well, but was typed by somebody
    /// who sees nothing yet.
    private static func report(in bytes: [UInt8]) -> (range: Range<Int>, column: Int)? {
        for start in bytes.indices.dropLast(2) where bytes[start] == 0x1B && bytes[start + 1] == UInt8(ascii: "[") {
            let body = bytes[(start + 2)...]
            guard let end = body.firstIndex(where: { !(0x30...0x3B).contains($0) }), bytes[end] == UInt8(ascii: "R")
            else { continue }
            let fields = String(decoding: body[..<end], as: UTF8.self).split(separator: ";").map { Int($0) ?? 0 }
            if fields.count == 2 { return (start..<end + 1, fields[1]) }
        }
        return nil
    }
}

/// Bytes of which a reader may take only so many at once.
///
/// What a tar archive says of a member libarchive keeps in memory: the list of a sparse file's parts at ten times its
/// length. Packed, such a list is a thousandth of that, and would take all memory there is (as CVE-2025-58183 of Go's).
final class BoundedInput: ArchiveInput {
    /// Lists of some hundred thousand parts.
    private static let limitBytes = 8 << 20

    private let input: any ArchiveInput
    /// Nil while nothing is bounded.
    private var leftBytes: Int?

    init(_ input: any ArchiveInput) { self.input = input }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        if let leftBytes, leftBytes <= 0 {
            throw .tooLarge("the archive says more than \(Self.limitBytes) bytes of one of its entries")
        }
        let piece = try input.next()
        leftBytes = leftBytes.map { $0 - piece.count }
        return piece
    }

    /// Runs a call of the reader's, which fails where it takes more.
    func bounding(_ call: () -> Int32) -> Int32 {
        leftBytes = Self.limitBytes
        defer { leftBytes = nil }
        return call()
    }
}

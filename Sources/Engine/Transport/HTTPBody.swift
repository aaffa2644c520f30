/// The body of a message as it comes in: nothing is read from the connection before it is asked for.
///
/// One task at a time reads it.
package final class HTTPBody: Sendable {
    package typealias Source = @Sendable () async throws(TransportError) -> [UInt8]?

    private let source: Source
    private let whenDropped: @Sendable () -> Void

    /// - Parameters:
    ///   - source: the next bytes; nil at the end, and from then on.
    ///   - whenDropped: runs when nobody can read on.
    init(_ source: @escaping Source, whenDropped: @escaping @Sendable () -> Void = {}) {
        self.source = source
        self.whenDropped = whenDropped
    }

    deinit { whenDropped() }

    /// The next bytes, never an empty array; nil at the end.
    package func next() async throws(TransportError) -> [UInt8]? {
        while let bytes = try await source() {
            if !bytes.isEmpty { return bytes }
        }
        return nil
    }

    /// All of it; throws `tooLarge` when more than `limitBytes` come.
    package func collect(limitBytes: Int) async throws(TransportError) -> [UInt8] {
        var whole: [UInt8] = []
        while let bytes = try await next() {
            guard whole.count + bytes.count <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
            whole.append(contentsOf: bytes)
        }
        return whole
    }
}

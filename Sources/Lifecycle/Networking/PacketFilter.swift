import CNftables
import EngineAPI
import Synchronization

/// The kernel's packet filter, by libnftables, which is loaded when it is first used. Blocking; any thread, one call
/// after another.
package final class PacketFilter: Sendable {
    private let context = Mutex<Context?>(nil)
    private let isTerse: Bool

    /// - Parameter isTerse: sets are listed without their elements, of which others' may have many.
    package init(isTerse: Bool = false) { self.isTerse = isTerse }

    /// Runs commands as nft(8) reads them: all of them, or none.
    ///
    /// - Returns: what they print.
    /// - Throws: `unavailable` where the library is missing; `internal` with the filter's words where it refuses.
    @discardableResult
    package func run(_ commands: String) throws(EngineError) -> String {
        if commands.isEmpty { return "" }
        let result: Result<String, EngineError> = context.withLock { context in
            do throws(EngineError) {
                if context == nil { context = try Context(isTerse: isTerse) }
                return .success(try context?.run(commands) ?? "")
            } catch { return .failure(error) }
        }
        switch result {
        case .success(let output): return output
        case .failure(let refusal): throw refusal
        }
    }
}

/// Safety: the pointer is touched only with the filter's mutex held.
private final class Context: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(isTerse: Bool) throws(EngineError) {
        if let failure = gantry_nftables_load() {
            throw EngineError(
                .unavailable,
                "networks need the packet filter's library (Debian: apt install libnftables1): \(String(cString: failure))"
            )
        }
        guard let pointer = gantry_nftables_make(isTerse ? 1 : 0) else {
            throw EngineError(.unavailable, "networks need the packet filter, and it cannot be opened")
        }
        self.pointer = pointer
    }

    deinit { gantry_nftables_free(pointer) }

    func run(_ commands: String) throws(EngineError) -> String {
        let status = gantry_nftables_run(pointer, commands)
        let words = gantry_nftables_error(pointer).map { String(cString: $0) } ?? ""
        let output = gantry_nftables_output(pointer).map { String(cString: $0) } ?? ""
        guard status != 0 else { return output }
        let line = words.split(separator: "\n").first.map(String.init) ?? "no reason was given"
        throw EngineError(.internal, "set packet filter rules: \(line)")
    }
}

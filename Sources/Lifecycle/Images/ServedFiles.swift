import AsyncIO
import EngineAPI

/// Looking into what a container or a volume has mounted: files that a server may hold up for ever, and so nothing that
/// the engine's own work may wait for.
package enum ServedFiles {
    /// Runs `body` on a thread that nobody else needs.
    ///
    /// - Parameters:
    ///   - subject: the container's id, the volume's name, or the path on the host, to which the files belong.
    ///   - use: what does not wait behind other looks into the same.
    /// - Throws: what `body` throws; `unavailable` where too much waits for these files already; `cancelled`.
    package static func look<Value: Sendable>(
        into subject: String, apart use: String = "", _ body: @escaping @Sendable () throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let result = await SubjectThreads.shared.run(for: subject + use) { () -> Result<Value, EngineError> in
            do throws(EngineError) { return .success(try body()) } catch { return .failure(error) }
        }
        guard let result else {
            if Task.isCancelled { throw EngineError(.cancelled, "context canceled", object: subject) }
            throw EngineError(
                .unavailable, "the files of \(subject) do not answer: too many requests wait for them already",
                object: subject)
        }
        return try result.get()
    }
}

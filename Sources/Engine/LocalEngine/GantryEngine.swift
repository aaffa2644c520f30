import AsyncIO
import EngineAPI
import Glibc
import Images
import Lifecycle
import Linux
import Storage
import Tasks

/// The engine itself, in this process.
///
/// It hosts one data root, of which it holds the lock; a second one there gets `GantryEngine.OpenError.inUse` and may use
/// the first by its socket. Containers belong to their shims: they run on when the engine goes, however it goes, and the
/// next engine on the root adopts them. It needs root.
///
/// ```swift
/// import EngineAPI
/// import LocalEngine
///
/// func hello(root: String) async throws -> String {
///     var configuration = LocalEngineConfiguration(root: root)
///     configuration.shimPath = "/usr/local/bin/gantry-shim"
///     configuration.runtimePath = "/usr/local/bin/gantry-runtime"
///     let engine = try await GantryEngine(configuration)
///     var spec = ContainerSpec(image: "gantry/starter")
///     spec.command = ["echo", "hello"]
///     let container = try await engine.create(spec, name: nil)
///     let stream = try await engine.attach(container.id, AttachRequest())
///     try await engine.start(container.id)
///     var text: [UInt8] = []
///     while let chunk = try await stream.read() {
///         if case .stdout(let bytes) = chunk { text += bytes }
///     }
///     try await engine.remove(container.id, force: true, volumes: false)
///     await engine.close()
///     return String(decoding: text, as: UTF8.self)
/// }
/// ```
public final class GantryEngine: Engine {
    /// Why an engine could not be opened.
    public enum OpenError: Error, Sendable, CustomStringConvertible {
        /// Another process hosts the data root: use that one by its socket.
        case inUse(dataRoot: String, pid: Int32?)
        case failed(EngineError)

        public var description: String {
            switch self {
            case .inUse(let dataRoot, let pid):
                "another engine uses `\(dataRoot)`" + (pid.map { " (process \($0))" } ?? "")
            case .failed(let error): error.message
            }
        }
    }

    public let configuration: LocalEngineConfiguration
    /// What is wrong without hindering the engine: no starter image, say.
    public var warnings: [String] { core.warnings.list }

    let core: EngineCore

    /// Opens the data root, takes over what a former engine left, and packs the starter image where there is no image.
    ///
    /// - Parameter note: takes a line about something that nobody asked for and nobody else will tell, as a failure to
    ///   clean up; called from any thread.
    /// - Throws: `inUse`; `failed` with `denied` where this process is not root, `unsupported` where the kernel has no
    ///   overlay file system or no cgroups are mounted.
    public init(
        _ configuration: LocalEngineConfiguration = LocalEngineConfiguration(),
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(OpenError) {
        self.configuration = configuration
        core = try await EngineCore.open(configuration, note: note)
    }

    /// Ends this engine's work and gives the data root free. Containers run on. Calls after it fail.
    public func close() async { await core.close() }

    /// Runs an action to its end, though the task that asked for it may be cancelled: it is done whole or not at all.
    ///
    /// - Parameter isTalk: it is nearly all asking a shim and being answered, and runs where the answers come in.
    func whole<Value: Sendable>(
        isTalk: Bool = false, _ body: @escaping @Sendable (EngineCore) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let core = core
        let action = { @Sendable () async -> Result<Value, EngineError> in
            do throws(EngineError) { return .success(try await body(core)) } catch { return .failure(error) }
        }
        let task = isTalk ? AsyncSocket.taskOnWaitingThread(action) : Task(operation: action)
        return try await task.value.get()
    }
}

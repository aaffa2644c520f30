/// What went wrong at the engine's boundary, in words for the person who asked.
///
/// The kind is chosen where the fact is known and never changed on the way; HTTP codes and exit codes come from it.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// No object of that name or id (HTTP 404).
        case notFound
        /// The object's state or another object forbids it (HTTP 409).
        case conflict
        /// The request itself is wrong (HTTP 400).
        case invalid
        /// Not permitted to this caller (HTTP 403).
        case denied
        /// Something needed is not there now: the engine, the disk's space (HTTP 503).
        case unavailable
        /// This engine or this kernel cannot do it (HTTP 501).
        case unsupported
        /// The caller gave up (no HTTP answer).
        case cancelled
        /// The object is already as asked: docker's 304 of start and stop.
        case notModified
        /// The program of a container was not found: exit code 127 (HTTP 400).
        case commandNotFound
        /// The program of a container cannot be executed: exit code 126 (HTTP 400).
        case commandNotExecutable
        /// A defect, or a failure with no better name (HTTP 500).
        case `internal`
    }

    public let kind: Kind
    /// The container, image or exec concerned, as the caller named it; nil where there is none.
    public let object: String?
    /// One line, docker's words where docker has some: `No such container: web`.
    public let message: String
    /// An engine over a connection has said so; else it is this process's own finding, that the connection broke for one.
    public let isAnswer: Bool

    public init(_ kind: Kind, _ message: String, object: String? = nil, isAnswer: Bool = false) {
        self.isAnswer = isAnswer
        self.kind = kind
        self.object = object
        self.message = message
    }

    public var description: String { message }

    public static func noSuchContainer(_ reference: String) -> EngineError {
        EngineError(.notFound, "No such container: \(reference)", object: reference)
    }

    public static func noSuchImage(_ reference: String) -> EngineError {
        EngineError(.notFound, "No such image: \(reference)", object: reference)
    }

    /// Whether an image is missing, in whatever case an engine puts docker's words.
    public var isNoSuchImage: Bool { kind == .notFound && message.lowercased().contains("no such image") }

    public static func noSuchExec(_ id: String) -> EngineError {
        EngineError(.notFound, "No such exec instance: \(id)", object: id)
    }
}

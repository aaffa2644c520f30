/// Whether a container is started again after its end: docker's `RestartPolicy`.
///
/// The engine does it while one runs; what fell due meanwhile is done by the next that opens the data root.
public struct RestartPolicy: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case no
        /// Also, once the machine or a daemon has been started anew, a container that somebody had stopped.
        case always
        case unlessStopped = "unless-stopped"
        /// After an exit code other than 0.
        case onFailure = "on-failure"
    }

    public var kind: Kind
    /// With `onFailure`: how often; 0 for ever.
    public var maximumRetries: Int

    public init(_ kind: Kind = .no, maximumRetries: Int = 0) {
        self.kind = kind
        self.maximumRetries = maximumRetries
    }
}

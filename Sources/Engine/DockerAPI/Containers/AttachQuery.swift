import EngineAPI

extension AttachRequest {
    /// The parameter by which a client of ours says that it would rather lose output than hold the process back. Other
    /// engines pass over it.
    package static let mayLoseQuery = "gantry-may-lose"
}

import EngineAPI

extension LifecycleMachine.Refusal {
    /// The error in docker's words.
    ///
    /// - Parameters:
    ///   - action: what was tried, as docker says it: `kill`, `pause`, `exec`.
    ///   - reference: how the caller named the container.
    package func error(_ action: String, id: String, name: String, reference: String) -> EngineError {
        EngineError(kind, message(action, id: id, name: name, reference: reference), object: reference)
    }

    private var kind: EngineError.Kind { self == .gone ? .notFound : .conflict }

    private func message(_ action: String, id: String, name: String, reference: String) -> String {
        switch self {
        case .notRunning where action == "kill":
            "Cannot kill container: \(reference): Container \(id) is not running"
        case .notRunning: "Container \(id) is not running"
        case .notPaused: "Container \(id) is not paused"
        case .alreadyPaused: "Container \(id) is already paused"
        case .startPaused: "cannot start a paused container, try unpause instead"
        case .running:
            "cannot remove container \"/\(name)\": container is running: "
                + "stop the container before removing or force remove"
        case .pausedOnRemove:
            "cannot remove container \"/\(name)\": container is paused and must be unpaused first"
        case .restarting: "Container \(id) is restarting, wait until the container is running"
        case .restartingOnRemove:
            "cannot remove container \"/\(name)\": container is restarting: "
                + "stop the container before removing or force remove"
        case .markedForRemoval: "container is marked for removal and cannot be started"
        case .dead: "container is marked as dead and cannot be started"
        case .removalInProgress: "removal of container \(name) is already in progress"
        case .gone: "No such container: \(reference)"
        }
    }
}

import EngineAPI

/// How a container's state is told: in a letter, a shape, a colour.
extension ContainerState {
    /// It runs, and its health checks say that it does not do well.
    var isSick: Bool { isAlive && health?.status == .unhealthy }
}

extension ContainerStatus {
    /// Those that run first.
    var rank: Int {
        switch self {
        case .running: 0
        case .restarting: 1
        case .paused: 2
        case .created: 3
        case .removing: 4
        case .exited: 5
        case .dead: 6
        }
    }

    /// One letter, so that the state is told without colour.
    var letter: Character {
        switch self {
        case .running: "R"
        case .restarting: "S"
        case .paused: "P"
        case .created: "C"
        case .removing: "D"
        case .exited: "E"
        case .dead: "X"
        }
    }

    /// A shape for each state.
    var shape: Character {
        switch self {
        case .running: "●"
        case .restarting: "↻"
        case .paused: "◫"
        case .created: "○"
        case .removing: "⌫"
        case .exited: "■"
        case .dead: "✗"
        }
    }

    func role(exitCode: Int32) -> Role {
        switch self {
        case .running, .restarting: .stateRunning
        case .paused: .statePaused
        case .created: .stateCreated
        case .exited: exitCode == 0 ? .stateExited : .stateFailed
        case .removing, .dead: .stateFailed
        }
    }
}

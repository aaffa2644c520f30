/// From the wish to start to the process that runs.
extension LifecycleMachine {
    mutating func starting(_ rest: Rest, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .launched(let initial, let time):
            restarts.settle()
            let run = Run(initial: initial, startedAt: time)
            if let ending { return end(run, ending, restarting: false, telling: [.start]) }
            return become(.running(run), .record([.start]))
        case .launchFailed(let failure): return fail(rest, failure)
        case .launchPutOff: return putOff(rest)
        case .exited(let exit): phase = .starting(rest, .exited(exit))
        case .lost(let time): phase = .starting(rest, ending ?? .lost(time))
        default: return input.isCommand ? .join : .done
        }
        return .done
    }

    /// A container that never ran stays "created", with the failure's exit code, as docker has it. A start that the policy
    /// wanted leaves the last run's exit code, and is tried again.
    private mutating func fail(_ rest: Rest, _ failure: StartFailure) -> Output {
        var rest = rest
        if restarts.pending == nil { rest.exitCode = failure.exitCode }
        rest.error = failure.message
        restarts.failStart(exitCode: failure.exitCode)
        if let pause = restarts.pending {
            return become(.waiting(rest), .record([]), .wait(pause, retry: restarts.count))
        }
        if removesItself { return become(.removing(rest), .record([]), .deleteContents) }
        return become(rest.finishedAt == nil ? .created(rest) : .exited(rest), .record([]))
    }

    /// The last run is told of as before. A start that the policy wants is still due, and counted once.
    private mutating func putOff(_ rest: Rest) -> Output {
        if let pause = restarts.pending {
            return become(.waiting(rest), .wait(max(pause, Self.shortestPatience), retry: restarts.count))
        }
        return become(rest.finishedAt == nil ? .created(rest) : .exited(rest))
    }

    private static let shortestPatience = Duration.seconds(1)
}

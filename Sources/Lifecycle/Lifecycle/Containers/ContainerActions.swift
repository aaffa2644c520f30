import EngineAPI
import Tasks

/// Performing what the machine says. All of it runs in the container's chain.
extension Container {
    /// - Returns: the first failure, if it is one that the asker must hear of.
    func perform(_ actions: [LifecycleMachine.Action]) async -> EngineError? {
        var failure: EngineError?
        for action in actions {
            let one = await perform(action)
            failure = failure ?? one
        }
        return failure
    }

    private func perform(_ action: LifecycleMachine.Action) async -> EngineError? {
        switch action {
        case .launch: return await launch()
        case .signal(let number): return await signal(number)
        case .killAll: return await killAll()
        case .freeze:
            return await freezer(.frozen, .freezeFailed) { (tasks, id) throws(EngineError) in try await tasks.pause(id)
            }
        case .thaw:
            return await freezer(.thawed, .thawFailed) { (tasks, id) throws(EngineError) in try await tasks.resume(id) }
        case .record(let happenings):
            await record(happenings)
            return nil
        case .deleteTask:
            await deleteTask()
            return nil
        case .wait(let pause, let number):
            waitToRestart(pause, number)
            return nil
        case .deleteContents: return await deleteContents()
        }
    }

    /// Outside of the chain: whatever comes during the pause is done at once.
    private func waitToRestart(_ pause: Duration, _ number: Int) {
        guard !isRetired else { return }
        let clock = context.clock
        restartTimer = Task { [weak self] in
            // Cancelled: something else came first, or the engine goes.
            guard (try? await clock.sleep(for: pause)) != nil else { return }
            await self?.retry(number)
        }
    }

    private func retry(_ number: Int) {
        if !isRetired { report(.retry(number)) }
    }

    /// Reports what came of an action, and performs what follows, before anything else of the chain.
    func settle(_ input: LifecycleMachine.Input) async -> EngineError? {
        if case .perform(let actions) = receive(input) { return await perform(actions) }
        return nil
    }

    /// A process that has ended meanwhile has what the signal was for.
    private func signal(_ number: Int32) async -> EngineError? {
        do throws(EngineError) {
            try await context.tasks.kill(id, execID: nil, signal: number)
        } catch {
            if error.kind == .conflict || error.kind == .notFound { return nil }
            return error
        }
        context.faults.pass(.stopAfterSignal)
        await record([event("kill", ["signal": String(number)])])
        return nil
    }

    private func killAll() async -> EngineError? {
        // Asked before: the end that this makes is told of at once.
        let endsRun = machine.run != nil
        do throws(EngineError) {
            try await context.tasks.killAll(id, traces, reporting: endsRun)
        } catch { return error }
        context.faults.pass(.stopAfterKill)
        if endsRun { await record([event("kill", ["signal": "9"])]) }
        return nil
    }

    private func freezer(
        _ success: LifecycleMachine.Input, _ failure: LifecycleMachine.Input,
        _ body: (any TaskService, String) async throws(EngineError) -> Void
    ) async -> EngineError? {
        do throws(EngineError) {
            try await body(context.tasks, id)
        } catch {
            _ = await settle(failure)
            return error
        }
        return await settle(success)
    }
}

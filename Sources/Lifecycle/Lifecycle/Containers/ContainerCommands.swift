import EngineAPI
import Glibc
import Linux
import Storage
import Tasks

/// What callers ask of a container. Each is whole once begun: who calls may be cancelled, the action is not.
extension Container {
    package func start(_ reference: String) async throws(EngineError) {
        guard try await command(.start, "start", reference) else {
            throw EngineError(.notModified, "Container \(reference) is already started", object: reference)
        }
    }

    /// The signal, then after the time the end of every process by the cgroup.
    package func stop(
        _ reference: String, signal: String?, timeoutSeconds: Int?, restarting: Bool = false
    ) async throws(EngineError) {
        let number = try Self.number(signal ?? definition.stopSignal)
        let count = endCount
        guard try await command(.stop(signal: number, restarting: restarting), "stop", reference) else {
            throw EngineError(.notModified, "Container \(reference) is already stopped", object: reference)
        }
        // Between an end and a restart there is no process to wait for.
        guard machine.run != nil || endCount > count else { return await tell("stop") }
        let seconds = timeoutSeconds ?? definition.spec.stopTimeoutSeconds ?? 10
        if await !ended(after: count, within: seconds < 0 ? nil : .seconds(min(seconds, Self.longestPatience))) {
            _ = try await command(.escalate, "stop", reference)
            try await expectEnd(after: count, reference)
        }
        await tell("stop")
    }

    /// In seconds: 68 years. A clock cannot count to much more.
    private static let longestPatience = 1 << 31

    package func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        do throws(EngineError) {
            try await stop(reference, signal: signal, timeoutSeconds: timeoutSeconds, restarting: true)
        } catch {
            guard error.kind == .notModified else {
                report(.restartGivenUp)
                throw error
            }
        }
        do throws(EngineError) { try await start(reference) } catch  where error.kind == .notModified {}
        await tell("restart")
    }

    /// Goes on with a restart in the middle of which a former engine went, with the container's own signal and time: what
    /// was asked for then is not known any more. Like what somebody asks for, it is not given up with this engine's end.
    func finishInterruptedRestart() {
        Task {
            do throws(EngineError) { try await restart(id, signal: nil, timeoutSeconds: nil) } catch {
                context.note("container \(name): restart it: \(error.message)")
            }
        }
    }

    package func kill(_ reference: String, signal: String) async throws(EngineError) {
        let number = try Self.number(signal)
        let ends = number == SIGKILL || number == Signal.number(definition.stopSignal)
        let count = endCount
        _ = try await command(.kill(signal: number, ends: ends), "kill", reference)
        // As docker: after a SIGKILL the container is not running any more.
        if number == SIGKILL, machine.run != nil { try await expectEnd(after: count, reference) }
    }

    package func pause(_ reference: String) async throws(EngineError) {
        guard context.host.hasCgroups else {
            throw EngineError(
                .unsupported,
                "cannot pause container \(reference): it has no cgroup, since none of version 2 is delegated to this user",
                object: reference)
        }
        _ = try await command(.pause, "pause", reference)
    }

    package func unpause(_ reference: String) async throws(EngineError) {
        _ = try await command(.unpause, "unpause", reference)
    }

    /// - Parameter volumes: with the volumes that have no name. A removal that was refused, or failed, has no say in that of a
    ///   later one.
    package func remove(_ reference: String, force: Bool, volumes: Bool = false) async throws(EngineError) {
        var isBegun = false
        while true {
            let generation = changed.generation
            if isBegun {
                switch machine.phase {
                case .removed: return
                case .dead(_, let reason): throw EngineError(.internal, reason, object: reference)
                case .ending, .removing:
                    // One that removes itself at its end does so now.
                    await changed.wait(after: generation)
                    continue
                default: break
                }
            }
            let count = endCount
            _ = try await command(.remove(force: force), "remove", reference) { removesVolumes = volumes }
            isBegun = true
            if case .stopping = machine.phase { try await expectEnd(after: count, reference) }
        }
    }

    package func rename(_ reference: String, to new: String) async throws(EngineError) {
        // Whole in the chain: of two that overlap, the second begins with the name that the first has left it.
        let failure = await inChain { container in
            do throws(EngineError) {
                try await container.take(name: new, reference)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    private func take(name new: String, _ reference: String) async throws(EngineError) {
        switch machine.phase {
        case .removing:
            throw LifecycleMachine.Refusal.removalInProgress.error("rename", id: id, name: name, reference: reference)
        case .removed: throw LifecycleMachine.Refusal.gone.error("rename", id: id, name: name, reference: reference)
        default: break
        }
        let old = name
        guard new != old else {
            throw EngineError(
                .invalid, "Renaming a container with the same name as its current name", object: reference)
        }
        do throws(EngineError) {
            try ContainerName.check(new)
            guard context.index.claim(name: new, for: id) else {
                throw ContainerName.inUse(new, by: context.index.owner(ofName: new) ?? "")
            }
        } catch { throw EngineError(error.kind, "Error when allocating new name: \(error.message)", object: new) }
        do throws(EngineError) {
            if isNetworked { try await context.networks.rename(id, to: new) }
            try await commit(name: new, insteadOf: old)
        } catch {
            await takeBackNetworkName()
            context.index.release(name: new, of: id)
            throw error
        }
        context.index.release(name: old, of: id)
        context.index.raise(definition.spec.links.compactMap(\.id))
    }

    /// In its networks, too, it is called as before.
    private func takeBackNetworkName() async {
        guard isNetworked else { return }
        do throws(EngineError) { try await context.networks.rename(id, to: name) } catch {
            context.note("container \(id): \(error)")
        }
    }

    private func commit(name new: String, insteadOf old: String) async throws(EngineError) {
        var event = event("rename", ["oldName": "/" + old])
        event.attributes["name"] = new
        do {
            let numbers = try await context.store.commit(.rename(id: id, name: new), [EventRow(event)])
            name = new
            context.events.publish([event], numbers: numbers)
        } catch {
            throw error.kind == .duplicate ? ContainerName.inUse(new, by: "") : EngineError(error, object: id)
        }
    }

    private func expectEnd(after count: Int, _ reference: String) async throws(EngineError) {
        guard await ended(after: count, within: .seconds(10)) else {
            throw EngineError(
                .internal, "tried to kill container \(reference), but did not receive an exit event", object: reference)
        }
    }

    private static func number(_ signal: String) throws(EngineError) -> Int32 {
        guard let number = Signal.number(signal), number > 0 else {
            throw EngineError(.invalid, "invalid signal: \(signal)")
        }
        return number
    }
}

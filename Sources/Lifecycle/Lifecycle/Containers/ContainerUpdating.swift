import AsyncIO
import EngineAPI
import JSON
import Linux
import OCI
import Storage
import Tasks

/// Other limits and another restart policy for a container that exists.
///
/// The row says first what is wanted, and that it is not done yet; then the cgroup is changed; then the row says that it
/// is done. An engine that dies in between leaves it to the next.
extension Container {
    package func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        switch machine.phase {
        case .removing, .dead, .removed:
            throw EngineError(
                .conflict,
                "Cannot update container \(id): Container is marked for removal and cannot be \"update\".",
                object: reference)
        default: break
        }
        let (_, warnings) = try planned(reference, update)
        let failure = await inChain { container in
            do throws(EngineError) {
                // From what is true now: another update may have come first.
                let wanted = try container.planned(reference, update).0
                do throws(EngineError) { try await container.perform(wanted) } catch {
                    throw container.complaint(error, reference)
                }
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
        return warnings
    }

    private func complaint(_ error: EngineError, _ reference: String) -> EngineError {
        EngineError(error.kind, "Cannot update container \(id): \(error.message)", object: reference)
    }

    /// What the container is to be made from, and what is granted otherwise than asked. What no container may be made
    /// from is told of in the words that a creation has for it, as on docker.
    private func planned(
        _ reference: String, _ update: ContainerUpdate
    ) throws(EngineError) -> (ContainerDefinition, [String]) {
        var new = definition
        do throws(EngineError) { try new.spec.change(by: update) } catch { throw complaint(error, reference) }
        let warnings = try SpecValidation.check(new.spec, host: context.host)
        new.spec.limits = new.spec.limits.kept(by: context.host)
        return (new, warnings)
    }

    private func perform(_ wanted: ContainerDefinition) async throws(EngineError) {
        let old = definition
        var new = wanted
        new.isUpdating = true
        try await commit(new, [])
        context.faults.pass(.updateAfterIntent)
        do throws(EngineError) {
            if old.spec.limits != new.spec.limits { try await applyLimits(new) }
        } catch {
            try await commit(old, [])
            throw error
        }
        context.faults.pass(.updateAfterLimits)
        try await finishUpdate(new)
        context.faults.pass(.updateAfterRow)
    }

    /// Finishes what an engine that died had begun.
    package func finishInterruptedUpdate() async {
        guard definition.isUpdating else { return }
        let failure = await inChain { container in
            do throws(EngineError) {
                try await container.applyLimits(container.definition)
                try await container.finishUpdate(container.definition)
                return nil
            } catch { return error }
        }.value
        if let failure { context.note("container \(id): \(failure)") }
    }

    private func finishUpdate(_ definition: ContainerDefinition) async throws(EngineError) {
        var done = definition
        done.isUpdating = false
        try await commit(done, [event("update")])
        machine.adopt(done.spec.restartPolicy)
    }

    private func applyLimits(_ definition: ContainerDefinition) async throws(EngineError) {
        guard let run = machine.run else { return }
        let limits = definition.spec.limits
        let devices = try await BlockingPool.shared.run { () throws(EngineError) in try limits.blockDevices() }
        let resources = LimitResources(limits: limits, host: context.host, devices: devices).explicitResources
        do throws(EngineError) {
            try await context.tasks.update(id, resources: resources.json.compactBytes)
        } catch {
            // One whose end is about to be told has them at its next start, as any other that does not run.
            if await isRunning(run.initial) { throw error }
        }
    }

    private nonisolated func isRunning(_ process: ProcessIdentity) async -> Bool {
        await BlockingPool.shared.run {
            guard let stat = try? ProcessStat.read(pid: process.pid) else { return false }  // Gone.
            return stat.startTicks == process.startTicks && !stat.isEnded
        }
    }

    func commit(_ definition: ContainerDefinition, _ events: [EngineEvent]) async throws(EngineError) {
        let text = try definition.text()
        do {
            let numbers = try await context.store.commit(
                .definition(id: id, text), events.map(EventRow.init))
            set(definition: definition)
            context.events.publish(events, numbers: numbers)
        } catch {
            throw EngineError(error, object: id)
        }
    }
}

extension ContainerSpec {
    fileprivate mutating func change(by update: ContainerUpdate) throws(EngineError) {
        limits = try limits.updated(by: update.limits)
        guard let policy = update.restartPolicy else { return }
        if autoRemove, policy.kind != .no {
            throw EngineError(
                .conflict, "Restart policy cannot be updated because AutoRemove is enabled for the container")
        }
        restartPolicy = policy
    }
}

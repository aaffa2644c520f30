import AsyncIO
import EngineAPI
import Linux
import Storage
import Tasks

/// What follows the end of a container's process, and its removal, in its chain.
extension Container {
    /// The task has ended: what it held is given back.
    func deleteTask() async {
        hasTask = false
        shim = nil
        if debt.isOwed { debt.holdsTask = true } else { await endTask() }
        await tellOfDetachment()
        await releaseNetworks()
        await context.volumes.release(definition.spec.mounts, of: id)
        endExecs()
        context.faults.pass(.endAfterTask)
        _ = await settle(.settled)
    }

    /// Once its end is committed: the shim, and what it was started from.
    func endTask() async {
        debt.holdsTask = false
        do throws(EngineError) {
            try await context.tasks.delete(id, traces)
            hasRemains = false
        } catch {
            hasRemains = true
            context.note("container \(id): \(error)")
        }
        await removeTree(context.roots.bundle(id))
    }

    /// Removes the container with all it owns.
    func deleteContents() async -> EngineError? {
        context.faults.pass(.removeAfterMark)
        // Where there is no space for it, what is removed now makes some.
        try? await payDebt()
        do throws(EngineError) {
            // One that is held is all that knows of its end, and goes with the root.
            if hasRemains, !debt.holdsTask { try await clearTask() }
            try await context.images.removeRoot(containerID: id)
            context.faults.pass(.removeAfterRoot)
            // Its mount keeps on the disk what was removed; and without the root nobody asks how it ended.
            if debt.holdsTask { await endTask() }
            if hasRemains { try await clearTask() }
            await removeTree(context.roots.bundle(id))
            await removeTree(context.roots.files(id))
            context.faults.pass(.removeAfterFiles)
            if isNetworked { try await context.networks.leave(id) }
            // While its row still names them.
            if removesVolumes || definition.spec.autoRemove { await removeAnonymousVolumes() }
            context.faults.pass(.removeAfterVolumes)
            try await deleteRow()
        } catch {
            let failure = EngineError(
                error.kind, "driver failed to remove root filesystem: \(error.message)", object: id)
            _ = await settle(.removeFailed(failure.message))
            return failure
        }
        context.faults.pass(.removeAfterRow)
        context.index.remove(id)
        endStreams()
        return await settle(.removed)
    }

    private func removeAnonymousVolumes() async {
        do throws(EngineError) {
            let removed = try await context.volumes.removeAnonymous(definition.spec.mounts, of: id)
            await context.tell("destroy", volumes: removed)
        } catch {
            context.note("container \(id): \(error)")
        }
    }

    private func deleteRow() async throws(EngineError) {
        let events = pendingEvents + [event("destroy")]
        do {
            let numbers = try await context.store.commit(.delete(id: id), events.map(EventRow.init))
            context.events.publish(events, numbers: numbers)
        } catch {
            throw EngineError(error, object: id)
        }
        pendingEvents = []
        debt.isOwed = false
        debt.collector?.cancel()
    }

    /// What cannot be removed is found again when the container's id is; it is not worth failing for.
    func removeTree(_ path: String) async {
        do {
            try await BlockingPool.shared.run { () throws(KernelError) in try Directory.removeTree(path) }
        } catch {
            context.note("container \(id): remove `\(path)`: \(error)")
        }
    }
}

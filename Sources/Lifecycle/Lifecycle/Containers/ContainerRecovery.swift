import EngineAPI
import Linux
import Storage
import Tasks

extension ContainerService {
    /// Takes over what a former engine left: adopts what runs, records what ended, finishes or undoes what was begun.
    ///
    /// - Parameter startsByPolicy: whether policies start what rests here as they do with the machine: `always` has no
    ///   memory of a stop by hand then.
    package func recover(startsByPolicy: Bool = false) async throws(EngineError) {
        let rows: [ContainerRow]
        do { rows = try await context.store.containers() } catch { throw EngineError(error) }
        let facts = try await survey(rows)
        let known = Dictionary(facts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let plan = Reconciliation(rows: rows, facts: facts, bootID: context.bootID, now: .now())
        var work: [(Container, [LifecycleMachine.Action])] = []
        var restarting: [Container] = []
        for row in rows {
            guard let planned = plan.containers[row.id] else { continue }
            // A row that cannot be read is kept as it is: a later version may know it.
            guard let definition = definition(of: row) else { continue }
            let restarts = RestartPlan(
                definition.spec.restartPolicy, count: row.state.restartCount, isStoppedByHand: row.state.isStoppedByHand
            )
            var decision = definition.spec.autoRemove ? planned.disposed : planned
            if startsByPolicy || row.state.bootID != context.bootID {
                decision = decision.startedWithMachine(by: restarts)
            }
            let container = adopt(row, definition, decision.phase, restarts, known[row.id]?.shim)
            await container.adoptExecs(running: known[row.id]?.execs ?? [:])
            if definition.health != nil { await container.adoptHealth(row.state.health) }
            work.append((container, decision.actions))
            if decision.isRestarting { restarting.append(container) }
        }
        await withTaskGroup(of: Void.self) { group in
            for (container, actions) in work where !actions.isEmpty {
                group.addTask { await container.recover(actions) }
            }
            for (container, _) in work where container.definition.isUpdating {
                group.addTask { await container.finishInterruptedUpdate() }
            }
            for (container, _) in work {
                group.addTask {
                    await container.finishInterruptedCommit()
                    await container.endOrphanedInput()
                }
            }
            for row in rows where plan.unmade.contains(row.id) { group.addTask { await self.undo(row) } }
            for id in plan.strays { group.addTask { await self.clear(id) } }
        }
        await takeOverNetworks()
        for container in restarting { await container.finishInterruptedRestart() }
        // Roots of containers that no row knows, and what only those needed.
        let made = Set(rows.map(\.id)).subtracting(plan.unmade)
        do throws(EngineError) { try await context.images.collectGarbage(containers: made) } catch {
            context.note("collect garbage: \(error)")
        }
    }

    /// What the shims say. One that does not answer soon is asked again, with patience, where its container would be ended
    /// for that; of one that runs by its row that stands until more is heard.
    private func survey(_ rows: [ContainerRow]) async throws(EngineError) -> [TaskFacts] {
        let living = Dictionary(
            rows.filter(\.state.hasProcess).map { ($0.id, $0.name) },
            uniquingKeysWith: { first, _ in first })
        var certain: [TaskFacts] = []
        var silent: [String] = []
        for facts in try await context.tasks.survey() {
            guard facts.status == .unreachable else {
                certain.append(facts)
                continue
            }
            if let name = living[facts.id] {
                context.note("WARNING: the shim of container \(name) does not answer: it is shown as last known")
                certain.append(facts)
            } else {
                silent.append(facts.id)
            }
        }
        return certain + (try await insist(silent))
    }

    /// Asks shims with all patience, one beside the other.
    private func insist(_ ids: [String]) async throws(EngineError) -> [TaskFacts] {
        let tasks = context.tasks
        let answers = await withTaskGroup(of: Result<TaskFacts?, EngineError>.self) { group in
            for id in ids {
                group.addTask {
                    do throws(EngineError) { return .success(try await tasks.survey(id)) } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var found: [TaskFacts] = []
        for answer in answers {
            if let facts = try answer.get() { found.append(facts) }
        }
        return found
    }

    /// Where containers run in networks, what the former engine had begun with those is finished now.
    private func takeOverNetworks() async {
        for container in context.index.all where container.isNetworked {
            guard await container.run != nil else { continue }
            do throws(EngineError) { try await context.networks.takeOver() } catch {
                context.note("take over networks: \(error)")
            }
            return
        }
    }

    private func adopt(
        _ row: ContainerRow, _ definition: ContainerDefinition, _ phase: LifecycleMachine.Phase,
        _ restarts: RestartPlan, _ shim: ProcessIdentity?
    ) -> Container {
        let container = Container(
            id: row.id, name: row.name, definition: definition,
            createdAt: Timestamp(nanosecondsSinceEpoch: row.createdAt), phase: phase,
            restarts: restarts, shim: shim, launch: LaunchText.steps(row.state.launch),
            removesVolumes: row.state.removesVolumes, initial: initial(row.state), context: context)
        _ = context.index.claim(name: row.name, for: row.id)
        context.index.add(container)
        return container
    }

    /// The process that a row tells of: in another boot its number is another's.
    private func initial(_ state: ContainerRow.State) -> ProcessIdentity? {
        guard state.bootID == context.bootID, state.pid > 0 else { return nil }
        return ProcessIdentity(pid: state.pid, startTicks: state.pidStartTicks)
    }

    /// Ends and cleans away a task that no container has.
    private func clear(_ id: String) async {
        do throws(EngineError) {
            try await context.tasks.killAll(id, TaskTraces(), reporting: false)
            try await context.tasks.delete(id)
        } catch {
            context.note("task \(id): \(error)")
        }
    }
}

extension ContainerRow.State {
    /// Whether it had a process when this was written.
    fileprivate var hasProcess: Bool { phase == .running || phase == .paused || phase == .restarting && pid > 0 }
}

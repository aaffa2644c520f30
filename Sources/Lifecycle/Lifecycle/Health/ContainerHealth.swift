import EngineAPI
import Glibc
import JSON
import OCI
import Storage
import Synchronization

/// Checking a container's health while its process runs and is not paused.
extension Container {
    /// Begins or ends the checks as the phase has it; called at each change of it.
    func watchHealth() {
        var isWatched = false
        switch machine.phase {
        case .running, .stopping: isWatched = true
        default: break
        }
        guard isWatched, !isRetired, let plan = HealthPlan(definition.health), let run = machine.run else {
            healthTask?.cancel()
            healthTask = nil
            return
        }
        guard healthTask == nil else { return }
        health = health ?? HealthMachine(plan)
        healthTask = Task { [weak self, clock = context.clock] in
            while !Task.isCancelled {
                guard let pause = await self?.pauseBeforeCheck(run) else { return }
                // Cancelled with the task.
                guard (try? await clock.sleep(for: pause)) != nil else { return }
                await self?.check(run)
            }
        }
    }

    /// Another run begins: what was found before is still told, but nothing of it holds.
    func forgetHealth() {
        let log = health?.state.log ?? []
        health = HealthPlan(definition.health).map { HealthMachine($0, log: log) }
    }

    /// As the row keeps it; empty where nothing is checked.
    var healthText: String { health.map { Self.text($0.state) } ?? "" }

    private static func text(_ state: HealthState) -> String {
        // A value of plain members: it can always be written.
        (try? JSONValue(encoding: state).compactText) ?? ""
    }

    /// Goes on with what a former engine found.
    func adoptHealth(_ text: String) {
        guard let plan = HealthPlan(definition.health) else { return }
        // Nothing to read, or of a later version: it begins anew.
        let state = try? JSONValue(parsing: text).decoded(as: HealthState.self)
        health = HealthMachine(plan, state: state ?? HealthState())
        watchHealth()
    }

    private func pauseBeforeCheck(_ run: LifecycleMachine.Run) -> Duration? {
        health?.pause(startedAt: run.startedAt, now: .now())
    }

    private func check(_ run: LifecycleMachine.Run) async {
        guard let plan = health?.plan, !Task.isCancelled else { return }
        let result = await HealthProbe(plan: plan, container: self).result()
        // The run may have ended meanwhile: then its health is of no interest any more.
        guard machine.run == run, !Task.isCancelled, var health else { return }
        let isNews = health.receive(result, startedAt: run.startedAt)
        let events = isNews ? [event("health_status: " + health.state.status.rawValue)] : []
        let text = Self.text(health.state)
        let found = health
        _ = await inChain { container in
            guard container.machine.run == run else { return nil }
            do {
                let numbers = try await container.context.store.commit(
                    .health(id: container.id, text), events.map(EventRow.init))
                container.context.events.publish(events, numbers: numbers)
            } catch { container.context.note("container \(container.id): \(error)") }
            // Told only now: who sees the news finds the event, too.
            container.health = found
            return nil
        }.value
        changed.notify()
    }
}

/// One check: an exec, which is killed when it takes too long.
private struct HealthProbe: Sendable {
    let plan: HealthPlan
    let container: Container

    func result() async -> HealthResult {
        let start = Timestamp.now()
        let (code, output) = await run()
        return HealthResult(start: start, end: .now(), exitCode: code, output: output)
    }

    private func run() async -> (Int32, String) {
        let execID: String
        do throws(EngineError) {
            execID = try await container.createExec(container.id, ExecSpec(command: plan.command), isNoted: false)
        } catch { return (-1, error.message) }
        let outcome = await run(execID)
        await container.forget(exec: execID)
        return outcome
    }

    private func run(_ execID: String) async -> (Int32, String) {
        do throws(EngineError) {
            guard let stream = try await container.startExec(execID, size: nil, attached: true) else {
                return (-1, "the check has no output to read")
            }
            let outcome = await outcome(execID, stream)
            await stream.close()
            return outcome
        } catch { return (-1, error.message) }
    }

    private func outcome(_ execID: String, _ stream: any AttachedStream) async -> (Int32, String) {
        let container = container
        let (timeout, clock) = (plan.timeout, container.context.clock)
        let heard = HeardOutput()
        return await withTaskGroup(of: (Int32, String)?.self) { group in
            group.addTask { await Self.read(stream, heard, execID, container) }
            group.addTask {
                // Cancelled when the check has ended first.
                guard (try? await clock.sleep(for: timeout)) != nil else { return nil }
                let output = heard.text
                let words = "Health check exceeded timeout (\(GoDuration.text(nanoseconds: timeout.nanoseconds)))"
                return (-1, output.isEmpty ? words : "\(words): \(output)")
            }
            let first = await group.next() ?? nil
            if first?.0 == -1 {
                // It may have ended in this moment: then there is nothing to end.
                try? await container.context.tasks.kill(container.id, execID: execID, signal: SIGKILL)
            }
            await stream.close()
            group.cancelAll()
            return first ?? (-1, "the check was given up")
        }
    }

    private static func read(
        _ stream: any AttachedStream, _ heard: HeardOutput, _ execID: String, _ container: Container
    ) async -> (Int32, String) {
        do throws(EngineError) {
            while let chunk = try await stream.read() {
                switch chunk {
                case .stdout(let more), .stderr(let more): heard.add(more)
                case .lost: break
                }
            }
            let code = try await container.execDetails(execID).exitCode ?? -1
            return (code, heard.text)
        } catch {
            return (-1, error.message)
        }
    }
}

extension Duration {
    /// Of a span that is not below zero, as far as there is a number for it.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        let (whole, isBeyond) = UInt64(max(0, seconds)).multipliedReportingOverflow(by: 1_000_000_000)
        return isBeyond ? .max : whole + UInt64(max(0, attoseconds) / 1_000_000_000)
    }
}

/// What a check has said so far, up to docker's limit; what was cut ends as docker ends it.
private final class HeardOutput: Sendable {
    private static let limitBytes = 4096

    private let heard = Mutex<(bytes: [UInt8], isCut: Bool)>(([], false))

    var text: String { heard.withLock { String(decoding: $0.bytes, as: UTF8.self) + ($0.isCut ? "..." : "") } }

    func add(_ more: [UInt8]) {
        heard.withLock { heard in
            let room = Self.limitBytes - heard.bytes.count
            heard.bytes += more.prefix(room)
            heard.isCut = heard.isCut || more.count > room
        }
    }
}

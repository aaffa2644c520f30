import EngineAPI

/// A container from a form to a program that runs, in steps that can be undone until it does.
extension ActionRunner {
    /// Create, attach, start. What fails, or is given up, before it runs is undone, so that the same form can be sent again.
    func run(
        _ spec: ContainerSpec, _ name: String?, _ size: TerminalSize
    ) async throws(EngineError) -> JobResult {
        let made = try await make(spec, name)
        do throws(EngineError) { try await begin(made.id, spec) } catch {
            await discard(made.id)
            throw error
        }
        return await outcome(made, spec, name, size)
    }

    /// Created, and part of all of its networks.
    func make(_ spec: ContainerSpec, _ name: String?) async throws(EngineError) -> CreatedContainer {
        // Not every engine makes one that is part of several networks at once.
        let beside = spec.networksBeside
        var first = spec
        for network in beside.keys { first.networks[network] = nil }
        let created = try await create(first, name)
        do throws(EngineError) {
            for (network, endpoint) in beside.sorted(by: { $0.key < $1.key }) {
                try await engine.connect(created.id, to: network, endpoint)
            }
        } catch {
            await discard(created.id)
            throw error
        }
        return created
    }

    /// Attached to before it is started, so that no byte of output is lost.
    func begin(_ id: String, _ spec: ContainerSpec) async throws(EngineError) {
        await shelf.put(try await engine.attach(id, AttachRequest(stdin: spec.openStdin)), of: spec, for: id)
        try await engine.start(id)
    }

    /// Of one that was not started. The error that led here is the one to tell: a container that cannot be removed stays in
    /// the list, to be seen.
    func discard(_ id: String) async {
        await shelf.take(id)?.stream.close()
        _ = await insist { engine throws(EngineError) in try await engine.remove(id, force: true, volumes: true) }
    }

    /// What there is to say of one that was started. It runs, whatever is heard of it and whether or not somebody has
    /// given up meanwhile: so this does not fail.
    func outcome(
        _ made: CreatedContainer, _ spec: ContainerSpec, _ name: String?, _ size: TerminalSize
    ) async -> JobResult {
        await Task { [self] () -> JobResult in
            // A program that has ended already has no window to size.
            if spec.tty { try? await engine.resize(made.id, to: size) }
            do throws(EngineError) {
                return .created(try await summary(made.id), warnings: made.warnings)
            } catch {
                await shelf.take(made.id)?.stream.close()
                let name = name ?? String(made.id.prefix(12))
                let isGone = error.kind == .notFound
                return .done(isGone ? "\(name) has ended and was removed" : "\(name) was started; \(error.message)")
            }
        }.value
    }

    /// Does what has to be done whatever has become of who asked: in a task of its own, since that of somebody who has given
    /// up is cancelled, and again for a while where the engine does not answer.
    ///
    /// - Returns: why it could not be done; nil where it was.
    func insist(_ step: @escaping @Sendable (any Engine) async throws(EngineError) -> Void) async -> EngineError? {
        await Task { [engine] () -> EngineError? in
            var failure: EngineError?
            for _ in 0..<Self.attempts {
                do throws(EngineError) {
                    try await step(engine)
                    return nil
                } catch { failure = error }
                guard let failure, failure.kind == .unavailable, !failure.isAnswer else { break }
                // Nobody cancels this task.
                try? await Task.sleep(for: Self.pause)
            }
            return failure
        }.value
    }

    /// Together longer than another process takes to host the engine, or a daemon to be there again.
    private static let attempts = 40
    private static let pause = Duration.milliseconds(500)

    /// What is not in the store is pulled first, as docker's client does.
    private func create(_ spec: ContainerSpec, _ name: String?) async throws(EngineError) -> CreatedContainer {
        do throws(EngineError) { return try await engine.create(spec, name: name) } catch {
            guard error.isNoSuchImage else { throw error }
        }
        let images = ImageActions(engine: engine, credentials: credentials, report: report)
        _ = try await images.perform(.pull(spec.image))
        return try await engine.create(spec, name: name)
    }

    private func summary(_ id: String) async throws(EngineError) -> ContainerSummary {
        var filter = ContainerFilter(all: true)
        filter.ids = [id]
        guard let row = try await engine.containers(filter).first else { throw EngineError.noSuchContainer(id) }
        return row
    }
}

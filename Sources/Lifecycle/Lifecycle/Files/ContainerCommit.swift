import AsyncIO
import EngineAPI
import Glibc
import Images
import JSON
import Linux
import OCI

/// An image of what a container is now.
///
/// Its processes rest while its files are read. A file says that this pause is the engine's, so that an engine that dies
/// in between leaves no container frozen: the next one lets it go on.
extension Container {
    /// - Parameter whenMade: called with the image before the container's own event is told.
    package func commit(
        _ reference: String, _ request: ContainerCommitRequest, whenMade: @Sendable (ImageRecord) async -> Void
    ) async throws(EngineError) -> ImageRecord {
        try checkCommit(reference)
        let base = try await context.images.resolve(definition.imageID)
        let own = MountPointNames(definition.spec)
        let wanted = ContainerCommit(
            containerID: id, baseID: definition.imageID, execution: definition.committed(over: base.config.execution),
            createdBy: definition.arguments.joined(separator: " "), request: request,
            isLeftOut: { own.contains($0) })
        let isPaused = request.pauses ? try await pauseForCommit(reference) : false
        context.faults.pass(.commitAfterPause)
        let image = try await context.images.commit(wanted) {
            if isPaused { await self.endCommitPause() }
        }
        await whenMade(image)
        await tell(
            "commit",
            ["comment": request.message, "imageID": image.id.description, "imageRef": image.familiarName(request.name)])
        return image
    }

    private func checkCommit(_ reference: String) throws(EngineError) {
        switch machine.phase {
        case .removing, .removed:
            throw EngineError(
                .conflict, "You cannot commit container \(id) which is being removed", object: reference)
        case .dead:
            throw EngineError(.conflict, "You cannot commit container \(id) which is Dead", object: reference)
        default: break
        }
    }

    private nonisolated var commitMark: String { context.roots.files(id) + "/paused-by-commit" }

    /// False where nothing was to be paused.
    private func pauseForCommit(_ reference: String) async throws(EngineError) -> Bool {
        guard case .running = machine.phase else { return false }
        let mark = commitMark
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in
                try FileContents.replace(mark, with: [], durable: false)
            }
        } catch { throw EngineError(error, object: id) }
        do throws(EngineError) {
            try await pause(reference)
            return true
        } catch {
            unlink(mark)
            // It has ended, or somebody else has paused it, which is as good.
            if error.kind == .conflict { return false }
            // Where nothing can be paused, the image is of files that may change meanwhile: better than none.
            guard error.kind == .unsupported else { throw error }
            context.note("commit container \(name) while it runs: \(error.message)")
            return false
        }
    }

    private func endCommitPause() async {
        do throws(EngineError) { try await unpause(id) } catch {
            // It was killed, or let go on by somebody else.
            if error.kind != .conflict { context.note("container \(id): end the pause of a commit: \(error)") }
        }
        unlink(commitMark)
    }

    /// Ends the pause of a commit in which a former engine died.
    package func finishInterruptedCommit() async {
        guard access(commitMark, F_OK) == 0 else { return }
        await endCommitPause()
    }
}

extension ImageRecord {
    fileprivate func familiarName(_ wanted: String?) -> String { wanted.map(Self.familiar) ?? "" }
}

extension ContainerDefinition {
    /// The image's words about running, with what this container was given over them.
    func committed(over image: ImageExecution) -> ImageExecution {
        var execution = image
        execution.environment = environment
        execution.user = user
        execution.workingDirectory = spec.workingDirectory ?? image.workingDirectory
        execution.labels = TextMap(labels)
        execution.stopSignal = spec.stopSignal ?? image.stopSignal
        let command = spec.command ?? []
        if let entrypoint = spec.entrypoint?.filter({ !$0.isEmpty }) {
            execution.entrypoint = entrypoint
            if !entrypoint.isEmpty || !command.isEmpty { execution.command = command }
        } else if !command.isEmpty {
            execution.command = command
        }
        let ports = image.exposedPorts + servedPorts.map(\.description)
        execution.exposedPorts = Array(Set(ports)).sorted()
        execution.volumes = Array(Set(image.volumes + spec.anonymousVolumes)).sorted()
        if let health { execution.other["Healthcheck"] = health.imageMember }
        return execution
    }
}

import AsyncIO
import EngineAPI
import JSON
import Lifecycle

/// Reading the configuration anew while the engine runs.
extension GantryEngine {
    /// Takes over what the configuration file says now: runtimes, labels, debug; what it says of registries holds from the
    /// next transfer on anyway. Tells of it as docker's engine does: the event `reload`, with all that holds.
    ///
    /// - Returns: whether the daemon is to say more of what it does.
    /// - Throws: `invalid` where the file is wrong: then all stays as it was.
    @discardableResult
    public func reload() async throws(EngineError) -> Bool {
        let settings = try await configuration.settings()
        // Read before anything is taken over.
        let registries = try await core.registries.client().configuration
        core.context.settings.replace(with: settings)
        for line in settings.warnings { core.context.note(line) }
        let host = core.context.host
        let attributes = [
            "name": host.hostname, "debug": String(settings.isDebugging), "labels": Self.list(settings.labels),
            "runtimes": settings.runtimes.text, "default-runtime": settings.runtimes.defaultName,
            "max-concurrent-downloads": String(registries.concurrentDownloads),
            "max-concurrent-uploads": String(registries.concurrentUploads),
            "max-download-attempts": String(registries.attempts),
            "insecure-registries": Self.list(
                registries.registries.filter { $0.value.isPlain || $0.value.isInsecure }.keys.sorted()),
            "registry-mirrors": Self.list(
                (registries.registries["docker.io"]?.mirrors ?? []).map { String(describing: $0) }),
            "default-ipc-mode": "private", "default-cgroupns-mode": host.isUnified ? "private" : "host",
            "default-shm-size": String(settings.defaults.shmSizeBytes ?? 64 << 20), "live-restore": "true",
        ]
        let event = EngineEvent(
            kind: .daemon, action: "reload", actorID: core.engineID, attributes: attributes, time: .now())
        do { try await core.context.events.record([event]) } catch { throw EngineError(error, object: "reload") }
        return settings.isDebugging
    }

    /// Whether the configuration asks for it now.
    public var isDebugging: Bool { core.context.settings.value.isDebugging }

    private static func list(_ texts: [String]) -> String { JSONValue.array(texts.map(JSONValue.string)).compactText }
}

extension LocalEngineConfiguration {
    /// What the file says, over the runtimes that the machine has.
    func settings() async throws(EngineError) -> EngineSettings {
        try await BlockingPool.shared.run { () throws(EngineError) in
            var table = RuntimeTable(path: runtimePath)
            table.addInstalled()
            return try EngineSettings(file: configurationPath, runtimes: table)
        }
    }

    /// The host's ids that containers' ids are to stand for, where the settings ask for others.
    func remap(_ settings: EngineSettings, kernel: String) async throws(EngineError) -> IDRemap? {
        guard let text = settings.userRemap else { return nil }
        guard rootless == nil else {
            throw EngineError(.invalid, "\(configurationPath): userns-remap is not for an ordinary user's engine")
        }
        let choice = RemapChoice(directory: accountsDirectory)
        return try await BlockingPool.shared.run { () throws(EngineError) in
            do throws(EngineError) { return try choice.remap(text, kernel: kernel) } catch {
                throw EngineError(error.kind, "\(configurationPath): \(error.message)", object: configurationPath)
            }
        }
    }
}

import EngineAPI

extension LifecycleContext {
    /// Journals and publishes what became of volumes.
    package func tell(_ action: String, volumes names: [String]) async {
        let events = names.map { name in
            EngineEvent(
                kind: .volume, action: action, actorID: name, attributes: ["driver": "local"], time: .now())
        }
        if events.isEmpty { return }
        do { try await self.events.record(events) } catch { note("volume \(names.joined(separator: ", ")): \(error)") }
    }
}

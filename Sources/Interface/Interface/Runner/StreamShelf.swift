import EngineAPI

/// Streams that were opened before their container was started, until their console takes them.
actor StreamShelf {
    /// With what was asked for: not every engine's list tells it.
    struct Shelved: Sendable {
        let stream: any AttachedStream
        let takesInput: Bool
        let isTTY: Bool
    }

    private var streams: [String: Shelved] = [:]

    func put(_ stream: any AttachedStream, of spec: ContainerSpec, for id: String) {
        streams[id] = Shelved(stream: stream, takesInput: spec.openStdin, isTTY: spec.tty)
    }

    func take(_ id: String) -> Shelved? { streams.removeValue(forKey: id) }
}

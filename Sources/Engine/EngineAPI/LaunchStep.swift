import Linux

/// A step on the way from a request to a running process, and when it was done.
public struct LaunchStep: Hashable, Sendable {
    /// The steps in their order; the first three belong to the container's creation, the others to its last start.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case payloadAccepted = "payload-accepted"
        case imageResolved = "image-resolved"
        case snapshotPrepared = "snapshot-prepared"
        case startAccepted = "start-accepted"
        case specBuilt = "spec-built"
        case bundleWritten = "bundle-written"
        case shimStarted = "shim-started"
        case runtimeCreated = "runtime-created"
        case processStarted = "process-started"

        /// Done once, when the container was made.
        public var isOfCreation: Bool {
            switch self {
            case .payloadAccepted, .imageResolved, .snapshotPrepared: true
            default: false
            }
        }
    }

    public var name: Name
    public var time: Timestamp

    public init(_ name: Name, at time: Timestamp = .now()) {
        self.name = name
        self.time = time
    }
}

extension [LaunchStep] {
    /// How long the step at an index took: since the one before it, where that belongs to the same request.
    public func duration(at index: Int) -> Duration? {
        guard index > 0, self[index].name.isOfCreation == self[index - 1].name.isOfCreation else { return nil }
        return .nanoseconds(self[index].time.nanosecondsSinceEpoch - self[index - 1].time.nanosecondsSinceEpoch)
    }
}

import Archive
import Content
import EngineAPI
import JSON
import Linux
import OCI
import Registry
import Snapshots

/// What the parts below report, with the kind that it has for the person who asked.
extension EngineError {
    init(_ error: KernelError, doing attempt: String = "") {
        let kind: Kind =
            switch error.errno {
            case let errno where errno.isAboutRoom: .unavailable
            case .notPermitted, .accessDenied: .denied
            case .noSystemCall: .unsupported
            default: .internal
            }
        self.init(kind, Self.join(attempt, error.description))
    }

    init(_ error: ContentError, doing attempt: String = "") {
        switch error {
        case .kernel(let error): self.init(error, doing: attempt)
        case .notFound, .wrongDigest, .wrongSize, .tooLarge:
            self.init(.invalid, Self.join(attempt, error.description))
        }
    }

    init(_ error: ArchiveError, doing attempt: String = "") {
        switch error {
        case .kernel(let error): self.init(error, doing: attempt)
        case .cancelled: self.init(.cancelled, Self.join(attempt, error.description))
        case .truncated, .invalid, .refused, .tooLarge: self.init(.invalid, Self.join(attempt, error.description))
        }
    }

    init(_ error: SnapshotError, doing attempt: String = "") {
        switch error {
        case .kernel(let error): self.init(error, doing: attempt)
        case .archive(let error): self.init(error, doing: attempt)
        case .otherDriver: self.init(.invalid, Self.join(attempt, error.description))
        case .overlayUnavailable: self.init(.unsupported, Self.join(attempt, error.description))
        case .invalidName: self.init(.invalid, Self.join(attempt, error.description))
        case .missingLayer: self.init(.internal, Self.join(attempt, error.description))
        }
    }

    init(_ error: RuntimeSpecError, in document: String) {
        self.init(.invalid, RegistryError.harmless("\(document): \(error)", limit: 2000))
    }

    init(_ error: JSONError, in document: String) {
        self.init(.invalid, RegistryError.harmless("\(document): \(error)", limit: 2000))
    }

    static let loadCancelled = EngineError(.cancelled, "context canceled")

    private static func join(_ attempt: String, _ reason: String) -> String {
        attempt.isEmpty ? reason : "\(attempt): \(reason)"
    }
}

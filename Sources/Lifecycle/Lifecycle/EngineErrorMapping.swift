import EngineAPI
import Linux
import Storage

extension EngineError {
    /// A failed kernel call, with the kind that its errno means.
    package init(_ error: KernelError, object: String? = nil) {
        let kind: Kind =
            switch error.errno {
            case let errno where errno.isAboutRoom: .unavailable
            case .notPermitted, .accessDenied: .denied
            case .noSystemCall, .notSupported: .unsupported
            default: .internal
            }
        self.init(kind, error.description, object: object)
    }

    /// A failed use of the metadata.
    package init(_ error: StorageError, object: String? = nil) {
        let kind: Kind =
            switch error.kind {
            case .full, .busy: .unavailable
            case .denied: .denied
            case .duplicate: .conflict
            case .newer: .unsupported
            case .corrupt, .other: .internal
            }
        self.init(kind, error.message, object: object)
    }
}

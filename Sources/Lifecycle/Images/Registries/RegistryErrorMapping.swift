import Content
import EngineAPI
import Linux
import Registry

extension EngineError {
    package init(_ error: RegistryError, object: String? = nil) {
        switch error.kind {
        case .local:
            // The store's own words; what failed there is known here alone.
            switch error.cause {
            case let cause as ContentError: self.init(cause, doing: "store a layer")
            case let cause as EngineError: self = cause
            case let cause as KernelError: self.init(cause, doing: "store a layer")
            default: self.init(.internal, error.message, object: object)
            }
        case .notFound: self.init(.notFound, error.message, object: object)
        case .unauthorized, .denied: self.init(.denied, error.message, object: object)
        case .unavailable: self.init(.unavailable, error.message, object: object)
        case .invalid: self.init(.invalid, error.message, object: object)
        case .unsupported: self.init(.unsupported, error.message, object: object)
        case .cancelled: self = .loadCancelled
        }
    }
}

extension RegistryCredentials {
    package init(_ credentials: ImageCredentials) {
        self.init(
            user: credentials.user, password: credentials.password, identityToken: credentials.identityToken,
            registryToken: credentials.registryToken)
    }
}

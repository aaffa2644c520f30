import DockerAPI
import EngineAPI
import Glibc

/// Which engine a command line means: the one of the data root, or another.
///
/// ```
/// -H │ --context │ --root │ GANTRY_ROOT │ GANTRY_HOST │ DOCKER_HOST │ DOCKER_CONTEXT │ docker's current context │ our own
/// ```
/// The first that is given decides, as docker has it.
package enum EngineChoice: Hashable, Sendable {
    case own
    case remote(EngineAddress)
}

/// Reads options, environment and docker's store. Blocking.
package struct EngineChooser: Sendable {
    private let options: GlobalOptions
    private let environment: [String: String]
    package let store: ContextStore

    package init(_ options: GlobalOptions, environment: [String: String]) {
        self.options = options
        self.environment = environment
        store = options.configDirectory.map { ContextStore(directory: $0) } ?? ContextStore(environment: environment)
    }

    /// - Throws: `invalid` for options that contradict one another, `notFound` for a context that is not there.
    package func choice() throws(EngineError) -> EngineChoice {
        if let host = options.host {
            guard options.context == nil else {
                throw EngineError(.invalid, "conflicting options: cannot specify both --host and --context")
            }
            return .remote(try EngineAddress(host, certificates: certificates()))
        }
        if let name = try contextName() { return try stored(name) }
        guard let host = environmentHost else { return .own }
        return .remote(try EngineAddress(host, certificates: certificates()))
    }

    /// The context in use; nil for the default.
    package func contextName() throws(EngineError) -> String? {
        if let name = options.context { return name == ContextStore.defaultName ? nil : name }
        if options.host != nil || meansOwnRoot || environmentHost != nil { return nil }
        if let name = variable("DOCKER_CONTEXT") { return name == ContextStore.defaultName ? nil : name }
        return try store.current()
    }

    /// The variable that keeps contexts from being used, with what it says; nil where there is none.
    package var overridingVariable: String? {
        ["GANTRY_ROOT", "GANTRY_HOST", "DOCKER_HOST", "DOCKER_CONTEXT"].first { variable($0) != nil }
    }

    /// What the default context means, where it is not our own engine.
    package var environmentHost: String? {
        if meansOwnRoot { return nil }
        return variable("GANTRY_HOST") ?? (options.context == nil ? variable("DOCKER_HOST") : nil)
    }

    /// Somebody who says where the engine's state is means our own.
    private var meansOwnRoot: Bool { options.root != nil || variable("GANTRY_ROOT") != nil }

    private func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    private func stored(_ name: String) throws(EngineError) -> EngineChoice {
        let context = try store.find(name)
        let files = store.certificateFiles(name)
        var certificates: EngineAddress.Certificates?
        if !files.isEmpty || context.skipsVerification {
            var found = EngineAddress.Certificates()
            found.authorityFile = files["ca.pem"]
            found.certificateFile = files["cert.pem"]
            found.keyFile = files["key.pem"]
            found.skipsVerification = context.skipsVerification
            certificates = found
        }
        guard !context.host.isEmpty else { return .own }
        return .remote(try EngineAddress(context.host, certificates: certificates))
    }

    /// Those of `--tls…` and docker's variables; nil where TLS is not wanted.
    private func certificates() -> EngineAddress.Certificates? {
        let verifies = options.tls.verifies || variable("DOCKER_TLS_VERIFY") != nil
        guard verifies || options.tls.isWanted || variable("DOCKER_TLS") != nil else { return nil }
        let folder = variable("DOCKER_CERT_PATH") ?? store.directory
        // Docker's usual files need not be there, those that were named must be.
        func usual(_ name: String) -> String? {
            let path = "\(folder)/\(name)"
            return access(path, F_OK) == 0 ? path : nil
        }
        var found = EngineAddress.Certificates()
        found.authorityFile = options.tls.authorityFile ?? usual("ca.pem")
        found.certificateFile = options.tls.certificateFile ?? usual("cert.pem")
        found.keyFile = options.tls.keyFile ?? usual("key.pem")
        found.skipsVerification = !verifies
        return found
    }
}

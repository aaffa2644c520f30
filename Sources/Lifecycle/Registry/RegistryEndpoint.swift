import OCI

/// A place where a registry, or a mirror of it, is asked.
package struct RegistryEndpoint: Hashable, Sendable {
    package var origin: WebOrigin
    /// What stands before `/v2/`: a mirror may live below a path.
    package var prefix = ""
    package var trust = WebTrust()
    package var isMirror = false

    /// The address of a resource: `endpoint.address("library/alpine/manifests/latest")`.
    package func address(_ path: String) -> WebAddress { WebAddress(origin, "\(prefix)/v2/\(path)") }
}

/// Where a registry is to be asked, in order. Pure.
package enum EndpointPlan {
    /// Docker's registry answers under another name than the one it has in references.
    private static let dockerHub = "registry-1.docker.io"

    /// - Parameters:
    ///   - registry: the name in references, `docker.io` or `localhost:5000`.
    ///   - forPull: mirrors are asked for pulls alone: what is pushed must reach the registry itself.
    package static func endpoints(
        for registry: String, _ entry: RegistryConfiguration.Entry, forPull: Bool
    ) -> [RegistryEndpoint] {
        let host = registry == Reference.defaultDomain ? dockerHub : registry
        var endpoints: [RegistryEndpoint] = []
        if forPull {
            endpoints = entry.mirrors.map { mirror in
                RegistryEndpoint(origin: mirror.origin, prefix: prefix(mirror), trust: entry.trust, isMirror: true)
            }
        }
        guard let secure = WebOrigin(scheme: .https, authority: host),
            let plain = WebOrigin(scheme: .http, authority: host)
        else { return endpoints }
        if entry.isPlain { return endpoints + [RegistryEndpoint(origin: plain)] }
        var trust = entry.trust
        // A person who names an authority for this machine means it.
        let isTrusting = entry.isInsecure || (secure.isLoopback && trust == WebTrust())
        trust.skipsVerification = isTrusting
        endpoints.append(RegistryEndpoint(origin: secure, trust: trust))
        if isTrusting { endpoints.append(RegistryEndpoint(origin: plain)) }
        return endpoints
    }

    private static func prefix(_ mirror: WebAddress) -> String {
        var path = String(mirror.target.prefix { $0 != "?" })
        while path.hasSuffix("/") { path.removeLast() }
        return path.hasSuffix("/v2") ? String(path.dropLast(3)) : path
    }
}

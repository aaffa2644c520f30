import EngineAPI

/// Networks that are configurations of others, and those that take one.
extension NetworkDraft {
    /// What is wanted, with what the configuration says that it is to take; refused in docker's words where both speak.
    ///
    /// - Throws: `notFound` for a configuration that is not there, `denied` for what a configuration cannot say or what
    ///   only it may.
    func configured(_ wanted: NetworkSpec) throws(EngineError) -> NetworkSpec {
        switch wanted.configuration {
        case nil: return wanted
        case .only:
            guard !wanted.isInternal, !wanted.isAttachable else {
                throw EngineError(
                    .denied,
                    "configuration network can only contain network specific fields. Network operator fields like "
                        + "[ ingress | internal | attachable | scope ] are not supported.", object: wanted.name)
            }
            return wanted
        case .from(let name):
            try checkSaysNothing(wanted)
            guard let source = networks.first(where: { $0.name == name && $0.isConfiguration }) else {
                throw EngineError(.notFound, "configuration network \"\(name)\" does not exist", object: name)
            }
            var spec = wanted
            (spec.pools, spec.enablesIPv6) = (source.spec.pools, source.spec.enablesIPv6)
            (spec.options, spec.labels) = (source.spec.options, source.spec.labels)
            (spec.ipamDriver, spec.ipamOptions) = (source.spec.ipamDriver, source.spec.ipamOptions)
            return spec
        }
    }

    private func checkSaysNothing(_ wanted: NetworkSpec) throws(EngineError) {
        guard ["", "default"].contains(wanted.ipamDriver), wanted.ipamOptions?.isEmpty ?? true, wanted.pools.isEmpty,
            wanted.labels.isEmpty, !wanted.enablesIPv6
        else {
            throw EngineError(
                .denied,
                "user specified configurations are not supported if the network depends on a configuration network",
                object: wanted.name)
        }
        guard wanted.options.isEmpty else {
            throw EngineError(
                .denied, "network driver options are not supported if the network depends on a configuration network",
                object: wanted.name)
        }
    }
}

extension NetworkService {
    /// - Throws: `denied` for a configuration that a network has.
    func checkUntaken(_ network: NetworkDefinition) throws(EngineError) {
        guard network.isConfiguration,
            definitions.values.contains(where: { $0.spec.configuration == .from(network.name) })
        else { return }
        throw EngineError(
            .denied, "error while removing network: configuration network \"\(network.name)\" is in use",
            object: network.name)
    }
}

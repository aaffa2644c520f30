import EngineAPI
import JSON

/// The body of `POST /containers/create`.
package struct CreateRequest: Sendable {
    package var spec: ContainerSpec
    /// What was asked for and is not done, in words for the person who asked.
    package var warnings: [String]

    /// Reads a body. What this engine does not offer is refused by its name, or warned about where the container works
    /// without it.
    ///
    /// - Parameter version: the API's that the client speaks, by which it means some members otherwise.
    package init(dockerBody body: BodyReader, version: APIVersion = .current) throws(EngineError) {
        let host = try body.object("HostConfig")
        spec = try ContainerSpec(config: body, host: host)
        warnings = []
        try spec.readAsMeant(by: version)
        if try host.filledWhole("KernelMemory") != nil {
            warnings.append("Specifying a kernel memory limit is deprecated and will be removed in a future release.")
        }
        if spec.image.isEmpty { throw EngineError(.invalid, "no image specified: Image must not be empty") }
        if let mode = spec.networkMode, mode.network == nil, spec.publishesAllPorts || !spec.portBindings.isEmpty {
            guard mode.container == nil else {
                throw EngineError(
                    .invalid, "conflicting options: port publishing and the container type network mode")
            }
            warnings.append("Published ports are discarded when using \(mode.rawValue) network mode")
        }
        if let warning = try InterfaceSysctls.move(in: &spec, version: version) { warnings.append(warning) }
        try UnofferedFields.check(config: body, host: host, warnings: &warnings)
    }
}

extension ContainerSpec {
    /// What came with a later version of the API was not meant by a client of an earlier one, or cannot be had by it.
    fileprivate mutating func readAsMeant(by version: APIVersion) throws(EngineError) {
        // Of the short form nothing was ever asked.
        for place in mounts.indices where !mounts[place].isShort {
            try mounts[place].readAsMeant(by: version)
        }
        if version < APIVersion(1, 48) { for name in networks.keys { networks[name]?.gatewayPriority = 0 } }
        if version < APIVersion(1, 42) { consoleSize = nil }
        if version < APIVersion(1, 44) { healthCheck?.startInterval = nil }
        if version < APIVersion(1, 43) { annotations = [:] }
        if version < APIVersion(1, 40), ipcMode == nil { ipcMode = .shareable }
    }
}

extension MountSpec {
    fileprivate mutating func readAsMeant(by version: APIVersion) throws(EngineError) {
        if version < APIVersion(1, 48), kind == .image {
            throw EngineError(.invalid, "Mount type \"Image\" needs API v1.48 or newer")
        }
        if version < APIVersion(1, 45), kind == .volume, subpath != nil {
            throw EngineError(.invalid, "VolumeOptions.Subpath needs API v1.45 or newer")
        }
        guard kind == .bind else { return }
        if version < APIVersion(1, 44) {
            guard readOnlyDepth != .all else {
                throw EngineError(.invalid, "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
            }
            // What is mounted below was left writable before.
            readOnlyDepth = readOnly ? .top : nil
        }
        if version < APIVersion(1, 42) { createsSource = false }
        if version < APIVersion(1, 40) { isNonRecursive = false }
    }
}

/// Fields of a create body that this engine does not offer.
enum UnofferedFields {
    /// Members of `HostConfig` that are refused unless empty: without them the container would be another one than was
    /// asked for. The last row is of other systems.
    private static let refused = [
        "Cgroup", "KernelMemoryTCP",
        "CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth",
    ]

    static func check(
        config: BodyReader, host: BodyReader, warnings: inout [String]
    ) throws(EngineError) {
        for name in refused {
            guard let value = host.value.field(name) else { continue }
            if !value.isEmptyValue { throw unsupported(host.name(name)) }
        }
        try checkDeviceRequests(host)
        if host.value.field("StorageOpt")?.isEmptyValue == false {
            throw EngineError(
                .unsupported, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
        }
        // Health checks would be run by another shell than was asked for.
        if config.value.field("Shell")?.isEmptyValue == false { throw unsupported(config.name("Shell")) }
        try checkWords(host)
    }

    /// Docker's `--gpus`: in its words, for an engine without a driver for such devices.
    private static func checkDeviceRequests(_ host: BodyReader) throws(EngineError) {
        guard let first = try host.objects("DeviceRequests").first else { return }
        let sets = try first.textLists("Capabilities").map { "[" + $0.joined(separator: " ") + "]" }
        let driver = try first.text("Driver")
        throw EngineError(
            .unsupported,
            "could not select device driver \"\(driver)\" with capabilities: [\(sets.joined(separator: " "))]")
    }

    private static func checkWords(_ host: BodyReader) throws(EngineError) {
        let isolation = try host.text("Isolation")
        guard ["", "default"].contains(isolation.lowercased()) else {
            throw EngineError(.invalid, "invalid isolation '\(isolation)' on linux")
        }
    }

    private static func unsupported(_ field: String) -> EngineError {
        EngineError(.unsupported, "\(field) is not supported yet by this engine")
    }
}

import EngineAPI
import JSON

/// The body of `POST /containers/create`.
package struct CreateRequest: Sendable {
    package var spec: ContainerSpec
    /// What was asked for and is not done, in words for the person who asked.
    package var warnings: [String]

    /// Reads a body. What this engine does not offer is refused by its name, or warned about where the container works
    /// without it.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        let host = try body.object("HostConfig")
        spec = try ContainerSpec(config: body, host: host)
        warnings = []
        if spec.image.isEmpty { throw EngineError(.invalid, "no image specified: Image must not be empty") }
        try UnofferedFields.check(config: body, host: host, warnings: &warnings)
        try readNetwork(body, host)
    }

    private mutating func readNetwork(_ body: BodyReader, _ host: BodyReader) throws(EngineError) {
        let mode = try body.flag("NetworkDisabled") ? "none" : try host.text("NetworkMode")
        switch mode {
        case "none", "host": spec.networkMode = NetworkMode(rawValue: mode)
        case "", "default", "bridge":
            spec.networkMode = NetworkMode.none
            warnings.append(Self.noBridge)
        case _ where mode.hasPrefix("container:"):
            throw EngineError(.unsupported, "sharing another container's network is not supported yet")
        // Not `notFound`: docker's CLI takes that of a create for a missing image, and pulls.
        default: throw EngineError(.invalid, "network \(mode) not found", object: mode)
        }
        let ports = try host.object("PortBindings")
        let publishesAll = try host.flag("PublishAllPorts")
        if publishesAll || !ports.value.isEmptyValue {
            warnings.append(
                "Published ports are discarded when using \(spec.networkMode?.rawValue ?? "none") network mode")
        }
    }

    package static let noBridge =
        "Bridge networks are not supported yet: the container gets the network mode `none` (loopback only)"
}

/// Fields of a create body that this engine does not offer.
enum UnofferedFields {
    /// Refused unless empty: without them the container would be another one than was asked for.
    private static let refused = [
        "DeviceRequests", "VolumesFrom", "VolumeDriver", "CgroupParent", "Links", "KernelMemory", "KernelMemoryTCP",
        "StorageOpt",
    ]
    /// Without a network of its own these have no effect; said, not refused.
    private static let network = ["Dns", "DnsOptions", "DnsSearch", "ExtraHosts"]

    static func check(
        config: BodyReader, host: BodyReader, warnings: inout [String]
    ) throws(EngineError) {
        for name in refused {
            guard let value = host.value.field(name) else { continue }
            if !value.isEmptyValue { throw unsupported(host.name(name)) }
        }
        if !config.value.isEmptyValueField("Volumes") { throw unsupported("Volumes (anonymous volumes)") }
        for name in network where !host.value.isEmptyValueField(name) {
            warnings.append("\(name) is discarded: the container has no network to use it on")
        }
        try checkWords(host)
    }

    private static func checkWords(_ host: BodyReader) throws(EngineError) {
        let user = try host.text("UsernsMode")
        guard ["", "host"].contains(user) else { throw unsupported("HostConfig.UsernsMode `\(user)`") }
        let isolation = try host.text("Isolation")
        guard ["", "default"].contains(isolation) else {
            throw EngineError(.invalid, "invalid isolation '\(isolation)' on linux")
        }
    }

    private static func unsupported(_ field: String) -> EngineError {
        EngineError(.unsupported, "\(field) is not supported yet by this engine")
    }
}

extension JSONValue {
    func isEmptyValueField(_ name: String) -> Bool {
        // A set such as Volumes or ExposedPorts maps names to empty objects: names count, not what they map to.
        if case .object(let object)? = field(name), name == "Volumes" { return object.isEmpty }
        return field(name)?.isEmptyValue ?? true
    }
}

import EngineAPI
import JSON

/// What a container is, from its creation on: the caller's wishes and the image's defaults, put together once.
package struct ContainerDefinition: Hashable, Sendable, Codable {
    package var spec: ContainerSpec
    package var imageID: String
    package var arguments: [String]
    /// How many of the arguments are the entrypoint. Nil in a row of a version that did not keep it.
    private var entrypointCount: Int?
    /// The image's and the caller's, as docker's inspect shows them: without what the engine adds.
    package var environment: [String]
    /// As it was said; empty where neither the caller nor the image says one.
    package var workingDirectory: String
    package var user: String
    package var hostname: String
    package var stopSignal: String
    package var labels: [String: String]
    package var health: HealthCheck?
    /// As the image writes them: `80/tcp`.
    package var imagePorts: [String]
    /// Paths that the image wants to be volumes.
    package var imageVolumes: [String]
    /// An update of the limits is under way.
    package var isUpdating = false
    /// Of the mode `none`, it was taken out of that by hand and may join networks.
    package var hasLeftNone = false

    /// Puts spec and image together by docker's rules.
    ///
    /// - Parameters:
    ///   - hostHostname: for a container that has the host's network, or its names.
    ///   - lender: the container whose network this one has: it goes by the same names.
    /// - Throws: `invalid`: there is no command, or the working directory is not absolute.
    package init(
        id: String, spec: ContainerSpec, imageID: String, image: ImageDefaults, hostHostname: String,
        lender: ContainerDefinition? = nil
    ) throws(EngineError) {
        self.spec = spec
        self.imageID = imageID
        let (entrypoint, command) = Self.arguments(spec, image)
        arguments = entrypoint + command
        entrypointCount = entrypoint.count
        guard !arguments.isEmpty else { throw EngineError(.invalid, "no command specified") }
        environment = Self.merge(spec.environment, image.environment)
        workingDirectory = spec.workingDirectory ?? image.workingDirectory
        guard workingDirectory.isEmpty || workingDirectory.hasPrefix("/") else {
            throw EngineError(
                .invalid, "the working directory '\(workingDirectory)' is invalid, it needs to be an absolute path")
        }
        user = spec.user ?? image.user
        if self.spec.domainname == nil { self.spec.domainname = lender?.spec.domainname }
        hostname =
            spec.hostname ?? lender?.hostname
            ?? (spec.networkMode == .host || spec.utsMode == .host ? hostHostname : String(id.prefix(12)))
        stopSignal = spec.stopSignal ?? image.stopSignal ?? "SIGTERM"
        labels = image.labels.merging(spec.labels) { _, own in own }
        health = HealthCheck.merged(spec.healthCheck, image.healthCheck)
        imagePorts = image.ports
        imageVolumes = image.volumes
    }

    /// Where its processes start.
    package var startDirectory: String { workingDirectory.isEmpty ? "/" : workingDirectory }

    /// How many of the arguments are the entrypoint; the others are the command.
    package var entrypointLength: Int {
        if let entrypointCount { return entrypointCount }
        if let entrypoint = spec.entrypoint { return entrypoint == [""] ? 0 : entrypoint.count }
        return spec.command.map { arguments.count - $0.count } ?? 0
    }

    /// A given entrypoint makes the image's command void, because it was meant for the image's. One of nothing but an empty
    /// text, as `--entrypoint ""` gives it, means none; a list without elements only that the image's is not used.
    private static func arguments(
        _ spec: ContainerSpec, _ image: ImageDefaults
    ) -> (entrypoint: [String], command: [String]) {
        let command = spec.command ?? []
        guard let entrypoint = spec.entrypoint, !entrypoint.isEmpty else {
            return (spec.entrypoint ?? image.entrypoint, command.isEmpty ? image.command : command)
        }
        return (entrypoint == [""] ? [] : entrypoint, command)
    }

    /// The caller's variables, then those of the image that the caller does not name.
    private static func merge(_ own: [String], _ image: [String]) -> [String] {
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        return own + image.filter { !names.contains($0.prefix { $0 != "=" }) }
    }
}

extension ContainerDefinition {
    /// As the row keeps it.
    package func text() throws(EngineError) -> String {
        do {
            return try JSONValue(encoding: self).compactText
        } catch {
            throw EngineError(.internal, "write the container's definition: \(error)")
        }
    }

    /// Reads what the row keeps; members that an earlier version did not write have their defaults.
    package init(text: String) throws(EngineError) {
        do {
            let value = try JSONValue(parsing: text)
            do { self = try value.decoded() } catch {
                let defaults = Self(defaults: ContainerSpec(image: ""))
                self = try JSONValue(encoding: defaults).overlaid(with: value).decoded()
            }
        } catch {
            throw EngineError(.internal, "read the container's definition: \(error)")
        }
    }

    private init(defaults spec: ContainerSpec) {
        self.spec = spec
        imageID = ""
        arguments = []
        environment = []
        workingDirectory = ""
        user = ""
        hostname = ""
        stopSignal = "SIGTERM"
        labels = [:]
        imagePorts = []
        imageVolumes = []
    }
}

extension JSONValue {
    fileprivate func overlaid(with other: JSONValue) -> JSONValue {
        guard case .object(var result) = self, case .object(let members) = other else { return other }
        for (name, value) in members.members { result[name] = result[name]?.overlaid(with: value) ?? value }
        return .object(result)
    }
}

import EngineAPI
import JSON
import OCI

extension ImageSummary {
    /// An entry of `GET /images/json`.
    package var dockerBody: JSONValue { dockerBody(for: .current) }

    /// As a client of that version knows it.
    package func dockerBody(for version: APIVersion) -> JSONValue {
        var body = usageMembers(for: version)
        // Before, only `GET /system/df` told of it.
        if version < APIVersion(1, 51) { body["Containers"] = -1 }
        if version < APIVersion(1, 43), tags.isEmpty, digests.isEmpty {
            body["RepoTags"] = ["<none>:<none>"]
            body["RepoDigests"] = ["<none>@<none>"]
        }
        if let manifests {
            body["Manifests"] = .array(manifests.map(\.dockerBody))
            // What is shown below an image is a part of it: packed and unpacked, where both are told of.
            body["Size"] = .integer(max(sizeBytes, manifests.reduce(0) { $0 + $1.totalBytes }))
        }
        return .object(body)
    }

    /// An entry of `GET /system/df`.
    func usageBody(for version: APIVersion) -> JSONValue { .object(usageMembers(for: version)) }

    private func usageMembers(for version: APIVersion) -> JSONObject {
        var body = members
        if version.hasVirtualSizes { body["VirtualSize"] = .integer(sizeBytes) }
        return body
    }

    private var members: JSONObject {
        JSONObject([
            ("Containers", .count(containerCount)), ("Created", .integer(createdAt?.secondsSinceEpoch ?? 0)),
            ("Id", .string(id)), ("Labels", labels.isEmpty ? .null : .textMap(labels)),
            ("ParentId", .string(parentID ?? "")),
            ("RepoDigests", .texts(digests)), ("RepoTags", .texts(tags)),
            ("SharedSize", .integer(sharedBytes ?? -1)), ("Size", .integer(sizeBytes)),
        ])
    }

    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("Id") else { return nil }
        let created = body.whole("Created") ?? 0
        self.init(
            id: Self.fullID(id), tags: Self.named(body.texts("RepoTags")),
            digests: Self.named(body.texts("RepoDigests")),
            createdAt: created == 0 ? nil : Timestamp(seconds: created),
            sizeBytes: max(0, body.whole("Size") ?? 0), labels: body.textMap("Labels"),
            containerCount: max(0, Int(body.whole("Containers") ?? 0)))
        sharedBytes = body.whole("SharedSize").flatMap { $0 < 0 ? nil : $0 }
        parentID = body.filledText("ParentId")
        manifests = body.field("Manifests")?.array?.compactMap { ImageManifestSummary(dockerBody: $0) }
    }

    /// Podman leaves the algorithm out.
    package static func fullID(_ id: String) -> String { id.contains(":") ? id : "sha256:\(id)" }

    /// Without the `<none>:<none>` that older engines send for "no name".
    static func named(_ list: [String]) -> [String] { list.filter { !$0.hasPrefix("<none>") } }
}

extension ImageDetails {
    /// The answer of `GET /images/{name}/json`.
    package var dockerBody: JSONValue { dockerBody(for: .current) }

    /// As a client of that version knows it.
    package func dockerBody(for version: APIVersion) -> JSONValue {
        var body = JSONObject([
            ("Id", .string(summary.id)), ("RepoTags", .texts(summary.tags)),
            ("RepoDigests", .texts(summary.digests)), ("Parent", .string(summary.parentID ?? "")),
            ("Comment", .string(comment)),
            ("Created", .string(WireTime.text(summary.createdAt))), ("DockerVersion", ""),
            ("Author", .string(author)), ("Config", configBody), ("Architecture", .string(architecture)),
        ])
        // Gone from the API with 1.45. docker-compose 1.29 asks by the newest version that it is told of, and makes no
        // container anew without it.
        body["ContainerConfig"] = configBody
        if let variant { body["Variant"] = .string(variant) }
        body["Os"] = .string(os)
        body["Size"] = .integer(summary.sizeBytes)
        if version.hasVirtualSizes { body["VirtualSize"] = .integer(summary.sizeBytes) }
        body["GraphDriver"] = ["Data": storageBody, "Name": .string(storageDriver)]
        body["RootFS"] = ["Type": "layers", "Layers": .texts(layers)]
        body["Metadata"] = ["LastTagTime": .string(WireTime.text(taggedAt))]
        return .object(body)
    }

    /// docker names a place to mount at and one for overlayfs to work in, too: layers that are never written to have none.
    private var storageBody: JSONValue {
        guard let top = layerPlaces.first else { return .null }
        var body = JSONObject([("UpperDir", .string(top))])
        if layerPlaces.count > 1 { body["LowerDir"] = .string(layerPlaces.dropFirst().joined(separator: ":")) }
        return .object(body)
    }

    private var configBody: JSONValue {
        func set(_ names: [String]) -> JSONValue {
            names.isEmpty ? .null : .object(JSONObject(names.sorted().map { ($0, [:]) }))
        }
        var body = JSONObject([
            ("Hostname", ""), ("Domainname", ""), ("User", .string(user)), ("AttachStdin", false),
            ("AttachStdout", false), ("AttachStderr", false), ("ExposedPorts", set(exposedPorts)), ("Tty", false),
            ("OpenStdin", false), ("StdinOnce", false), ("Env", .texts(environment)),
            ("Cmd", .texts(command.isEmpty ? nil : command)), ("Image", ""), ("Volumes", set(volumes)),
            ("WorkingDir", .string(workingDirectory)), ("Entrypoint", .texts(entrypoint.isEmpty ? nil : entrypoint)),
            ("OnBuild", .texts(triggers.isEmpty ? nil : triggers)), ("Labels", .textMap(summary.labels)),
        ])
        if let stopSignal { body["StopSignal"] = .string(stopSignal) }
        if let healthCheck { body["Healthcheck"] = healthCheck.dockerBody }
        return .object(body)
    }

    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("Id") else { return nil }
        let config = body.field("Config") ?? .null
        var summary = ImageSummary(
            id: ImageSummary.fullID(id), tags: ImageSummary.named(body.texts("RepoTags")),
            digests: ImageSummary.named(body.texts("RepoDigests")), createdAt: WireTime.parse(body.text("Created")),
            sizeBytes: max(0, body.whole("Size") ?? 0), labels: config.textMap("Labels"))
        summary.parentID = body.filledText("Parent")
        self.init(summary: summary, architecture: body.text("Architecture"), os: body.text("Os"))
        variant = body.filledText("Variant")
        taggedAt = (body.field("Metadata")?.filledText("LastTagTime")).flatMap(WireTime.parse)
        author = body.text("Author")
        comment = body.text("Comment")
        entrypoint = config.texts("Entrypoint")
        command = config.texts("Cmd")
        environment = config.texts("Env")
        workingDirectory = config.text("WorkingDir")
        user = config.text("User")
        exposedPorts = config.field("ExposedPorts")?.object?.members.map(\.name) ?? []
        volumes = config.field("Volumes")?.object?.members.map(\.name) ?? []
        stopSignal = config.filledText("StopSignal")
        triggers = config.texts("OnBuild")
        // An engine whose word about it cannot be read has said nothing about it.
        healthCheck = try? HealthCheck(dockerBody: BodyReader(config.field("Healthcheck") ?? .object(JSONObject())))
        layers = body.field("RootFS")?.texts("Layers") ?? []
        let data = body.field("GraphDriver")?.field("Data") ?? .null
        if let name = body.field("GraphDriver")?.filledText("Name") { storageDriver = name }
        let places = [data.text("UpperDir")] + data.text("LowerDir").split(separator: ":").map(String.init)
        layerPlaces = places.filter { !$0.isEmpty }
    }
}

extension ImageDetails {
    /// An image is here for one platform alone.
    ///
    /// - Parameter platform: `os[/architecture[/variant]]`
    /// - Throws: `notFound`, where that is another one.
    func check(isFor platform: String, calledBy name: String) throws(EngineError) {
        guard isFor(platform) else {
            throw EngineError(
                .notFound,
                "image with reference \(name) was found but does not provide the specified platform (\(platform))",
                object: name)
        }
    }

    /// What is not asked for may be any; else an image that a machine of that platform runs is one for it, as on docker:
    /// of an earlier variant, or of the processor's forerunner of 32 bits.
    private func isFor(_ platform: String) -> Bool {
        let parts = platform.split(separator: "/").map(String.init)
        guard parts.count > 1 else { return parts.first == os }
        let own = Platform(os: os, architecture: architecture, variant: variant)
        let asked = Platform(os: parts[0], architecture: parts[1], variant: parts.count > 2 ? parts[2] : nil)
        let isNamed = asked.os == own.os && asked.architecture == own.architecture && parts.count < 3
        return isNamed || asked.preference(for: own) != nil
    }
}

extension Engine {
    /// - Throws: `notFound` for the first of the images that is not here or is for another platform.
    package func check(_ names: [String], areFor platform: String) async throws(EngineError) {
        for name in names { try await inspectImage(name).check(isFor: platform, calledBy: name) }
    }
}

extension ImageRemoval {
    /// An entry of the answer of `DELETE /images/{name}`.
    package var dockerBody: JSONValue {
        switch self {
        case .untagged(let name): ["Untagged": .string(name)]
        case .deleted(let id): ["Deleted": .string(id)]
        }
    }

    package init?(dockerBody body: JSONValue) {
        if let name = body.filledText("Untagged") {
            self = .untagged(name)
        } else if let id = body.filledText("Deleted") {
            self = .deleted(id)
        } else {
            return nil
        }
    }
}

extension APIVersion {
    /// Until 1.44 an image's size was told a second time, under the name of an older idea of it.
    var hasVirtualSizes: Bool { self < APIVersion(1, 44) }
}

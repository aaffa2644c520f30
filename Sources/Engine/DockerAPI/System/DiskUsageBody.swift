import EngineAPI
import JSON

extension DiskUsage {
    /// The answer of `GET /system/df`.
    package func dockerBody(for version: APIVersion = .current, now: Timestamp) -> JSONValue {
        [
            "LayersSize": .integer(layersBytes), "Images": .array(images.map { $0.usageBody(for: version) }),
            "Containers": .array(containers.map { $0.dockerBody(now: now) }),
            "Volumes": .array(volumes.map(\.dockerBody)), "BuildCache": [], "BuilderSize": 0,
        ]
    }

    package init(dockerBody body: JSONValue) {
        self.init()
        layersBytes = max(0, body.whole("LayersSize") ?? 0)
        images = body.elements("Images").compactMap { ImageSummary(dockerBody: $0) }
        containers = body.elements("Containers").compactMap { ContainerSummary(dockerBody: $0) }
        volumes = body.elements("Volumes").compactMap { VolumeDetails(dockerBody: $0) }
    }
}

extension DiskUsagePart {
    /// Reads the query of `GET /system/df`: all parts where none is named.
    package static func parts(dockerQuery query: QueryString) throws(EngineError) -> Set<DiskUsagePart> {
        var parts: Set<DiskUsagePart> = []
        for name in query.all("type") where name != "build-cache" {
            guard let part = DiskUsagePart(rawValue: name) else {
                throw EngineError(.invalid, "unknown object type: \(name)")
            }
            parts.insert(part)
        }
        return query.all("type").isEmpty ? Set(allCases) : parts
    }
}

extension ImageDistribution {
    /// The answer of `GET /distribution/{name}/json`.
    package var dockerBody: JSONValue {
        [
            "Descriptor": [
                "mediaType": .string(mediaType), "digest": .string(digest), "size": .integer(sizeBytes),
            ],
            "Platforms": .array(
                platforms.map { text in
                    let parts = text.split(separator: "/").map(String.init)
                    var platform = JSONObject([
                        ("architecture", .string(parts.count > 1 ? parts[1] : "")), ("os", .string(parts.first ?? "")),
                    ])
                    if parts.count > 2 { platform["variant"] = .string(parts[2]) }
                    return .object(platform)
                }),
        ]
    }

    package init?(dockerBody body: JSONValue) {
        guard let descriptor = body.field("Descriptor"), let digest = descriptor.filledText("digest") else {
            return nil
        }
        self.init(
            mediaType: descriptor.text("mediaType"), digest: digest, sizeBytes: descriptor.whole("size") ?? 0,
            platforms: body.elements("Platforms").map { platform in
                [platform.text("os"), platform.text("architecture"), platform.text("variant")]
                    .filter { !$0.isEmpty }.joined(separator: "/")
            })
    }
}

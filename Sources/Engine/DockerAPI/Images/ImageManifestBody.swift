import EngineAPI
import JSON
import OCI

extension ImageManifestSummary {
    /// An entry of an image's `Manifests`, which `GET /images/json` tells of from 1.47 on where `manifests` asks for it.
    ///
    /// Of an image there is what was pulled, loaded or made, whole and for one platform: it is always available.
    package var dockerBody: JSONValue {
        let parts = platform.split(separator: "/").map(String.init)
        var platform = JSONObject([
            ("architecture", .string(parts.count > 1 ? parts[1] : "")), ("os", .string(parts.first ?? "")),
        ])
        if parts.count > 2 { platform["variant"] = .string(parts[2]) }
        return [
            "ID": .string(digest),
            "Descriptor": [
                "mediaType": .string(mediaType), "digest": .string(digest), "size": .integer(sizeBytes),
                "platform": .object(platform),
            ],
            "Available": true, "Kind": "image",
            "Size": ["Content": .integer(contentBytes), "Total": .integer(totalBytes)],
            "ImageData": [
                "Platform": .object(platform), "Size": ["Unpacked": .integer(unpackedBytes)],
                "Containers": .texts(containerIDs),
            ],
        ]
    }

    /// Reads an entry of any engine; nil for one of no image, such as an attestation.
    package init?(dockerBody body: JSONValue) {
        guard let digest = body.filledText("ID"), let image = body.field("ImageData") else { return nil }
        let descriptor = body.field("Descriptor") ?? .null
        let platform = image.field("Platform") ?? .null
        self.init(
            digest: digest, mediaType: descriptor.text("mediaType"), sizeBytes: max(0, descriptor.whole("size") ?? 0),
            platform: ["os", "architecture", "variant"].compactMap { platform.filledText($0) }.joined(separator: "/"),
            contentBytes: max(0, body.field("Size")?.whole("Content") ?? 0),
            unpackedBytes: max(0, image.field("Size")?.whole("Unpacked") ?? 0))
        containerIDs = image.texts("Containers")
    }
}

import Content
import JSON
import OCI

/// A manifest or an index as a registry gave it, checked against its digest.
package struct FetchedManifest: Hashable, Sendable {
    package var mediaType: String
    package var digest: Digest
    package var bytes: [UInt8]
    package var json: JSONValue

    package var isIndex: Bool { ImageMediaType.isIndex(mediaType) }
}

extension RegistrySession {
    package static let manifestLimitBytes = 4 << 20
    private static let acceptedTypes = [
        ImageMediaType.manifest, ImageMediaType.index, ImageMediaType.dockerManifest, ImageMediaType.dockerList,
    ]

    /// The manifest or index of that tag or digest.
    ///
    /// - Throws: `invalid` where the bytes are not those that a digest names, are too many, or are of another type.
    package func manifest(_ name: String) async throws(RegistryError) -> FetchedManifest {
        try await atFirstPlace { (place) throws(RegistryError) in try await manifest(name, at: place) }
    }

    private func manifest(_ name: String, at place: RegistryEndpoint) async throws(RegistryError) -> FetchedManifest {
        let address = place.address("\(reference.path)/manifests/\(name)")
        let request = RegistryRequest(
            "GET", address, endpoint: place, what: what,
            fields: [WebField("Accept", Self.acceptedTypes.joined(separator: ", "))])
        let response = try await perform(request)
        guard response.status == 200 else {
            let error = await failure(response, address)
            guard error.kind == .notFound else { throw error }
            throw RegistryError(
                .notFound, "manifest for \(reference.familiar) not found: \(error.message.dropFirst(what.count + 2))")
        }
        let bytes = try await client.collect(response, limitBytes: Self.manifestLimitBytes, what: "\(what): manifest")
        let digest = try check(bytes, name, response["Docker-Content-Digest"])
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "\(what): manifest \(digest): \(error)")
        }
        let type = try mediaType(json, response["Content-Type"], digest)
        return FetchedManifest(mediaType: type, digest: digest, bytes: bytes, json: json)
    }

    /// The digest of the bytes, which must be the one asked for, and the one that the server says it is.
    private func check(_ bytes: [UInt8], _ name: String, _ announced: String?) throws(RegistryError) -> Digest {
        for expected in [Digest(name), announced.flatMap { Digest($0) }].compactMap({ $0 }) {
            let found = Digest(of: bytes, expected.algorithm)
            guard found == expected else {
                throw RegistryError(
                    .invalid, "\(what): manifest verification failed: unexpected digest \(found), expected \(expected)")
            }
        }
        return Digest(name) ?? .sha256(of: bytes)
    }

    /// The type that both the field and the document state; a document that states none is what the field says.
    private func mediaType(
        _ json: JSONValue, _ field: String?, _ digest: Digest
    ) throws(RegistryError) -> String {
        let stated = field.map { String($0.prefix { $0 != ";" && $0 != " " }) } ?? ""
        let own = json["mediaType"]?.string
        if let own, Self.acceptedTypes.contains(stated), own != stated {
            throw RegistryError(
                .invalid, "\(what): manifest \(digest) is sent as \(stated) and calls itself \(own)")
        }
        let type = own ?? stated
        if Self.acceptedTypes.contains(type) { return type }
        if type.hasPrefix("application/vnd.docker.distribution.manifest.v1") || json["schemaVersion"]?.integer == 1 {
            throw RegistryError(
                .unsupported, "\(what): docker's image format version 1 (schema 1) is not supported any more")
        }
        throw RegistryError(.invalid, "\(what): unsupported manifest media type \"\(type)\"")
    }
}

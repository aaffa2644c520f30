import EngineAPI
import OCI
import Registry

extension ImageDistribution {
    /// Asks a registry; of an image alone the platform is in its configuration.
    init(_ session: RegistrySession) async throws(RegistryError) {
        let reference = session.reference.withDefaultTag
        let found = try await session.manifest(reference.digest?.description ?? reference.tag ?? "latest")
        let platforms = try await found.isIndex ? Self.platforms(of: found) : [Self.platform(of: found, session)]
        self.init(
            mediaType: found.mediaType, digest: found.digest.description, sizeBytes: Int64(found.bytes.count),
            platforms: platforms.map(\.description))
    }

    private static func platforms(of index: FetchedManifest) throws(RegistryError) -> [Platform] {
        do throws(RuntimeSpecError) { return try ManifestList(index.json).manifests.compactMap(\.platform) } catch {
            throw RegistryError(.invalid, "index \(index.digest): \(error)")
        }
    }

    private static func platform(
        of manifest: FetchedManifest, _ session: RegistrySession
    ) async throws(RegistryError) -> Platform {
        let config: ContentDescriptor
        do throws(RuntimeSpecError) { config = try ImageManifest(manifest.json).config } catch {
            throw RegistryError(.invalid, "manifest \(manifest.digest): \(error)")
        }
        let document = try await session.document(config)
        do throws(RuntimeSpecError) { return try ImageConfig(document).platform } catch {
            throw RegistryError(.invalid, "configuration \(config.digest): \(error)")
        }
    }
}

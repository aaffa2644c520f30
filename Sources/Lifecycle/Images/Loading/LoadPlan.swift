import Archive
import Content
import EngineAPI
import JSON
import OCI

/// An image that a source offers.
struct OfferedImage: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        /// By a manifest in the content store.
        case manifest(Digest)
        /// By docker's list of files, for which a manifest is yet to be made.
        case docker(DockerArchiveImage)
    }

    var form: Form
    /// Full references.
    var names: [String]
}

/// Finds out which images a source offers, and how they are called.
struct LoadPlan {
    let source: any ImageSource
    let job: LoadJob
    let host: Platform

    func images() throws(EngineError) -> [OfferedImage] {
        var docker = try dockerImages()
        guard let index = try source.document("index.json") else {
            guard !docker.isEmpty else {
                throw EngineError(
                    .invalid, "invalid archive: neither an OCI image layout (index.json) nor a docker archive")
            }
            return docker.map { OfferedImage(form: .docker($0), names: Self.names($0.tags)) }
        }
        var images: [OfferedImage] = []
        // An image of many names stands there as often: it is read once.
        var known: [Digest: (manifest: Digest, config: Digest)] = [:]
        for entry in try list(index, "index.json").manifests {
            guard entry.platform?.os != "unknown" else { continue }
            let (manifest, config): (Digest, Digest)
            if let found = known[entry.digest] {
                (manifest, config) = found
            } else {
                manifest = try resolve(entry, depth: 0)
                config = try configDigest(manifest)
                known[entry.digest] = (manifest, config)
            }
            var image = OfferedImage(form: .manifest(manifest), names: names(entry))
            // Docker's newer archives are both: their names stand in manifest.json.
            docker.removeAll { candidate in
                guard ArchiveSource.cleaned(candidate.config).hasSuffix(config.hex) else { return false }
                image.names += Self.names(candidate.tags)
                return true
            }
            image.names = Array(Set(image.names)).sorted()
            if let same = images.firstIndex(where: { $0.form == image.form }) {
                images[same].names = Array(Set(images[same].names + image.names)).sorted()
            } else {
                images.append(image)
            }
        }
        images += docker.map { OfferedImage(form: .docker($0), names: Self.names($0.tags)) }
        guard !images.isEmpty else { throw EngineError(.invalid, "invalid archive: it holds no image") }
        return images
    }

    private func dockerImages() throws(EngineError) -> [DockerArchiveImage] {
        guard let bytes = try source.document("manifest.json") else { return [] }
        let json = try Self.json(bytes, "manifest.json")
        do throws(RuntimeSpecError) { return try DockerArchiveImage.list(json) } catch {
            throw EngineError(error, in: "invalid archive")
        }
    }

    /// Follows lists to the manifest for this machine.
    private func resolve(_ entry: ContentDescriptor, depth: Int) throws(EngineError) -> Digest {
        try source.require(entry.digest, in: job)
        let bytes = try read(entry.digest)
        let json = try Self.json(bytes, "\(entry.digest)")
        let isIndex = ImageMediaType.isIndex(entry.mediaType) || (json["manifests"] != nil && json["config"] == nil)
        guard isIndex else { return entry.digest }
        guard depth < 4 else {
            throw EngineError(.invalid, "invalid archive: lists of manifests are nested too deeply")
        }
        guard let best = try list(bytes, "\(entry.digest)").best(for: host) else {
            throw EngineError(.invalid, "no matching manifest for \(host) in the manifest list entries")
        }
        return try resolve(best, depth: depth + 1)
    }

    private func configDigest(_ manifest: Digest) throws(EngineError) -> Digest {
        let json = try Self.json(try read(manifest), "\(manifest)")
        do throws(RuntimeSpecError) { return try ImageManifest(json).config.digest } catch {
            throw EngineError(error, in: "invalid manifest \(manifest)")
        }
    }

    private func list(_ bytes: [UInt8], _ name: String) throws(EngineError) -> ManifestList {
        let json = try Self.json(bytes, name)
        do throws(RuntimeSpecError) { return try ManifestList(json) } catch {
            throw EngineError(error, in: "invalid \(name)")
        }
    }

    private func read(_ digest: Digest) throws(EngineError) -> [UInt8] {
        do throws(ContentError) { return try job.content.read(digest) } catch {
            throw EngineError(error, doing: "load")
        }
    }

    // MARK: Names

    private static func names(_ tags: [String]) -> [String] {
        tags.compactMap { tag in name(tag) }
    }

    /// The full name, or nil for what is no name: then the image is kept without.
    private static func name(_ text: String) -> String? {
        do throws(ReferenceError) { return try Reference(text).withDefaultTag.description } catch { return nil }
    }

    /// From the annotations of an entry: containerd's whole name, or OCI's, which may be a tag alone.
    private func names(_ entry: ContentDescriptor) -> [String] {
        if let name = entry.annotations["io.containerd.image.name"].flatMap(Self.name) { return [name] }
        guard let text = entry.annotations["org.opencontainers.image.ref.name"] else { return [] }
        if text.contains(":") || text.contains("/") { return Self.name(text).map { [$0] } ?? [] }
        // A tag of the layout, which has no name itself: the file's serves.
        guard let baseName else { return [] }
        return Self.name("\(baseName):\(text)").map { [$0] } ?? []
    }

    private var baseName: String? {
        guard var name = source.baseName?.lowercased() else { return nil }
        for suffix in [".gz", ".zst", ".xz", ".bz2", ".tgz", ".tar", ".oci"] where name.hasSuffix(suffix) {
            name.removeLast(suffix.count)
        }
        return name
    }

    static func json(_ bytes: [UInt8], _ name: String) throws(EngineError) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
            throw EngineError(error, in: "invalid \(name)")
        }
    }
}

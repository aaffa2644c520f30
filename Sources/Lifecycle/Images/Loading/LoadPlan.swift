import Archive
import Content
import EngineAPI
import JSON
import Linux
import OCI
import Registry

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
    /// The image that it was made from here.
    var parent: Digest?
}

/// Finds out which images a source offers, and how they are called. Ends early once the job is over.
struct LoadPlan {
    let source: any ImageSource
    let job: LoadJob
    let host: Platform

    /// As for pulls.
    static let manifestLimitBytes = RegistrySession.manifestLimitBytes
    /// Each is read: nobody keeps so many in one archive.
    private static let imageLimit = 4096

    func images() throws(EngineError) -> [OfferedImage] {
        let docker = try dockerImages()
        guard let index = try source.document(.index) else {
            guard !docker.isEmpty else {
                throw EngineError(
                    .invalid, "invalid archive: neither an OCI image layout (index.json) nor a docker archive")
            }
            return docker.map { OfferedImage(form: .docker($0), names: Self.names($0.tags)) }
        }
        let images = try images(index, docker)
        guard !images.isEmpty else { throw EngineError(.invalid, "invalid archive: it holds no image") }
        return images
    }

    /// Docker's newer archives are both: their names stand in manifest.json.
    private func images(_ index: [UInt8], _ docker: [DockerArchiveImage]) throws(EngineError) -> [OfferedImage] {
        func configName(_ image: DockerArchiveImage) -> String {
            PathName.split(ArchiveSource.cleaned(image.config)).name
        }
        let byConfig = Dictionary(grouping: docker, by: configName)
        var configs: Set<String> = []
        var images: [OfferedImage] = []
        // An image of many names stands there as often: it is read once.
        var manifests: [Digest: Digest] = [:]
        var positions: [Digest: Int] = [:]
        for entry in try list(index, "index.json").manifests where entry.platform?.os != "unknown" {
            if manifests[entry.digest] == nil { manifests[entry.digest] = try resolve(entry, depth: 0) }
            try checkCount(manifests.count)
            guard let manifest = manifests[entry.digest] else { continue }
            if positions[manifest] == nil {
                positions[manifest] = images.count
                let config = try configDigest(manifest).hex
                configs.insert(config)
                let names = (byConfig[config] ?? []).flatMap { Self.names($0.tags) }
                images.append(OfferedImage(form: .manifest(manifest), names: names))
            }
            if let position = positions[manifest] { images[position].names += names(entry) }
        }
        for position in images.indices { images[position].names = Array(Set(images[position].names)).sorted() }
        let others = docker.filter { !configs.contains(configName($0)) }
        return images + others.map { OfferedImage(form: .docker($0), names: Self.names($0.tags)) }
    }

    private func checkCount(_ count: Int) throws(EngineError) {
        guard count <= Self.imageLimit else {
            throw EngineError(.invalid, "invalid archive: it holds more than \(Self.imageLimit) images")
        }
    }

    private func dockerImages() throws(EngineError) -> [DockerArchiveImage] {
        guard let bytes = try source.document(.dockerManifest) else { return [] }
        let json = try Self.json(bytes, "manifest.json")
        let images: [DockerArchiveImage]
        do throws(RuntimeSpecError) { images = try DockerArchiveImage.list(json) } catch {
            throw EngineError(error, in: "invalid archive")
        }
        try checkCount(images.count)
        return images
    }

    /// Follows lists to the manifest for this machine.
    private func resolve(_ entry: ContentDescriptor, depth: Int) throws(EngineError) -> Digest {
        try job.checkIsWanted()
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
        do throws(ContentError) { return try job.content.read(digest, limitBytes: Self.manifestLimitBytes) } catch {
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

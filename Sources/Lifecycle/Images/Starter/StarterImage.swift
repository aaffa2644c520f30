import AsyncIO
import Content
import EngineAPI
import JSON
import OCI

extension ImageStore {
    /// The name under which the starter image is stored.
    package static let starterName = "gantry/starter:latest"

    package func packStarterImage(busybox: String?) async throws(EngineError) -> ImageRecord {
        let job = LoadJob(content: content, progress: { _ in })
        do throws(EngineError) {
            let host = host
            let manifest = try await pool.run { () throws(EngineError) in
                let program = try BusyboxProgram(path: busybox)
                do throws(ContentError) { return try StarterImage(program: program, platform: host).write(job) } catch {
                    throw EngineError(error, doing: "pack the starter image")
                }
            }
            let image = OfferedImage(form: .manifest(manifest), names: ["docker.io/" + Self.starterName])
            return try await add(image, from: NoSource(), job)
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }
}

/// The documents of the starter image.
private struct StarterImage {
    let program: BusyboxProgram
    let platform: Platform

    /// Stores layer, configuration and manifest; returns the manifest's digest. Blocking.
    func write(_ job: LoadJob) throws(ContentError) -> Digest {
        let writer = try job.content.beginIngest()
        try StarterLayer(busybox: program.bytes, applets: program.applets).write(to: writer)
        let layer = try writer.commit(lease: job.lease)
        let configBytes = config(layer).json.compactBytes
        let config = try job.content.add(configBytes, lease: job.lease)
        let manifest = ImageManifest(
            config: ContentDescriptor(
                mediaType: ImageMediaType.config, digest: config, sizeBytes: Int64(configBytes.count)),
            layers: [
                ContentDescriptor(mediaType: ImageMediaType.layer, digest: layer, sizeBytes: writer.sizeBytes)
            ])
        return try job.content.add(manifest.json.compactBytes, lease: job.lease)
    }

    /// A layer that is not packed is its own diff ID.
    private func config(_ layer: Digest) -> ImageConfig {
        var config = ImageConfig(platform: platform)
        // The time of the program, so that the same busybox gives the same image.
        config.created = program.modified
        config.execution.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        config.execution.command = ["sh"]
        config.diffIDs = [layer]
        config.history = [ImageHistory(createdBy: "gantry: pack the machine's busybox", created: program.modified)]
        return config
    }
}

/// For an image whose blobs are in the store already.
private struct NoSource: ImageSource {
    var baseName: String? { nil }
    func document(_ document: SourceDocument) -> [UInt8]? { nil }
    func blob(at path: String) -> Digest? { nil }
}

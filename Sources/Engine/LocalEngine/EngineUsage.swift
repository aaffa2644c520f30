import AsyncIO
import EngineAPI
import Lifecycle

/// Disk usage.
extension GantryEngine {
    public func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        var usage = DiskUsage()
        let images = await core.context.images.usage()
        usage.layersBytes = images.layersBytes
        if parts.contains(.image) {
            let counts = Dictionary(core.context.index.all.map { ($0.definition.imageID, 1) }, uniquingKeysWith: +)
            usage.images = images.images.map { image in
                var image = image
                image.containerCount = counts[image.id] ?? 0
                return image
            }
        }
        if parts.contains(.container) {
            var filter = ContainerFilter(all: true)
            filter.withSizes = true
            usage.containers = try await containers(filter)
        }
        guard parts.contains(.volume) else { return usage }
        for volume in try await volumes(VolumeFilter()) {
            var volume = volume
            volume.sizeBytes = await core.context.volumes.sizeBytes(volume.spec.name)
            usage.volumes.append(volume)
        }
        return usage
    }
}

extension EngineCore {
    /// Adds how much a container has written, and that with its image's files.
    func addSizes(to summary: inout ContainerSummary) async throws(EngineError) {
        do throws(EngineError) {
            let written = try await context.images.writtenBytes(containerID: summary.id)
            summary.writtenBytes = written
            let container = context.index[summary.id]
            summary.logBytes = await BlockingPool.shared.run { container?.logBytes }
            // An image that was removed by force is not there to be measured.
            let image = try? await context.images.resolve(summary.imageID)
            summary.rootBytes = image.map { $0.sizeBytes.addingSaturated(written) }
        } catch {
            // Removed meanwhile.
            if context.index[summary.id] != nil { throw error }
        }
    }
}

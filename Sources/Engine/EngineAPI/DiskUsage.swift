import Linux

/// What an engine's data take on the disk.
public struct DiskUsage: Hashable, Sendable {
    /// Of all images' layers, each counted once.
    public var layersBytes: Int64 = 0
    /// With `sharedBytes`.
    public var images: [ImageSummary] = []
    /// With `writtenBytes`, `rootBytes` and `logBytes`.
    public var containers: [ContainerSummary] = []
    /// With `sizeBytes`.
    public var volumes: [VolumeDetails] = []

    public init() {}
}

/// One part of the disk usage in sum.
public struct DiskUsageTotal: Hashable, Sendable {
    public var count: Int
    /// Images with containers, containers that are active, volumes that a container has.
    public var activeCount: Int
    public var bytes: Int64
    /// Of those that are not active.
    public var reclaimableBytes: Int64
}

extension DiskUsage {
    /// What a part comes to: docker's `system df`.
    public func total(of part: DiskUsagePart) -> DiskUsageTotal {
        switch part {
        case .image:
            let used = images.filter { $0.containerCount > 0 }
            let usedBytes = used.saturatedSum { max(0, $0.sizeBytes - ($0.sharedBytes ?? 0)) }
            return DiskUsageTotal(
                count: images.count, activeCount: used.count, bytes: layersBytes,
                reclaimableBytes: max(0, layersBytes - usedBytes))
        case .container:
            func written(_ list: [ContainerSummary]) -> Int64 { list.saturatedSum { $0.writtenBytes ?? 0 } }
            let idle = containers.filter { !$0.state.isActive }
            return DiskUsageTotal(
                count: containers.count, activeCount: containers.count - idle.count, bytes: written(containers),
                reclaimableBytes: written(idle))
        case .volume:
            func size(_ list: [VolumeDetails]) -> Int64 { list.saturatedSum { $0.sizeBytes ?? 0 } }
            let unused = volumes.filter { $0.users?.isEmpty ?? false }
            return DiskUsageTotal(
                count: volumes.count, activeCount: volumes.count - unused.count, bytes: size(volumes),
                reclaimableBytes: size(unused))
        }
    }

    /// What the containers' logs come to, which docker's `system df` leaves out; nil where the engine does not tell it.
    public var logTotal: DiskUsageTotal? {
        let logs = containers.filter { $0.logBytes != nil }
        guard !logs.isEmpty else { return nil }
        func size(_ list: [ContainerSummary]) -> Int64 { list.saturatedSum { $0.logBytes ?? 0 } }
        let idle = logs.filter { !$0.state.isActive }
        return DiskUsageTotal(
            count: logs.count, activeCount: logs.count - idle.count, bytes: size(logs), reclaimableBytes: size(idle))
    }
}

/// Which parts of the disk usage are asked for.
public enum DiskUsagePart: String, Hashable, Sendable, CaseIterable {
    case image, container, volume
}

extension Engine {
    public func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        throw EngineError(.unsupported, "the disk usage is not told by this engine")
    }

    /// Of all parts.
    public func diskUsage() async throws(EngineError) -> DiskUsage {
        try await diskUsage(of: Set(DiskUsagePart.allCases))
    }
}

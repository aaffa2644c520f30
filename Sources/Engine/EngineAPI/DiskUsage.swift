/// What an engine's data take on the disk.
public struct DiskUsage: Hashable, Sendable {
    /// Of all images' layers, each counted once.
    public var layersBytes: Int64 = 0
    /// With `sharedBytes`.
    public var images: [ImageSummary] = []
    /// With `writtenBytes` and `rootBytes`.
    public var containers: [ContainerSummary] = []
    /// With `sizeBytes`.
    public var volumes: [VolumeDetails] = []

    public init() {}
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
